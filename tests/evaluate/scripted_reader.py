"""A reader that knows some of the truth, and examples whose pictures tell it which one they are."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from pixread.markup import parse
from pixread.records import Box, DrawnBox, Example, Node, Reading

REGION = Box(20, 10, 60, 30)


def picture(number: int, *, size: tuple[int, int] = (120, 80)) -> bytes:
    """A PNG whose first pixel carries the number of the example."""
    image = Image.new("RGB", size, "white")
    image.putpixel((0, 0), (number % 256, number // 256, 77))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def reading(text: str, tree: Node, image: Image.Image, *boxes: Box) -> Reading:
    return Reading(
        text=text, tree=tree, score=-0.5, width=image.width, height=image.height, seconds=0.01, boxes=tuple(boxes)
    )


@dataclass
class ScriptedReader:
    """Answers from a table: example number -> text. Keeps what it was asked."""

    answers: Mapping[int, str]
    name: str = "knowing"
    refuses: frozenset[int] = frozenset()
    regions: list[Box | None] = field(default_factory=list)
    images: list[Image.Image] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    asked: list[tuple[str, int | None]] = field(default_factory=list)

    def _answer(self, image: Image.Image) -> str:
        red, green, blue = image.tobytes()[:3]
        assert blue == 77, "not a picture of these tests"
        number = red + 256 * green
        if number in self.refuses:
            raise ValueError(f"picture {number} is refused")
        return self.answers[number]

    def read(
        self, images: list[Image.Image], question: list[str] | None = None, /, *, max_new_tokens: int | None = None
    ) -> list[Reading]:
        self.batches.append(len(images))
        self.asked.extend((text, max_new_tokens) for text in question or [])
        return [reading(text, parse(text), image) for image in images for text in [self._answer(image)]]

    def parse(self, images: list[Image.Image], /, *, region: list[Box] | None = None) -> list[Reading]:
        self.batches.append(len(images))
        self.images.extend(images)
        self.regions.extend(region or [None] * len(images))
        return [
            reading(text, parse(text), image, Box(0, 0, image.width, 40))
            for image in images
            for text in [self._answer(image)]
        ]


def make_example(number: int, *targets: str, masks: int | None = None, **fields: Any) -> Example:
    """Example `number`; with a region box and that many masks where `masks` is given."""
    boxes = [] if masks is None else [DrawnBox(REGION, "region")]
    boxes += [DrawnBox(Box(30, 15 + 8 * at, 20, 6), "mask") for at in range(masks or 0)]
    values = {"source": f"site{number % 2}/page{number}.html", "group_id": f"page{number}", "image": picture(number)}
    return Example(id=f"example-{number}", targets=targets, boxes=tuple(boxes), **{**values, **fields})
