"""Checkpoints of T5X (version 3): a folder with a msgpack file and zarr arrays goes in, a checkpoint folder comes out.

Neither JAX nor TensorFlow is needed. find.py finds the folder, tree.py walks the msgpack file, arrays.py finds the
arrays that it names, which inline.py and zarr.py read, sizes.py tells the model from their shapes, and convert.py
writes it anew.
"""
