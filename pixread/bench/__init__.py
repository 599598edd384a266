"""Bench: what speed and memory pixread needs, beside transformers and beside what the machine can do.

`commands/` runs whole commands as a user runs them and watches from outside. `network/` loads a model once a variant,
each in a process of its own, and lets the processes take turns; a further variant is an entry in `network/variants.py`.
`reading/` reads whole pages beside other programs. All give a `Report` (`harness/`): a table, and JSON with the machine
and the versions.
"""
