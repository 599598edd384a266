"""Kernels that numba compiles for this processor, over tensors as NumPy arrays; bfloat16 comes as its bits (uint16)."""

ZERO_POINT = 128
"""What 0 is among unsigned 8 bits."""
