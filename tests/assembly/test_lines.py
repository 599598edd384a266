"""pixread.assembly.lines: which words are kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pixread.assembly.lines import LONE_FACTOR, ContentFilter, Rotation, make_styled_line, unsure_words
from pixread.records import Box, Character, RecognisedLine, Region

IMAGE = Image.new("RGB", (200, 40), "white")
REGION = Region(((10, 5), (110, 5), (110, 28), (10, 28)), "line", 1.0, height=20.0, angle=0.0)


def recognised(text: str, confidence: float) -> RecognisedLine:
    step = 1 / len(text)
    characters = tuple(Character(number * step, (number + 1) * step, confidence) for number in range(len(text)))
    return RecognisedLine(text, characters, confidence)


def kept(line: RecognisedLine, content_filter: ContentFilter) -> list[str]:
    rotation = Rotation.of(0.0, IMAGE.size)
    styled = make_styled_line(IMAGE, REGION, line, rotation=rotation, content_filter=content_filter)
    return [] if styled is None else [token.text for token in styled.tokens]


@pytest.mark.parametrize(("confidence", "expected"), [(0.45, []), (0.6, []), (0.75, ["•"])])
def test_a_character_alone_in_its_line_needs_more_confidence_than_a_word(
    confidence: float, expected: list[str]
) -> None:
    """Dots of a dithered picture were read as points and commas of confidence .53 to .63."""
    content_filter = ContentFilter(0.5, None)
    assert kept(recognised("•", confidence), content_filter) == expected
    left_out = unsure_words(REGION, recognised("•", confidence), content_filter)
    assert [word.text for word in left_out] == ([] if expected else ["•"])


@given(least=st.floats(0, 1), confidence=st.floats(0, 1), text=st.sampled_from(["ab", "•"]))
def test_a_word_is_either_kept_or_left_out(least: float, confidence: float, text: str) -> None:
    line, content_filter = recognised(text, confidence), ContentFilter(least, Box(0, 0, 200, 40))
    words = kept(line, content_filter), [word.text for word in unsure_words(REGION, line, content_filter)]
    assert sorted(map(bool, words)) == [False, True]
    sure = confidence >= min(1.0, LONE_FACTOR * least) if text == "•" else confidence**2 >= least
    assert bool(words[0]) == sure
