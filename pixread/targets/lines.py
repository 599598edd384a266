"""The `lines` target: every visible text line of a page, one a line, in document order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pixread.grammar import clean_text
from pixread.records import Box, Example, Node, Screenshot, Word
from pixread.targets.cutout import cut, is_inside

# Words of two leaves with a smaller gap (in line heights) belong together: a link and the comma behind it.
_GLUED_GAP = 0.12


@dataclass(frozen=True, kw_only=True)
class LinesSettings:
    """How the example of a page is made."""

    max_height: int | None = None
    """Height in pixels at which the picture is cut off; only words fully above count. None keeps the page whole."""

    def __post_init__(self) -> None:
        if self.max_height is not None and self.max_height < 1:
            raise ValueError(f"max_height must be at least 1 pixel, got {self.max_height}")


@dataclass(frozen=True, slots=True)
class TextLine:
    """Words on one visual line, from left to right as the document has them.

    `blanks` tells for each word whether a blank stands before it (never before the first).
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

    def part(self, start: int, stop: int) -> TextLine:
        """The line from word `start` up to before word `stop`."""
        return TextLine(self.words[start:stop], (False, *self.blanks[start + 1 : stop]))


def examples(screenshot: Screenshot, *, settings: LinesSettings, seed: int) -> list[Example]:
    """One example, or none for a page without text. `meta["lines"]` has the box [x, y, width, height] of each line."""
    height = min(screenshot.height, settings.max_height or screenshot.height)
    page = Box(0, 0, screenshot.width, height)
    found = text_lines(screenshot.root, within=page)
    if not found:
        return []
    whole = height == screenshot.height
    image = screenshot.png if whole else cut(screenshot, page)
    return [
        Example(
            id=f"{screenshot.source}#lines-{seed}",
            image=image,
            targets=("\n".join(line.text for line in found),),
            group_id=screenshot.source,
            source=screenshot.source,
            meta={
                "size": [screenshot.width, height],
                "seed": seed,
                "words": sum(len(line.words) for line in found),
                "lines": [[round(side, 1) for side in line.box.as_list()] for line in found],
            },
        )
    ]


def text_lines(root: Node, *, within: Box | None = None) -> list[TextLine]:
    """The visual lines in document order; of the words that lie fully `within` a box, if one is given."""
    words: dict[int, list[Word]] = {}
    blanks: dict[int, list[bool]] = {}
    last_leaf: dict[int, int] = {}
    for number, leaf in enumerate(node for node in root.walk() if node.is_text):
        for word, is_glued in _words_of(leaf):
            if within is not None and not is_inside(word.box, within):
                continue
            line = words.setdefault(word.line, [])
            if line and last_leaf[word.line] != number:
                is_glued = _gap(line[-1].box, word.box) < _GLUED_GAP * min(line[-1].box.height, word.box.height)
            blanks.setdefault(word.line, []).append(bool(line) and not is_glued)
            line.append(word)
            last_leaf[word.line] = number
    lines = (TextLine(tuple(words[line]), tuple(blanks[line])) for line in words)
    return [line for line in lines if line.text]


def _words_of(leaf: Node) -> Iterator[tuple[Word, bool]]:
    """The words of a leaf, each with whether it follows the one before without a blank (as in Chinese text)."""
    text, end = leaf.text or "", 0
    for word in leaf.words:
        start = text.find(word.text, end)
        yield word, start == end > 0
        end = end if start < 0 else start + len(word.text)


def _gap(left: Box, right: Box) -> float:
    """Pixels between two boxes of a line, whichever comes first (right-to-left scripts); negative if they overlap."""
    return max(right.x - left.right, left.x - right.right)
