"""Exchanging the linear layers of a network: adapters beside them, or other kernels for the same weights."""

from __future__ import annotations

from collections.abc import Callable, Container

from torch import nn


def replace_linears(module: nn.Module, make: Callable[[nn.Linear], nn.Module], *, but: Container[str] = ()) -> None:
    """Replace every linear layer below the module by what `make` makes of it, except those of the names in `but`."""
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            if name not in but:
                setattr(module, name, make(child))
        else:
            replace_linears(child, make, but=but)
