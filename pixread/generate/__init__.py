"""Decoding: a model and the state of what it has read go in, token ids with their log-probabilities come out.

It knows ids and the contracts of `pixread.models.family`, nothing of pictures, text or a state's insides.
"""
