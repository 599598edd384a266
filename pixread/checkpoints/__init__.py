"""Models on disk and on the Hugging Face Hub: a folder laid out as `transformers` does it goes in, a model comes out.

And the other way round. names/ holds, as data, what other libraries call our weights and settings. Tokenizer and
preprocessing files travel with a checkpoint as they are; only `folder.rewrite` adds those that are missing.
"""
