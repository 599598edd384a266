"""pixread.cpu.mapped_weights: memory-mapped_weights weights whose pages go and come back."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from pixread.checkpoints.folder import load, save
from pixread.cpu import mapped_weights
from pixread.cpu.compiler import decoder_kernels
from pixread.cpu.mapped_weights import MappedWeights, clean_file_mappings, release_pages
from pixread.cpu.optimize import optimize
from tests.models.tiny import random_batch, tiny_model

COUNT = 200_000

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what lies in memory")


@pytest.fixture
def numbers(tmp_path: Path) -> torch.Tensor:
    """Mapped as weights are: what is changed stays in memory."""
    path = tmp_path / "numbers"
    with path.open("wb") as file:
        np.arange(COUNT, dtype=np.float32).tofile(file)
        os.fsync(file.fileno())  # before, its pages count as changed
    return torch.from_numpy(np.memmap(path, dtype=np.float32, mode="c"))


def resident(span: mapped_weights.Span) -> int:
    """KiB of the mapping that a span lies in."""
    found = 0
    for line in mapped_weights.MAPPINGS.read_text().splitlines():
        words = line.split()
        if not words[0].endswith(":"):
            start, _, end = words[0].partition("-")
            found = int(start, 16) <= span[0] < int(end, 16)
        elif found and words[0] == "Rss:":
            return int(words[1])
    raise AssertionError("no such mapping")


def test_memory_goes_and_comes_back(numbers: torch.Tensor):
    total = float(numbers.double().sum())
    (span,) = MappedWeights(encoder=[numbers])._encoder
    assert span[1] - span[0] > 0.95 * numbers.nbytes
    before = resident(span)
    release_pages([span])
    assert resident(span) < 0.1 * before
    assert float(numbers.double().sum()) == total


def test_what_was_changed_is_kept(numbers: torch.Tensor):
    numbers[COUNT // 2] = -1
    weights = MappedWeights(encoder=[numbers], decoder=[numbers])
    assert weights._encoder == weights._decoder == []


def test_what_lies_in_no_file_is_kept():
    weights = torch.ones(COUNT)
    assert MappedWeights(decoder=[weights])._decoder == []


def test_nothing_is_known_where_the_system_does_not_tell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(mapped_weights, "MAPPINGS", tmp_path / "none")
    assert list(clean_file_mappings()) == []


def test_a_model_reads_the_same_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    if decoder_kernels() is None:
        pytest.skip("nothing to compile with")
    monkeypatch.setattr("pixread.cpu.optimize.MIN_COMPILED_WEIGHTS", 0)
    monkeypatch.setattr(mapped_weights, "MIN_PATCHES", 1)
    plain = tiny_model(hidden_size=64, d_kv=16, d_ff=96)
    model = optimize(load(save(plain, tmp_path / "model", files={})).model)
    assert model._mapped._encoder
    assert model._mapped._decoder
    batch = random_batch(plain.config, [700, 9], length=3)
    with torch.inference_mode():
        for _ in range(2):
            torch.testing.assert_close(model(batch), plain(batch), rtol=1e-4, atol=1e-4)


def test_the_compiler_goes_and_compiles_again():
    numba = pytest.importorskip("numba")
    assert numba.njit(lambda number: number + 1)(1) == 2
    code = mapped_weights.compiler_code_pages()
    assert sum(end - start for start, end in code) > 10 * 2**20
    before = sum(map(resident, code))
    release_pages(code)
    assert sum(map(resident, code)) < before / 4
    assert numba.njit(lambda number: number * 3)(2) == 6
