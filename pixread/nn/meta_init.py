"""Networks whose weights a checkpoint will bring."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


@contextmanager
def meta_init() -> Iterator[None]:
    """Modules made in this context have shapes, but neither memory nor values (the meta device of PyTorch)."""
    with torch.device("meta"), _SkipInit():
        yield


class _SkipInit(TorchFunctionMode):
    """Skips the initialisation of weights: without memory there is nothing to draw them into, and PyTorch would
    import its compiler, which takes a second, to find out what shape that nothing has.
    """

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if getattr(function, "__module__", "") == "torch.nn.init":  # PyTorch's own have no module
            return args[0] if args else (kwargs or {})["tensor"]
        return function(*args, **(kwargs or {}))
