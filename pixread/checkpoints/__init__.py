"""Models on disk: a folder laid out as `transformers` does it goes in, a model comes out, and the other way round.

names/ holds, as data, what other libraries call our weights and settings. Tokenizer and preprocessing files travel
with a checkpoint but are not understood here.
"""
