"""Fits the small networks of the assembly to rendered pages; `python -m pixread.assembly.fit` runs it."""
