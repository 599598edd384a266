"""Letters of one shape in several scripts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixread.recognition.ctc.look_alikes import settle_scripts


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        ("МOСКBА Дон", "МОСКВА Дон"),  # Latin O and B in a Cyrillic word
        ("Аbout", "About"),  # Cyrillic А
        ("ΑBΓ", "ΑΒΓ"),
        ("А", "A"),  # nothing tells
        ("А город", "А город"),
        ("the о word", "the o word"),
        ("5 μm", "5 µm"),
        ("λ 5 μ", "λ 5 μ"),
    ],
)
def test_words_are_of_one_script(text: str, settled: str):
    assert settle_scripts(text) == settled


@settings(deadline=None)
@given(st.text(alphabet="aаαAАΑoоοxхχжλµμ 1.", max_size=20))
def test_the_length_stays_and_a_second_time_changes_nothing(text: str):
    settled = settle_scripts(text)
    assert len(settled) == len(text)
    assert settle_scripts(settled) == settled
