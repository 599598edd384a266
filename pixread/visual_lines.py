"""The visual lines of a page's tree: its words as they stand beside each other, whatever texts they are part of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from pixread.markup import clean_text
from pixread.records import Box, Node, Word

# Words of two leaves with a smaller gap (in line heights) belong together: a link and the comma behind it.
_GLUED_GAP = 0.12


@dataclass(frozen=True, slots=True)
class TextLine:
    """Words on one visual line, from left to right as the document has them.

    `blanks` says for each word whether a blank stands before it (never before the first).
    """

    words: tuple[Word, ...]
    blanks: tuple[bool, ...]

    @property
    def text(self) -> str:
        pieces = (" " * blank + word.text for word, blank in zip(self.words, self.blanks, strict=True))
        return clean_text("".join(pieces))

    @property
    def box(self) -> Box:
        return Box.around([word.box for word in self.words])

    @property
    def unbroken(self) -> list[TextLine]:
        """What stands between its blanks: words without one between them are together."""
        starts = [0, *(at for at, blank in enumerate(self.blanks) if blank)]
        return [self.part(start, stop) for start, stop in zip(starts, [*starts[1:], len(self.words)], strict=True)]

    def part(self, start: int, stop: int) -> TextLine:
        """The line from word `start` up to before word `stop`."""
        return TextLine(self.words[start:stop], (False, *self.blanks[start + 1 : stop]))


class PlacedLine(NamedTuple):
    """A line with its box and those of its words: of what stands between blanks. None and none where not known."""

    text: str
    box: Box | None
    words: tuple[Box, ...] = ()


def text_lines(root: Node, *, within: Box | None = None) -> list[TextLine]:
    """The visual lines in document order; of the words that lie fully `within` a box, if one is given."""
    words: dict[int, list[Word]] = {}
    blanks: dict[int, list[bool]] = {}
    for word, is_glued in positioned_words(root, within=within):
        line = words.setdefault(word.line, [])
        blanks.setdefault(word.line, []).append(bool(line) and not is_glued)
        line.append(word)
    lines = (TextLine(tuple(words[line]), tuple(blanks[line])) for line in words)
    return [line for line in lines if line.text]


def placed_lines(node: Node, box: Box | None = None) -> list[PlacedLine]:
    """The visual lines of a tree whose leaves know their words, in its order.

    Of other trees the text leaves, each with its box, or that of the nearest node above that has one.
    """
    if any(leaf.words for leaf in node.walk()):
        return [PlacedLine(line.text, line.box, tuple(part.box for part in line.unbroken)) for line in text_lines(node)]
    box = node.box or box
    if node.text is not None:
        text = " ".join(node.text.split())
        return [PlacedLine(text, box)] if text else []
    return [line for child in node.children for line in placed_lines(child, box)]


def positioned_words(root: Node, *, within: Box | None = None) -> Iterator[tuple[Word, bool]]:
    """The words in document order, each with whether it follows the one before it on its line without a blank."""
    last: dict[int, tuple[int, Word]] = {}
    for number, leaf in enumerate(node for node in root.walk() if node.is_text):
        for word, is_glued in _words_of(leaf):
            if within is not None and not is_inside(word.box, within):
                continue
            if word.line in last and last[word.line][0] != number:
                is_glued = _touch(last[word.line][1].box, word.box)
            yield word, is_glued and word.line in last
            last[word.line] = number, word


def visible_part(node: Node, *, within: Box) -> Node | None:
    """What of a tree lies within a box, as condensed as a page's tree: None for nothing, an only child for its node.

    Of a text its words that lie fully within; of an image its box, cut, where at least a pixel of it is left.
    """
    if node.children:
        kept = tuple(part for child in node.children if (part := visible_part(child, within=within)) is not None)
        return replace(node, children=kept) if len(kept) > 1 else kept[0] if kept else None
    if node.is_text:
        words = [(word, is_glued) for word, is_glued in _words_of(node) if is_inside(word.box, within)]
        text = clean_text("".join((" " * (not is_glued)) + word.text for word, is_glued in words))
        return replace(node, text=text, words=tuple(word for word, _ in words)) if text else None
    box = node.box.intersect(within) if node.is_image and node.box else None
    return replace(node, box=box) if box is not None and min(box.width, box.height) >= 1 else None


def is_inside(box: Box, outer: Box, *, tolerance: float = 1.0) -> bool:
    """Whether the box lies in the outer one; text boxes may stick out by the rounding of the layout, in pixels."""
    return (
        box.x >= outer.x - tolerance
        and box.y >= outer.y - tolerance
        and box.right <= outer.right + tolerance
        and box.bottom <= outer.bottom + tolerance
    )


def _words_of(leaf: Node) -> Iterator[tuple[Word, bool]]:
    """The words of a leaf, each with whether it follows the one before without a blank (as in Chinese text)."""
    text, end = leaf.text or "", 0
    for word in leaf.words:
        start = text.find(word.text, end)
        yield word, start == end > 0
        end = end if start < 0 else start + len(word.text)


def _touch(a: Box, b: Box) -> bool:
    """Whether no blank stands between two boxes of a line, whichever comes first (right-to-left scripts); a line may
    also run up or down (turned pictures)."""
    across = max(b.x - a.right, a.x - b.right)
    along = max(b.y - a.bottom, a.y - b.bottom)
    if along > max(across, 0):
        return along < _GLUED_GAP * min(a.width, b.width)
    return across < _GLUED_GAP * min(a.height, b.height)
