"""Checkpoints of T5X (version 3): a folder with a msgpack file and zarr arrays goes in, a checkpoint folder comes out.

Neither JAX nor TensorFlow is needed. tree.py walks the msgpack file, inline.py and zarr.py read the two kinds of arrays
that it names (arrays.py finds them), sizes.py tells the model from their shapes, convert.py writes it anew.
"""
