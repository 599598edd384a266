"""pixread.nn.meta_init: networks have their shapes and no memory, and making them imports no compiler."""

import subprocess
import sys
from pathlib import Path

import torch

from pixread.models.pix2struct.model import Pix2Struct
from pixread.models.registry import sized
from pixread.nn.meta_init import meta_init


def test_shapes_are_those_of_a_filled_network():
    config = sized("nano", vocab_size=70)
    with meta_init():
        outline = Pix2Struct(config).state_dict()
    filled = Pix2Struct(config).state_dict()
    assert {name: tensor.shape for name, tensor in outline.items()} == {
        name: tensor.shape for name, tensor in filled.items()
    }
    assert {tensor.device.type for tensor in outline.values()} == {"meta"}


def test_outside_of_the_context_weights_are_drawn():
    with meta_init():
        pass
    table = Pix2Struct(sized("nano", vocab_size=70)).encoder.row_embedding.weight
    assert table.detach().std().item() > 0
    assert torch.nn.Linear(3, 3).weight.device.type == "cpu"


def test_loading_imports_no_compiler(tiny_checkpoint: Path):
    """Which takes seconds."""
    load = f"pixread.load(); pixread.load({str(tiny_checkpoint)!r})"
    source = f"import sys, pixread; {load}; sys.exit('torch._dynamo' in sys.modules or 'sympy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", source], check=False).returncode == 0
