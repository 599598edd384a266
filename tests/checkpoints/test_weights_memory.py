"""Loaded weights lie in mappings of their own, so that one that is exchanged leaves memory."""

import sys
from pathlib import Path

import pytest
import torch

from pixread.checkpoints.folder import load, save
from tests.models.tiny import tiny_model


def mapped_bytes(file: Path) -> int:
    """How much of the file this process maps, page by page."""
    total = 0
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        if line.endswith(str(file)):
            first, last = (int(end, 16) for end in line.split()[0].split("-"))
            total += last - first
    return total


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what is mapped")
def test_weights_that_go_leave_memory(tmp_path: Path):
    folder = save(tiny_model(vocab_size=9000), tmp_path / "m")
    file = folder / "model.safetensors"
    model = load(folder).model
    before = mapped_bytes(file)
    head = model.decoder.head.weight.nbytes
    assert before >= file.stat().st_size

    model.decoder.head = torch.nn.Linear(1, 1)

    assert before - mapped_bytes(file) >= head


def test_weights_may_be_changed_and_the_file_stays(tmp_path: Path):
    folder = save(tiny_model(), tmp_path / "m")
    bytes_before = (folder / "model.safetensors").read_bytes()
    with torch.no_grad():
        load(folder).model.decoder.head.weight.zero_()
    assert (folder / "model.safetensors").read_bytes() == bytes_before
