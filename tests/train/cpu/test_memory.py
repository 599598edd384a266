"""Memory of training: measured in bytes and page faults, never in seconds."""

from __future__ import annotations

import copy
import subprocess
import sys

import pytest
import torch

from pixread.train.cpu.memory import use_bfloat16_gradients
from pixread.train.loop import summed_cross_entropy
from tests.models.tiny import random_batch, tiny_model

FAULTS = """
import resource, torch
from pixread.train.cpu.memory import keep_freed_memory

def faults():
    for turn in range(4):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        pieces = [torch.ones(10_000_000) for _ in range(5)]  # 40 MB each
        del pieces
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

torch.set_num_threads(1)
usual = faults()
keep_freed_memory()
print(usual, faults())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks the C library of Linux")
def test_memory_freed_is_not_fetched_again() -> None:
    """Pages that a process gets from the system when it takes 200 MB for the fourth time."""
    ended = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    usual, kept = map(int, ended.stdout.split())
    assert kept < usual / 4


@pytest.mark.skipif(not hasattr(torch.Tensor, "grad_dtype"), reason="this torch knows one dtype a parameter")
def test_halved_gradients_are_the_same_numbers() -> None:
    usual = tiny_model().train()
    with_bfloat16 = copy.deepcopy(usual)
    use_bfloat16_gradients(with_bfloat16)
    batch = random_batch(usual.config, [9, 6], length=5)
    assert batch.labels is not None
    for model in (usual, with_bfloat16):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(batch)
        summed_cross_entropy(logits, batch.labels).backward()
    found, truth = (dict(model.named_parameters()) for model in (with_bfloat16, usual))
    dtypes = {name: weight.grad.dtype for name, weight in found.items() if weight.grad is not None}
    assert {name for name, dtype in dtypes.items() if dtype == torch.bfloat16} == {
        f"{name}.weight" for name, module in with_bfloat16.named_modules() if isinstance(module, torch.nn.Linear)
    }
    for name, weight in truth.items():
        gradient, other = weight.grad, found[name].grad
        assert gradient is not None and other is not None
        assert torch.equal(other.float(), gradient), name
