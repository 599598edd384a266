"""The weights files that recipes name."""

from __future__ import annotations

from pathlib import Path

import pixread

WEIGHTS = "weights.safetensors"  # in the folder of a run
SHIPPED = "shipped"  # the weights that pixread comes with


def find_weights(named: str, *, name: str, field: str) -> Path:
    """The weights file that a field of a recipe names; name: of the recipe that trained it.

    Raises ValueError where there is none.
    """
    path = Path(pixread.__file__).parent / "assets" / f"{name}.safetensors" if named == SHIPPED else Path(named)
    file = path / WEIGHTS if path.is_dir() else path
    if not file.is_file():
        raise ValueError(f"{field} must be {SHIPPED}, a weights file or the folder of a run, and {file} is not there")
    return file
