"""Bench: what speed and memory pixread needs, beside transformers and beside what the machine can do.

Two kinds. `render`, `pages`, `recipes` and `startup` run commands as a user runs them and watch from outside.
`generate`, `encode` and `train` load a model once a variant, each in a process of its own, and let the processes take
turns. All give a `Report`: a table, and JSON with the machine and the versions. A further variant is an entry in
`variants.py`.
"""
