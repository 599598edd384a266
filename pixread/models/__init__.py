"""The networks: patches (a Batch) go in, next-token logits come out.

One file a family, with its sizes as a table beside it; attention.py and cache.py are shared. A model knows
numbers only: no text, no pictures, no files.
"""
