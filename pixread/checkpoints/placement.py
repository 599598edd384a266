"""What a user calls a device and a dtype -> what torch calls them."""

from __future__ import annotations

import torch

COMPUTE_DTYPES = (torch.float32, torch.bfloat16, torch.float16)


def find_device(name: str | torch.device) -> torch.device:
    """auto is a GPU where there is one. Raises ValueError for a device that this machine does not have."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise ValueError(f"the device {str(name)!r} cannot be used: {str(error).splitlines()[0]}") from error
    return device


def find_dtype(name: str | torch.dtype, device: torch.device) -> torch.dtype:
    """auto is bfloat16 on a GPU that multiplies it, else float32; "torch.float16" and "half" are float16, as in torch.

    Raises ValueError for what no model computes in.
    """
    if name == "auto":
        return torch.bfloat16 if device.type == "cuda" and torch.cuda.is_bf16_supported() else torch.float32
    dtype = getattr(torch, name.removeprefix("torch."), None) if isinstance(name, str) else name
    if not isinstance(dtype, torch.dtype) or dtype not in COMPUTE_DTYPES:
        raise ValueError(f"dtype must be auto, float32, bfloat16, float16 or int8, got {name!r}")
    return dtype
