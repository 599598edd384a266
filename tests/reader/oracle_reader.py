"""An oracle: a detector and a recogniser that return the truth of a render."""

import io
import math
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from PIL import Image

from pixread.layout.line_crops import add_crop_margins
from pixread.recognition.recogniser import Progress
from pixread.records import Box, Character, Corner, Node, RecognisedLine, Region, Screenshot
from pixread.visual_lines import TextLine, text_lines

EM = 1.17  # font sizes: the height of a line's box


@dataclass(frozen=True)
class TrueRegion:
    """A region and its text, whose characters are positioned along it; None of a picture."""

    region: Region
    line: RecognisedLine | None = None

    def rotated(self, angle: float, size: tuple[int, int], new_size: tuple[int, int]) -> "TrueRegion":
        """The same in the picture rotated by this angle about its centre, clockwise."""
        cosine, sine = math.cos(angle), math.sin(angle)

        def rotate(corner: Corner) -> Corner:
            x, y = corner[0] - size[0] / 2, corner[1] - size[1] / 2
            return x * cosine - y * sine + new_size[0] / 2, x * sine + y * cosine + new_size[1] / 2

        first, second, third, fourth = map(rotate, self.region.quad)
        region = replace(self.region, quad=(first, second, third, fourth), angle=self.region.angle + angle)
        return replace(self, region=region)


def true_regions(shot: Screenshot) -> list[TrueRegion]:
    """The lines and pictures of a page, in random order."""
    pictures = [TrueRegion(region("picture", node.box)) for node in shot.root.walk() if node.is_image and node.box]
    regions = [true_line(line) for line in text_lines(shot.root)] + pictures
    random.Random(3).shuffle(regions)
    return regions


def region(kind: str, box: Box, *, height: float = 0.0) -> Region:
    return Region(box.corners, kind, 1.0, height)  # type: ignore[arg-type]


def true_line(line: TextLine) -> TrueRegion:
    """The words of a line in their boxes, the letters of each equally wide."""
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
    return TrueRegion(region("line", box, height=box.height / EM), RecognisedLine(text, tuple(characters), 1.0))


class OracleReader:
    """Detector and recogniser in one. Crops that do not follow a detection, as of reversed lines, have no text.

    unsure: the probability of each character of these words. upright: the regions of the page rotated upright.
    """

    def __init__(
        self,
        regions: Sequence[TrueRegion],
        *,
        unsure: dict[str, float] | None = None,
        upright: Sequence[TrueRegion] = (),
    ) -> None:
        self.regions, self.unsure, self.upright = regions, unsure or {}, upright
        self.pending: list[TrueRegion] = []
        self.sizes: list[tuple[int, int]] = []

    def detect(self, images: Sequence[Image.Image]) -> list[list[Region]]:
        if self.sizes and self.upright:
            self.regions = self.upright
        self.sizes = [image.size for image in images]
        self.pending = [true for _ in images for true in self.regions if true.line is not None]
        return [[true.region for true in self.regions] for _ in images]

    def recognise(
        self, crops: Sequence[Image.Image], *, progress: Progress | None = None, without: Collection[str] = ()
    ) -> list[RecognisedLine]:
        if not self.pending:  # reversed lines
            return [RecognisedLine("", (), 0.0) for _ in crops]
        lines = [self._recognise(true, crop) for true, crop in zip(self.pending, crops, strict=True)]
        self.pending = []
        if progress is not None:
            progress(len(crops), len(crops))
        return lines

    def _recognise(self, true: TrueRegion, crop: Image.Image) -> RecognisedLine:
        assert true.line is not None
        whole, inner = add_crop_margins(true.region).quad, true.region.quad
        long, short = math.dist(whole[0], whole[1]), math.dist(inner[0], inner[1])
        assert abs(crop.width - long) <= 2, "the crop is the line with its margins"
        margin = (long - short) / 2
        characters = [
            Character((margin + short * at.start) / long, (margin + short * at.end) / long, at.probability)
            for at in true.line.characters
        ]
        for word, probability in self.unsure.items():
            start = true.line.text.find(word)
            for at in range(start, start + len(word)) if start >= 0 else ():
                characters[at] = replace(characters[at], probability=probability)
        return replace(true.line, characters=tuple(characters))


def picture_of(shot: Screenshot) -> Image.Image:
    return Image.open(io.BytesIO(shot.png)).convert("RGB")


def leaves(node: Node) -> list[str]:
    return [leaf.text or "[picture]" for leaf in node.walk() if not leaf.children]
