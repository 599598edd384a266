"""NumPy arrays by what they hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""A picture: (H, W) of grey levels, or (H, W, 3) of red, green and blue."""
Bitmap = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
