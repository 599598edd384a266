"""The frozen records through which all rooms of the house meet.

Nothing here opens a file, draws a pixel or imports a heavy library, and no field is a tensor.
Every picture coordinate is in pixels, x to the right and y down, origin at the top left of the picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from PIL import Image

BoxKind = Literal["region", "mask", "label"]
MarkKind = Literal["picture", "icon", "control", "edge", "unread"]
RegionKind = Literal["line", "picture", "icon", "control"]
Corner = tuple[float, float]
LINE_ASCENT, LINE_DESCENT = 0.90, 0.27
"""A line's box reaches so far above and below its baseline, in font sizes: room for the accents of capitals in
Vietnamese and for the signs of Devanagari."""
CAP_HEIGHT, DESCENT = 0.73, 0.21
"""How far the ink of letters reaches above and below the baseline, in font sizes, in common sans serifs."""
CROP_MARGIN, END_MARGIN = 0.04, 0.12
"""Font sizes that the crop of a line reaches beyond its box above and below, and beyond its ends."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels: its top left corner and its size (never negative)."""

    x: float  # of the left side
    y: float  # of the top
    width: float
    height: float

    def __post_init__(self) -> None:
        if self.width < 0 or self.height < 0:
            raise ValueError(f"a box needs a width and height of at least 0, got {self.width} x {self.height}")

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def corners(self) -> tuple[Corner, Corner, Corner, Corner]:
        """Top left, top right, bottom right, bottom left."""
        return (self.x, self.y), (self.right, self.y), (self.right, self.bottom), (self.x, self.bottom)

    def union(self, other: Box) -> Box:
        """The smallest box that holds both."""
        return Box.around((self, other))

    @classmethod
    def around(cls, boxes: Sequence[Box]) -> Box:
        """The smallest box that holds all of them, which are one at least."""
        x, y = min(box.x for box in boxes), min(box.y for box in boxes)
        right, bottom = max(box.x + box.width for box in boxes), max(box.y + box.height for box in boxes)
        return cls(x, y, right - x, bottom - y)

    def intersect(self, other: Box) -> Box | None:
        """The common part, or None where there is none of positive area."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        width, height = min(self.right, other.right) - x, min(self.bottom, other.bottom) - y
        return Box(x, y, width, height) if width > 0 and height > 0 else None

    def as_list(self) -> list[float]:
        return [self.x, self.y, self.width, self.height]


@dataclass(frozen=True, slots=True)
class Lettering:
    """How a word is drawn."""

    size: float  # of its font, in pixels
    baseline: float | None  # y of the line its letters stand on; None where text is turned or runs from top to bottom
    angle: float = 0.0  # of its direction, in radians, clockwise from left to right
    bold: bool = False
    italic: bool = False
    mono: bool = False  # in a monospaced font
    link: bool = False  # part of a hyperlink


@dataclass(frozen=True, slots=True)
class Word:
    """One visible word of a page.

    Words of one line may belong to several nodes (a link inside a sentence), and a node's words may spread over several
    lines (a paragraph).
    """

    text: str
    box: Box
    line: int  # number of its visual line, counted over the page in document order
    lettering: Lettering | None = None  # known of words of rendered pages
    confidence: float | None = None  # of readings, 0..1


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a page or of a reading: a text leaf, an image leaf, or an inner node with children."""

    text: str | None = None  # of a text leaf
    image: str | None = None  # of an image leaf: file name without folder and extension; it has this, `alt` or both
    alt: str | None = None  # of an image leaf: its alternative text
    children: tuple[Node, ...] = ()  # of an inner node
    box: Box | None = None  # None where it is not known
    words: tuple[Word, ...] = ()  # of text leaves of rendered pages, and of readings that know them
    confidence: float | None = None  # of readings, 0..1

    @property
    def is_text(self) -> bool:
        return self.text is not None

    @property
    def is_image(self) -> bool:
        return self.text is None and (self.image is not None or self.alt is not None)

    def walk(self) -> Iterator[Node]:
        """This node and all below it, in document order."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Mark:
    """Something drawn on a page that is no word of its tree."""

    # picture: also backgrounds and drawings; icon: a small picture or a glyph of an icon font; control: a field,
    # button, check box, list; edge: a rule, or a side of a box with a border or a ground of its own (a thin box);
    # unread: what may look like text and is not in the tree (cut off, covered, faint, in place of a missing picture).
    kind: MarkKind
    box: Box


@dataclass(frozen=True, slots=True)
class Region:
    """What a layout detector found on a picture."""

    # Corners in pixels, top left, top right, bottom right, bottom left of the text as it is read; of a line from
    # LINE_ASCENT above its baseline to LINE_DESCENT below it.
    quad: tuple[Corner, Corner, Corner, Corner]
    kind: RegionKind
    score: float  # 0..1
    height: float = 0.0  # of lines: the size of their font in pixels
    angle: float = 0.0  # of lines: their direction in radians, clockwise from left to right

    @property
    def box(self) -> Box:
        """The smallest upright box that holds the corners."""
        xs, ys = [x for x, _ in self.quad], [y for _, y in self.quad]
        return Box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))


@dataclass(frozen=True, slots=True)
class Character:
    """One character of a line that was read."""

    start: float  # along the line: 0 at the crop's left end, 1 at its right end
    end: float  # in the same unit
    probability: float


class RecognisedWord(NamedTuple):
    """A word of a recognised line."""

    text: str
    start: float  # along the line, 0..1
    end: float
    confidence: float  # how likely all of it is right, 0..1


@dataclass(frozen=True, slots=True)
class RecognisedLine:
    """What a line recogniser read in one crop."""

    text: str
    characters: tuple[Character, ...]  # one for each character of the text
    confidence: float  # how likely all of it is right, 0..1; 0 for a script that the recogniser cannot read

    @property
    def words(self) -> list[RecognisedWord]:
        """The line divided at its spaces. A word's confidence is the product of its characters' probabilities, which
        are calibrated for that."""
        words, start = [], 0
        for text in self.text.split(" "):
            characters = self.characters[start : start + len(text)]
            start += len(text) + 1
            if not characters:
                continue
            confidence = 1.0
            for character in characters:
                confidence *= character.probability
            words.append(RecognisedWord(text, characters[0].start, characters[-1].end, confidence))
        return words


class PageLine(NamedTuple):
    """A line of a page: where it is, and what it says."""

    region: Region
    recognised: RecognisedLine  # whose characters are positioned along the region


@dataclass(frozen=True, slots=True)
class Screenshot:
    """A rendered page: its pixels and the truth about them."""

    png: bytes
    width: int  # of the picture, in pixels
    height: int
    root: Node  # the condensed tree
    source: str  # path or URL of the page
    title: str = ""  # of the document
    lost_parts: int = 0  # pictures, fonts, style sheets, scripts and frames that the page asked for and did not get
    marks: tuple[Mark, ...] = ()  # what is drawn beside the words


@dataclass(frozen=True, slots=True)
class DrawnBox:
    """A drawing instruction carried out at load time."""

    box: Box
    # region: a blue outline; mask: an opaque box over text; label: a white box with `text` instead of what stood there
    kind: BoxKind
    text: str = ""  # of a label


@dataclass(frozen=True, slots=True)
class Example:
    """A picture with what is to be said about it; one row of a shard."""

    id: str
    image: bytes  # PNG, JPEG or lossless WebP
    targets: tuple[str, ...]  # all acceptable answers
    prompt: str = ""  # rendered as a header when the example is loaded
    boxes: tuple[DrawnBox, ...] = ()  # drawn when the example is loaded
    group_id: str = ""  # the same for examples that belong together, as the candidates of a choice
    source: str = ""  # URL or path that the picture comes from
    meta: Mapping[str, Any] = field(default_factory=dict)  # further facts; what JSON can hold


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One question about one picture."""

    image: Image.Image
    prompt: str = ""  # the question; empty where the picture is read without one
    region: Box | None = None  # the part of the picture that is asked about, inside of it
    marks: tuple[DrawnBox, ...] = ()  # drawn on the picture


@dataclass(frozen=True, slots=True)
class Answer:
    """The output of one pass of a model."""

    text: str
    log_probs: tuple[float, ...]  # of each token, natural, the end included where it was reached
    # Start and end of the characters that each token but the end spelled; empty where bytes of no character leave it
    # open.
    spans: tuple[tuple[int, int], ...] = ()
    ended: bool = True  # whether the end was reached before the longest output

    @property
    def log_prob(self) -> float:
        """The mean of a token."""
        return sum(self.log_probs) / len(self.log_probs) if self.log_probs else 0.0

    @property
    def confidence(self) -> float:
        """The geometric mean of the probabilities of its tokens."""
        return math.exp(self.log_prob)


@dataclass(frozen=True, slots=True)
class UnsureWord:
    """A word that was read and left out."""

    text: str
    box: Box
    confidence: float  # 0..1


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader found."""

    text: str  # the output
    tree: Node  # of the output
    score: float  # mean log-probability of its tokens
    width: int  # of the picture, in pixels
    height: int
    seconds: float  # of reading
    boxes: tuple[Box, ...] = ()  # regions that were read, in reading order; empty for one pass over the whole picture
    log_prob: float | None = None  # sum of the log-probabilities, that of the end included where it was reached
    ended: bool = True  # whether the end was reached, in all regions; else the output was cut at `max_new_tokens`
    left_out: tuple[UnsureWord, ...] = ()  # words of a page that are less sure than asked, and so not in the tree
