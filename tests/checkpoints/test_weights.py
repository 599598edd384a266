"""Weights written tensor by tensor are what the safetensors library writes at once."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from pixread.checkpoints.weights import write

TENSORS = {
    "späte.weight": torch.randn(5, 7),
    "b.weight": torch.randn(6, 4).T,
    "a.bias": torch.randn(3).to(torch.bfloat16),
    "half": torch.randn(2, 1).half(),
    "double": torch.randn(2).double(),
    "scalar": torch.tensor(1.5),
    "empty": torch.zeros(0, 3),
}


def test_the_file_is_the_one_that_the_library_writes(tmp_path: Path):
    write(TENSORS, tmp_path)

    save_file(
        {name: tensor.contiguous() for name, tensor in TENSORS.items()}, tmp_path / "x", metadata={"format": "pt"}
    )
    assert (tmp_path / "model.safetensors").read_bytes() == (tmp_path / "x").read_bytes()


def test_tensors_are_fetched_one_by_one(tmp_path: Path):
    fetched = []

    def fetch(name: str) -> torch.Tensor:
        fetched.append(name)
        return TENSORS[name]

    write({name: tensor.to("meta") for name, tensor in TENSORS.items()}, tmp_path, fetch=fetch, max_shard_bytes=200)

    files = sorted(tmp_path.glob("*.safetensors"))
    assert len(files) == 2
    found = {name: tensor for file in files for name, tensor in load_file(file).items()}
    assert sorted(fetched) == sorted(found) == sorted(TENSORS)
    assert all(torch.equal(found[name], tensor) for name, tensor in TENSORS.items())


def test_a_tensor_other_than_planned_is_our_mistake(tmp_path: Path):
    with pytest.raises(AssertionError, match="half is not as laid out"):
        write({"half": torch.zeros(2).half()}, tmp_path, fetch=lambda name: torch.zeros(2))
