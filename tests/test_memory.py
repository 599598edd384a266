"""Lack of memory becomes a sentence, and nothing else does."""

import pytest
import torch

from pixread.memory import MemoryShortageError, enough_memory


def test_lack_of_memory_is_a_sentence_about_the_picture() -> None:
    """One picture that was too large for the memory ended a whole batch."""
    with (
        pytest.raises(MemoryShortageError, match=r"^there is not enough memory to read x.png$"),
        enough_memory("x.png"),
    ):
        raise MemoryError
    with pytest.raises(MemoryShortageError, match=r"to read x.png$"), enough_memory("x.png"):
        torch.empty(2**60)


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="shapes"), enough_memory("x.png"):
        raise RuntimeError("shapes do not match")
