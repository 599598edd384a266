"""From a rendered page to training examples: Screenshot in, Examples out, one file a target.

Every target has `examples(screenshot, *, settings, seed)`: the same page, settings and seed give the same examples.
"""
