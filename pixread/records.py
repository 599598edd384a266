"""The frozen records through which all rooms of the house meet.

Nothing here opens a file, draws a pixel or imports a heavy library: torch tensors appear only as annotations.
Every picture coordinate is in pixels, x to the right and y down, origin at the top left of the picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import torch

BoxKind = Literal["region", "mask", "label"]
MarkKind = Literal["picture", "icon", "control", "edge", "unread"]
RegionKind = Literal["line", "picture", "icon", "control"]
Corner = tuple[float, float]
LINE_ASCENT, LINE_DESCENT = 0.90, 0.27
"""A line's box reaches so far above and below its baseline, in font sizes: room for the accents of capitals in
Vietnamese and for the signs of Devanagari."""
CROP_MARGIN, END_MARGIN = 0.04, 0.12
"""Font sizes that the crop of a line reaches beyond its box above and below, and beyond its ends."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels: its top left corner and its size (never negative)."""

    x: float
    y: float
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
    """How a word is drawn.

    size: of its font, in pixels. angle: of its direction, in radians, clockwise from left to right. baseline: y of the
    line its letters stand on, None where the text is turned or runs from top to bottom.
    """

    size: float
    baseline: float | None
    angle: float = 0.0
    bold: bool = False
    italic: bool = False
    mono: bool = False
    link: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """One visible word of a page: its text, its box, and the number of the visual line it stands on.

    `line` counts the visual lines of the page in document order; words of one line may belong to several nodes
    (a link inside a sentence), and a node's words may spread over several lines (a paragraph). `lettering` is known of
    words of rendered pages.
    """

    text: str
    box: Box
    line: int
    lettering: Lettering | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a page or of a reading: a text leaf, an image leaf, or an inner node with children.

    A text leaf has `text`; an image leaf has `image` (file name without folder and extension) or `alt` or both;
    an inner node has `children`. `words` belongs to text leaves of rendered pages, `confidence` (0..1) to readings.
    """

    text: str | None = None
    image: str | None = None
    alt: str | None = None
    children: tuple[Node, ...] = ()
    box: Box | None = None
    words: tuple[Word, ...] = ()
    confidence: float | None = None

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
    """Something drawn on a page that is no word of its tree.

    picture: also backgrounds and drawings; icon: a small picture or a glyph of an icon font; control: a field, button,
    check box, list; edge: a rule, or a side of a box with a border or a ground of its own (a thin box); unread: what
    may look like text and is not in the tree (cut off, covered, faint).
    """

    kind: MarkKind
    box: Box


@dataclass(frozen=True, slots=True)
class Region:
    """What a layout detector found on a picture.

    quad: corners in pixels, top left, top right, bottom right, bottom left of the text as it is read; of a line from
    LINE_ASCENT above its baseline to LINE_DESCENT below it. score: 0 to 1. height, angle: of lines, the size of their
    font in pixels, and their direction in radians, clockwise from left to right.
    """

    quad: tuple[Corner, Corner, Corner, Corner]
    kind: RegionKind
    score: float
    height: float = 0.0
    angle: float = 0.0

    @property
    def box(self) -> Box:
        """The smallest upright box that holds the corners."""
        xs, ys = [x for x, _ in self.quad], [y for _, y in self.quad]
        return Box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))


@dataclass(frozen=True, slots=True)
class Character:
    """One character of a line that was read: where it stands along the line, 0 at the crop's left end, 1 at its right
    end, and its probability."""

    start: float
    end: float
    probability: float


@dataclass(frozen=True, slots=True)
class RecognisedLine:
    """What a line recogniser read in one crop: its text, one `Character` for each character of it, and how likely it
    is that all of it is right (0 to 1; 0 for a script that the recogniser cannot read)."""

    text: str
    characters: tuple[Character, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class Screenshot:
    """A rendered page: its pixels as PNG bytes and the truth about them as a condensed tree.

    `lost_parts` counts what the page asked for (pictures, fonts, style sheets, scripts, frames) and did not get.
    `marks`: what is drawn beside the words.
    """

    png: bytes
    width: int
    height: int
    root: Node
    source: str
    title: str = ""
    lost_parts: int = 0
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class DrawnBox:
    """A drawing instruction carried out at load time.

    A blue outline round a region, an opaque mask over text, or a white label with `text` in place of what stood there.
    """

    box: Box
    kind: BoxKind
    text: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """A picture with what is to be said about it; one row of a shard.

    `image` holds PNG, JPEG or lossless WebP bytes; `prompt` is rendered as a header, and `boxes` are drawn, when the
    example is loaded; `targets` are all acceptable answers.
    """

    id: str
    image: bytes
    targets: tuple[str, ...]
    prompt: str = ""
    boxes: tuple[DrawnBox, ...] = ()
    group_id: str = ""
    source: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Patches:
    """One picture as patches. pixels: (N, 768) float32; rows, cols: (N,) int64, counted from 1 (0 is padding)."""

    pixels: torch.Tensor
    rows: torch.Tensor
    cols: torch.Tensor

    def __len__(self) -> int:
        return int(self.rows.shape[0])


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded patches and target ids. pixels: (B, N, 768) float32; rows, cols: (B, N) int64, 0 is padding.

    `labels` is (B, T) int64, ended by eos and padded with the pad id 0, or None when there is nothing to learn from.
    """

    pixels: torch.Tensor
    rows: torch.Tensor
    cols: torch.Tensor
    labels: torch.Tensor | None = None

    def __len__(self) -> int:
        return int(self.rows.shape[0])

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        labels = None if self.labels is None else self.labels.to(device)
        return Batch(self.pixels.to(device), self.rows.to(device), self.cols.to(device), labels)


@dataclass(frozen=True, slots=True)
class Memory:
    """What the decoder reads: the cross-attention keys and values of every decoder layer, computed once a picture.

    keys, values: one (B, H, N, D) tensor a layer; mask: (B, 1, 1, N) bool, True where a patch is real.
    rows: int64, the numbers of those rows that are still written from, None for all; only steps that read rows by
    number may meet others.
    """

    keys: tuple[torch.Tensor, ...]
    values: tuple[torch.Tensor, ...]
    mask: torch.Tensor
    rows: torch.Tensor | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader found: the output text, its tree, and the mean log-probability of its tokens.

    `boxes` are the regions that were read, in reading order (empty for a single pass over the whole picture).
    `log_prob` is the sum of the log-probabilities, that of the end included where it was reached. `ended` says whether
    it was, in all regions: if not, the output was cut at its longest (`max_new_tokens`).
    """

    text: str
    tree: Node
    score: float
    width: int
    height: int
    seconds: float
    boxes: tuple[Box, ...] = ()
    log_prob: float | None = None
    ended: bool = True
