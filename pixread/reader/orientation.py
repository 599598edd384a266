"""The orientation of text. A detector gives the axis of a line, but may mistake its end for its beginning.

Upside down, hardly a word is recognised with confidence. Where that is so of a page, a sample of its lines is
recognised reversed as well, and the more legible direction counts for the whole page. A page that is turned by quarters
is then rotated as a picture, since the networks know upright text best. Lines in another direction than their page,
such as the labels of an axis, are recognised in both directions, one by one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from pixread.assembly.lines import QUARTER_TURN, is_askew, page_angle
from pixread.layout.line_crops import crop_for_recognition
from pixread.records import Box, Node, Reading, RecognisedLine, Region

if TYPE_CHECKING:
    from pixread.recognition.recogniser import LineRecogniser


class RecognisedCrop(NamedTuple):
    """A line of a page as it was recognised, before `map_to_line`."""

    region: Region
    recognised: RecognisedLine  # whose characters are positioned along the crop of the region


# Share of the length of lines that words cover, weighted by their confidence: on dev pages, half their size included,
# .5 to .9, and upside down .1 to .25.
MIN_LEGIBILITY = 0.4
MIN_LEGIBILITY_GAIN = 0.15  # of the reversed lines, from which the page is upside down
NUM_SAMPLE_LINES = 8
# By the number of clockwise quarter turns that they undo.
TRANSPOSES = (None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)


def quarter_turns(image: Image.Image, lines: Sequence[RecognisedCrop], recogniser: LineRecogniser) -> int:
    """By how many quarters, clockwise, a page is turned. image: RGB."""
    angle = page_angle([line for line, _ in lines])
    turns, main_lines = round(angle / QUARTER_TURN), [line for line in lines if not is_askew(line[0], angle)]
    if _legibility(main_lines) < MIN_LEGIBILITY:
        sample = sorted(main_lines, key=lambda line: -_length_in_ems(line[0]))[:NUM_SAMPLE_LINES]
        turned = _legibility(_recognise_reversed(image, sample, recogniser))
        turns += 2 * (turned > _legibility(sample) + MIN_LEGIBILITY_GAIN)
    return turns % 4


def turn_askew_lines(
    image: Image.Image, lines: Sequence[RecognisedCrop], recogniser: LineRecogniser
) -> list[RecognisedCrop]:
    """The lines of a picture (RGB), those in another direction than the page reversed where that is more legible."""
    angle = page_angle([line for line, _ in lines])
    askew = [line for line in lines if is_askew(line[0], angle)]
    pairs = zip(askew, _recognise_reversed(image, askew, recogniser), strict=True)
    replacements = {id(line): turned for line, turned in pairs if _legibility([turned]) > _legibility([line])}
    return [replacements.get(id(line), line) for line in lines]


def rotate_upright(image: Image.Image, turns: int) -> Image.Image:
    """A picture that is turned clockwise by so many quarters, 1 to 3, rotated back."""
    transpose = TRANSPOSES[turns]
    assert transpose is not None, "it is turned"
    return image.transpose(transpose)


def rotate_box_upright(box: Box, size: tuple[int, int], turns: int) -> Box:
    """A box of a picture (width, height) in the picture that `rotate_upright` returns."""
    width, height = size
    for _ in range(turns):
        box = Box(box.y, width - box.right, box.height, box.width)
        width, height = height, width
    return box


def rotate_reading(reading: Reading, turns: int) -> Reading:
    """The reading of an upright picture, with its boxes in the picture that is turned by so many quarters."""
    size = reading.width, reading.height

    def rotate_box(box: Box) -> Box:
        return rotate_box_upright(box, size, 4 - turns)

    def rotate_node(node: Node) -> Node:
        return replace(
            node,
            box=node.box and rotate_box(node.box),
            words=tuple(replace(word, box=rotate_box(word.box)) for word in node.words),
            children=tuple(map(rotate_node, node.children)),
        )

    width, height = size[::-1] if turns % 2 else size
    boxes = tuple(map(rotate_box, reading.boxes))
    left_out = tuple(replace(word, box=rotate_box(word.box)) for word in reading.left_out)
    return replace(reading, tree=rotate_node(reading.tree), boxes=boxes, width=width, height=height, left_out=left_out)


def _recognise_reversed(
    image: Image.Image, lines: Sequence[RecognisedCrop], recogniser: LineRecogniser
) -> list[RecognisedCrop]:
    regions = [_reversed(line) for line, _ in lines]
    crops = [crop_for_recognition(image, region) for region in regions]
    return list(map(RecognisedCrop, regions, recogniser.recognise(crops) if crops else []))


def _reversed(line: Region) -> Region:
    """The region of a line that runs in the opposite direction."""
    first, second, third, fourth = line.quad
    return replace(line, quad=(third, fourth, first, second), angle=math.remainder(line.angle + math.pi, 2 * math.pi))


def _legibility(lines: Sequence[RecognisedCrop]) -> float:
    """The share of their length that words cover, weighted by their confidence; 1 of no lines."""
    total = sum(_length_in_ems(line) for line, _ in lines)
    covered = (
        _length_in_ems(line) * sum((word.end - word.start) * word.confidence for word in recognised.words)
        for line, recognised in lines
    )
    return sum(covered) / total if total else 1.0


def _length_in_ems(line: Region) -> float:
    """The length of a line in font sizes."""
    return math.dist(line.quad[0], line.quad[1]) / max(line.height, 1.0)
