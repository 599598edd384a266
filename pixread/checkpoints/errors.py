"""The one error of this room."""

from __future__ import annotations


class CheckpointError(ValueError):
    """A checkpoint folder cannot be read or written; the message is one sentence that names the folder or file."""
