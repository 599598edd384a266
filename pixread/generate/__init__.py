"""Decoding: a model and what it has read (a Memory) go in, token ids with their log-probabilities come out.

It knows ids and the few methods of `StepModel`, nothing of pictures or text.
"""
