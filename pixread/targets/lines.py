"""The `lines` target: every visible text line of a page, one a line, in document order."""

from __future__ import annotations

from dataclasses import dataclass

from pixread.markup import serialise
from pixread.records import Box, Example, Node, Screenshot
from pixread.targets.cutout import cut
from pixread.visual_lines import is_inside, text_lines, visible_part

_UNSCORED = ("picture", "unread")  # kinds of marks


@dataclass(frozen=True, kw_only=True)
class LinesSettings:
    """How the example of a page is made."""

    max_height: int | None = None
    """Height in pixels at which the picture is cut off; only words fully above count. None keeps the page whole."""

    def __post_init__(self) -> None:
        if self.max_height is not None and self.max_height < 1:
            raise ValueError(f"max_height must be at least 1 pixel, got {self.max_height}")


def examples(screenshot: Screenshot, *, settings: LinesSettings, seed: int) -> list[Example]:
    """One example, or none for a page without text.

    `meta["lines"]` has the box [x, y, width, height] of each line, `meta["pictures"]` that of each image leaf, cut at
    the edge of the picture; `meta["tree"]` is the simplified HTML of all that the picture shows. `meta["unscored"]` has
    the boxes in which words may be seen that the tree does not have: of pictures, backgrounds among them, and of words
    that are cut off (by `max_height` too), covered or faint.
    """
    height = min(screenshot.height, settings.max_height or screenshot.height)
    page = Box(0, 0, screenshot.width, height)
    lines = text_lines(screenshot.root, within=page)
    if not lines:
        return []
    visible = visible_part(screenshot.root, within=page) or Node()
    pictures = [node.box for node in visible.walk() if node.is_image and node.box is not None]
    is_whole = height == screenshot.height
    image = screenshot.png if is_whole else cut(screenshot, page)
    return [
        Example(
            id=f"{screenshot.source}#lines-{seed}",
            image=image,
            targets=("\n".join(line.text for line in lines),),
            group_id=screenshot.source,
            source=screenshot.source,
            meta={
                "size": [screenshot.width, height],
                "seed": seed,
                "words": sum(len(line.words) for line in lines),
                "lines": [_sides(line.box) for line in lines],
                "pictures": [_sides(box) for box in pictures],
                "unscored": [_sides(box) for box in _unscored(screenshot, within=page)],
                "tree": serialise(visible),
            },
        )
    ]


def _unscored(screenshot: Screenshot, *, within: Box) -> list[Box]:
    words = [word.box for node in screenshot.root.walk() for word in node.words if not is_inside(word.box, within)]
    marks = [mark.box for mark in screenshot.marks if mark.kind in _UNSCORED]
    parts = (box.intersect(within) for box in (*marks, *words))
    return [box for box in parts if box is not None]


def _sides(box: Box) -> list[float]:
    return [round(side, 1) for side in box.as_list()]
