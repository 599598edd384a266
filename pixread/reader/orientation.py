"""Which way up text is. A detector sees along which axis it runs, but may take its end for its beginning.

Upside down, hardly a word is read surely. Where that is so of a page, a sample of its lines is read the other way up as
well, and what is more legible decides for all. A page that is turned by quarters is then turned upright as a picture,
since networks find and read upright text best. Lines that run otherwise than their page, such as the labels of an axis,
are read both ways, one by one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from PIL import Image

from pixread.assembly.rotation import QUARTER_TURN, is_askew, page_angle
from pixread.reader.line_crops import line_crop
from pixread.recognition.recogniser import LineRecogniser
from pixread.recognition.words import words_of
from pixread.records import Box, Node, Reading, RecognisedLine, Region

ReadLine = tuple[Region, RecognisedLine]

# Share of the length of lines that words take, each by its confidence: on dev pages, half their size included, .5 to
# .9, and upside down .1 to .25.
LEGIBLE = 0.4
MORE_LEGIBLE = 0.15  # how much more of it has to be legible the other way up
SAMPLE = 8  # lines
BACK = (None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)


def quarter_turns(image: Image.Image, lines: Sequence[ReadLine], recogniser: LineRecogniser) -> int:
    """By how many quarters, clockwise, a page is turned. image: RGB."""
    angle = page_angle([line for line, _ in lines])
    turns, of_page = round(angle / QUARTER_TURN), [one for one in lines if not is_askew(one[0], angle)]
    if _legibility(of_page) < LEGIBLE:
        sample = sorted(of_page, key=lambda one: -_ems(one[0]))[:SAMPLE]
        turns += 2 * (_legibility(_other_way_up(image, sample, recogniser)) > _legibility(sample) + MORE_LEGIBLE)
    return turns % 4


def with_others_turned(image: Image.Image, lines: Sequence[ReadLine], recogniser: LineRecogniser) -> list[ReadLine]:
    """The lines of a picture (RGB), those turned that run otherwise than the page and were found the wrong way up."""
    angle = page_angle([line for line, _ in lines])
    askew = [one for one in lines if is_askew(one[0], angle)]
    found = zip(askew, _other_way_up(image, askew, recogniser), strict=True)
    turned = {id(one): other for one, other in found if _legibility([other]) > _legibility([one])}
    return [turned.get(id(one), one) for one in lines]


def upright_picture(image: Image.Image, turns: int) -> Image.Image:
    """A picture that is turned clockwise by so many quarters, 1 to 3, turned back."""
    back = BACK[turns]
    assert back is not None, "it is turned"
    return image.transpose(back)


def upright_box(box: Box, size: tuple[int, int], turns: int) -> Box:
    """A box of a picture of this size in what `upright_picture` makes of it."""
    width, height = size
    for _ in range(turns):
        box = Box(box.y, width - box.right, box.height, box.width)
        width, height = height, width
    return box


def turned_reading(reading: Reading, turns: int) -> Reading:
    """What was read in a picture turned upright, with boxes in the picture that is turned by so many quarters."""
    size = reading.width, reading.height

    def turned(box: Box) -> Box:
        return upright_box(box, size, 4 - turns)

    def node(one: Node) -> Node:
        return replace(
            one,
            box=one.box and turned(one.box),
            words=tuple(replace(word, box=turned(word.box)) for word in one.words),
            children=tuple(map(node, one.children)),
        )

    width, height = size[::-1] if turns % 2 else size
    boxes = tuple(map(turned, reading.boxes))
    left_out = tuple(replace(word, box=turned(word.box)) for word in reading.left_out)
    return replace(reading, tree=node(reading.tree), boxes=boxes, width=width, height=height, left_out=left_out)


def _other_way_up(image: Image.Image, lines: Sequence[ReadLine], recogniser: LineRecogniser) -> list[ReadLine]:
    regions = [_reversed(line) for line, _ in lines]
    read = recogniser.recognise([line_crop(image, region) for region in regions]) if regions else []
    return list(zip(regions, read, strict=True))


def _reversed(line: Region) -> Region:
    """The same place for text that runs the other way."""
    first, second, third, fourth = line.quad
    return replace(line, quad=(third, fourth, first, second), angle=math.remainder(line.angle + math.pi, 2 * math.pi))


def _legibility(lines: Sequence[ReadLine]) -> float:
    """The share of their length that words take, by their confidence; 1 of no lines."""
    total = sum(_ems(line) for line, _ in lines)
    taken = (
        _ems(line) * sum((word.end - word.start) * word.confidence for word in words_of(read)) for line, read in lines
    )
    return sum(taken) / total if total else 1.0


def _ems(line: Region) -> float:
    """Its length in font sizes."""
    return math.dist(line.quad[0], line.quad[1]) / max(line.height, 1.0)
