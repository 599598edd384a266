"""A detector and a recogniser that know the page: what they say is the truth of a render."""

import io
import math
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from PIL import Image

from pixread.reader.line_crops import add_crop_margins
from pixread.recognition.recogniser import Progress
from pixread.records import Box, Character, Corner, Node, RecognisedLine, Region, Screenshot
from pixread.targets.lines import TextLine, text_lines

EM = 1.17  # font sizes: the height of a line's box


@dataclass(frozen=True)
class Told:
    """A region and, of a line, what it says, its characters' places along it."""

    region: Region
    read: RecognisedLine | None = None

    def turned(self, angle: float, size: tuple[int, int], new_size: tuple[int, int]) -> "Told":
        """The same in the picture turned by this angle about its middle, clockwise."""
        cosine, sine = math.cos(angle), math.sin(angle)

        def turn(corner: Corner) -> Corner:
            x, y = corner[0] - size[0] / 2, corner[1] - size[1] / 2
            return x * cosine - y * sine + new_size[0] / 2, x * sine + y * cosine + new_size[1] / 2

        first, second, third, fourth = map(turn, self.region.quad)
        region = replace(self.region, quad=(first, second, third, fourth), angle=self.region.angle + angle)
        return replace(self, region=region)


def told(shot: Screenshot) -> list[Told]:
    """The lines and pictures of a page, in no order."""
    pictures = [Told(region("picture", node.box)) for node in shot.root.walk() if node.is_image and node.box]
    found = [line_told(line) for line in text_lines(shot.root)] + pictures
    random.Random(3).shuffle(found)
    return found


def region(kind: str, box: Box, *, height: float = 0.0) -> Region:
    return Region(box.corners, kind, 1.0, height)  # type: ignore[arg-type]


def line_told(line: TextLine) -> Told:
    """The words of a line as they stand, the letters of each equally wide."""
    box = line.box
    text, characters = "", list[Character]()
    for word, blank in zip(line.words, line.blanks, strict=True):
        start = (word.box.x - box.x) / box.width
        step = word.box.width / box.width / len(word.text)
        if blank:
            text += " "
            characters.append(Character(start, start, 1.0))
        text += word.text
        characters += [Character(start + at * step, start + (at + 1) * step, 1.0) for at in range(len(word.text))]
    return Told(region("line", box, height=box.height / EM), RecognisedLine(text, tuple(characters), 1.0))


class Knows:
    """Detector and recogniser in one; of a picture that shows none of what it knows it says nothing.

    unsure: the probability of each character of these words. upright: what it knows of the page turned upright.
    """

    def __init__(
        self, found: Sequence[Told], *, unsure: dict[str, float] | None = None, upright: Sequence[Told] = ()
    ) -> None:
        self.told, self.unsure, self.upright = found, unsure or {}, upright
        self.asked: list[Told] = []
        self.sizes: list[tuple[int, int]] = []

    def detect(self, images: Sequence[Image.Image]) -> list[list[Region]]:
        if self.sizes and self.upright:
            self.told = self.upright
        self.sizes = [image.size for image in images]
        self.asked = [one for _ in images for one in self.told if one.read is not None]
        return [[one.region for one in self.told] for _ in images]

    def recognise(
        self, crops: Sequence[Image.Image], *, progress: Progress | None = None, without: Collection[str] = ()
    ) -> list[RecognisedLine]:
        if not self.asked:  # lines the other way up
            return [RecognisedLine("", (), 0.0) for _ in crops]
        found = [self._read(one, crop) for one, crop in zip(self.asked, crops, strict=True)]
        self.asked = []
        if progress is not None:
            progress(len(crops), len(crops))
        return found

    def _read(self, one: Told, crop: Image.Image) -> RecognisedLine:
        assert one.read is not None
        whole, inner = add_crop_margins(one.region).quad, one.region.quad
        long, short = math.dist(whole[0], whole[1]), math.dist(inner[0], inner[1])
        assert abs(crop.width - long) <= 2, "the crop is the line with its margins"
        margin = (long - short) / 2
        characters = [
            Character((margin + short * at.start) / long, (margin + short * at.end) / long, at.probability)
            for at in one.read.characters
        ]
        for word, probability in self.unsure.items():
            start = one.read.text.find(word)
            for at in range(start, start + len(word)) if start >= 0 else ():
                characters[at] = replace(characters[at], probability=probability)
        return replace(one.read, characters=tuple(characters))


def picture_of(shot: Screenshot) -> Image.Image:
    return Image.open(io.BytesIO(shot.png)).convert("RGB")


def leaves(node: Node) -> list[str]:
    return [leaf.text or "[picture]" for leaf in node.walk() if not leaf.children]
