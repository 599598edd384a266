"""One reading: what is asked of the model (`limits`), and what its answers are put together to (`answers`).

Images and models are not seen here: settings and text with log-probabilities go in, rules and `Reading`s come out.
"""
