"""Pictures and text in, patches and token ids out.

The only preprocessing there is: training, evaluation, reading and serving all go through `Preprocess` and `Tokenizer`.
"""
