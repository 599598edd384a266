"""pytorch_model.bin -> tensors by name. Such a file is a pickle, which may run anything: only tensors get through."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from torch import Tensor

from pixread.checkpoints.errors import CheckpointError


def open_pickled(file: Path) -> dict[str, Tensor]:
    """The tensors of a file, mapped from disk rather than copied.

    Raises CheckpointError, in one sentence, for a damaged file and for anything in it but tensors; FileNotFoundError.
    """
    try:
        content = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    except FileNotFoundError:
        raise
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{file} holds code or objects beside its tensors, which may do harm and are never loaded; "
            "use a checkpoint with safetensors files"
        ) from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        if "mmap can only be used" in str(error):
            raise CheckpointError(
                f"{file} is damaged or in the format before PyTorch 1.6; save it anew with torch.save to have it read"
            ) from error
        raise CheckpointError(f"{file} is truncated or no PyTorch file ({str(error).splitlines()[0]})") from error
    if not isinstance(content, dict) or not all(isinstance(tensor, Tensor) for tensor in content.values()):
        raise CheckpointError(f"{file} must hold tensors by name, got {_kind(content)}")
    return _untied(content)


def _kind(content: object) -> str:
    if not isinstance(content, dict):
        return type(content).__name__
    name, value = next((name, value) for name, value in content.items() if not isinstance(value, Tensor))
    return f"{type(value).__name__} under {name}"


def _untied(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Names that share one storage get one each: training would otherwise change both."""
    storages: set[int] = set()
    for name, tensor in tensors.items():
        if tensor.untyped_storage().data_ptr() in storages:
            tensors[name] = tensor.clone()
        storages.add(tensor.untyped_storage().data_ptr())
    return tensors
