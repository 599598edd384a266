"""pixread.cpu.kernels.tiles: products of several rows, whatever is left over at their edges."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from pixread.cpu.compiler import decoder_kernels

if decoder_kernels() is None:
    pytest.skip("nothing to compile with", allow_module_level=True)
from numba import njit

from pixread.cpu.kernels.decoder import product
from pixread.cpu.kernels.tiles import BLOCK, LANES, TALL


@njit
def multiplied(x: Any, weights: Any, scales: Any, y: Any) -> None:
    product(x, weights, scales, y)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.int8])
def test_products_of_any_size_are_those_of_torch(kind: torch.dtype):
    """Rows, outputs and inputs below, at and above what is taken at once."""
    torch.manual_seed(0)
    for rows in (1, BLOCK - 1, BLOCK, TALL + 1, 2 * TALL, 11, 16):
        for outputs, inputs in ((1, 1), (BLOCK, LANES), (BLOCK + 1, 2 * LANES - 1), (30, 5 * LANES + 3)):
            x, scales = torch.randn(rows, inputs), torch.rand(outputs) + 0.5
            weights = (30 * torch.randn(outputs, inputs)).clamp(-127, 127).to(kind)
            stored = weights.view(torch.uint16) if kind == torch.bfloat16 else weights
            y = torch.full((rows, outputs), torch.nan)
            multiplied(x.numpy(), stored.numpy(), scales.numpy(), y.numpy())
            right = x.double() @ weights.double().T * scales
            # With weights of 8 bits inputs are quantised, to 1 in 8,191 of the largest.
            scales_of_x = x.abs().amax(1, keepdim=True) / 8191 if kind == torch.int8 else torch.zeros(rows, 1)
            most = (0.51 * scales_of_x + 1e-6 * x.abs().amax()) * weights.abs().sum(1) * scales
            assert bool(((y - right).abs() <= most).all())


def test_weights_that_come_later_may_lie_behind_the_end():
    """They are asked for all the same: the last of a table has nothing behind it."""
    x, weights, y = torch.ones(TALL, 4096), torch.ones(BLOCK, 4096), torch.empty(TALL, BLOCK)
    multiplied(x.numpy(), weights.numpy(), torch.ones(BLOCK).numpy(), y.numpy())
    assert bool((y == 4096).all())


@pytest.mark.slow
def test_processors_with_shorter_vectors_find_the_same(tmp_path: Path):
    """The tests of this file and of attention, compiled anew for one that has nothing but the least."""
    code = (
        "import sys, pytest; from llvmlite import binding\n"
        "binding.get_host_cpu_features = binding.FeatureMap\n"
        "wanted = 'products_of_any_size or attention_of_one or attention_in_float32'\n"
        "sys.exit(pytest.main(['-m', 'not slow', '-q', '-k', wanted, *sys.argv[1:]]))"
    )
    files = [Path(__file__), Path(__file__).parent.parent / "test_encoder.py"]
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code, *map(str, files)], env=env, check=True)
