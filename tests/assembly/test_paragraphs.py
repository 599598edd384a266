"""Lines drawn as pages have them: which are one paragraph, and where texts end within it."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from pixread.assembly.paragraphs import StyledLine, find_paragraphs, vertical_neighbours
from pixread.records import Box
from tests.assembly.style.drawn_styles import line_of, style_of
from tests.drawn import FONT

FONT_SIZE = 16
LONG = [
    "When a paragraph is longer than the column is wide, it goes",
    "on in the next line, which starts where the first one did and",
    "ends before it where there is nothing left of it to be said.",
]


def page(rows: list[tuple[int, int, list[tuple[str, str]]]]) -> list[StyledLine]:
    """Lines drawn at x, y: runs of words with their colours, one blank between two runs."""
    image = Image.new("RGB", (900, 500), "white")
    font, found = ImageFont.truetype(str(FONT), FONT_SIZE), []
    pen = ImageDraw.Draw(image)
    for x, y, runs in rows:
        before, at, places = np.asarray(image).astype(int), float(x), list[tuple[int, int]]()
        for text, colour in runs:
            for word in text.split():
                pen.text((at, y), word, font=font, fill=colour)
                places.append((round(at), round(at + font.getlength(word))))
                at += font.getlength(word + " ")
        ys, xs = np.nonzero(np.abs(np.asarray(image) - before).sum(axis=2) > 60)
        left, right = min(int(xs.min()), places[0][0]), max(int(xs.max()) + 1, places[-1][1])
        box = Box(left, int(ys.min()), right - left, int(ys.max() - ys.min()) + 1)
        found.append((box, " ".join(text for text, _ in runs), places))
    pixels = np.asarray(image)
    return [line_of(box, text, style_of(pixels, box, text.split(), places)) for box, text, places in found]


def plain(x: int, y: int, lines: list[str], pitch: int = 22) -> list[tuple[int, int, list[tuple[str, str]]]]:
    return [(x, y + pitch * number, [(line, "#222222")]) for number, line in enumerate(lines)]


def test_wrapped_lines_are_one_text():
    [found] = find_paragraphs(page(plain(40, 40, LONG)))
    assert found.lines == (0, 1, 2)
    assert [text.text for text in found.spans] == [" ".join(LONG)]
    assert {word.line for word in found.spans[0].words} == {0, 1, 2}


def test_two_paragraphs_with_white_between_are_two():
    lines = page(plain(40, 40, LONG) + plain(40, 140, LONG))
    assert [found.lines for found in find_paragraphs(lines)] == [(0, 1, 2), (3, 4, 5)]


def test_items_of_a_list_are_apart():
    items = ["1. First of all", "2. Second to none", "3. Third of many"]
    assert [found.lines for found in find_paragraphs(page(plain(40, 40, items, pitch=34)))] == [(0,), (1,), (2,)]


def test_a_link_in_a_sentence_is_a_text_of_its_own():
    runs = [("All of it is told in", "#222222"), ("the long guide", "#0645ad"), ("for all.", "#222222")]
    lines = page([(40, 40, runs)])
    [found] = find_paragraphs(lines)
    assert [text.text for text in found.spans] == ["All of it is told in", "the long guide", "for all."]
    boxes = [Box.around([word.box for word in text.words]) for text in found.spans]
    assert boxes[0].right < boxes[1].x < boxes[1].right < boxes[2].x


def test_a_plain_sentence_is_not_cut():
    lines = page([(40, 40, [("All of it is told in the long guide for all.", "#222222")])])
    assert [text.text for text in find_paragraphs(lines)[0].spans] == ["All of it is told in the long guide for all."]


def test_columns_side_by_side_do_not_mix():
    left, right = (plain(x, 40, [line[:30].strip() for line in LONG]) for x in (40, 480))
    order = [line for pair in zip(left, right, strict=True) for line in pair]
    for found in find_paragraphs(page(order)):
        assert len({number % 2 for number in found.lines}) == 1


boxes = st.builds(Box, st.integers(0, 300), st.integers(0, 300), st.integers(1, 200), st.integers(1, 40))
lines = st.lists(st.builds(line_of, boxes, st.text(min_size=1, max_size=20).filter(str.split)), max_size=20)


@settings(deadline=None)
@given(lines)
def test_every_line_is_in_one_paragraph_once(found: list[StyledLine]):
    made = find_paragraphs(found)
    assert sorted(number for one in made for number in one.lines) == list(range(len(found)))
    for one in made:
        words = [(word.line, word.text) for text in one.spans for word in text.words]
        assert words == [(number, found[number].text) for number in one.lines]
        assert one.box == Box.around([found[number].box for number in one.lines])
        tops = [found[number].box.y for number in one.lines]
        assert tops == sorted(tops)


@given(st.lists(boxes, max_size=20))
def test_neighbours_are_above_each_other_and_each_has_one(found: list[Box]):
    pairs = vertical_neighbours(found)
    assert len({first for first, _ in pairs}) == len({second for _, second in pairs}) == len(pairs)
    for first, second in pairs:
        upper, lower = found[first], found[second]
        assert upper.y + upper.height / 2 < lower.y + lower.height / 2
        assert min(upper.right, lower.right) > max(upper.x, lower.x)
