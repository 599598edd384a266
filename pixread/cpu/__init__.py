"""A model made fast on a CPU: weights in the processor's order or in fewer bits, and compiled kernels.

`optimize` takes a model and returns another one that generates the same; `kernels/` holds what numba compiles.
"""
