"""The learned layout detector: pictures -> lines, pictures, icons and controls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pixread.images.components import components
from pixread.layout.learned.decode import NO_LINES, Lines, Votes, decode_lines
from pixread.layout.learned.network import (
    CORE_STRIDE,
    HEAD_STRIDE,
    KINDS,
    STRIDE,
    STYLES,
    DetectorNetwork,
    fuse_batch_norm,
)
from pixread.layout.learned.scales import (
    coarser_look,
    finer_looks,
    first_look,
    is_small,
    is_sure,
    is_trace,
    merged,
    with_large,
)
from pixread.layout.learned.steady import steady_lines
from pixread.layout.learned.surroundings import Surroundings
from pixread.layout.learned.tiles import Look, Tile
from pixread.layout.learned.weights import load_weights
from pixread.records import Box, Region, RegionKind

Precision = Literal["auto", "float32", "bfloat16"]

FOUND_KINDS: tuple[RegionKind, ...] = ("picture", "icon", "control")
LEAST_SIZE = 4.5  # px of a picture, font size below which nobody reads letters: specks have such
FINER_LOOKS = 2  # one upon the other: at a reduced picture, at the picture, at the picture enlarged
KIND_PROBABILITY = 0.5
KIND_INSET = 2.5  # px of the network's input that areas of kinds were pulled in by in training


@dataclass(frozen=True, slots=True, eq=False)
class PageMaps:
    """Probabilities and geometry of a whole picture, float16. core: (H/2, W/2); geometry: (4, H/4, W/4) as in
    `network.Maps`; kinds, styles: (4, H/4, W/4), of `KINDS` and `STYLES`. scale: that of H and W to the picture."""

    core: NDArray[np.float16]
    geometry: NDArray[np.float16]
    kinds: NDArray[np.float16]
    styles: NDArray[np.float16]
    scale: tuple[float, float]


class LearnedDetector:
    """A `LayoutDetector` by a learned network."""

    def __init__(self, network: DetectorNetwork, *, precision: Precision = "auto") -> None:
        """network: comes into eval mode, and its batch norms are folded into the convolutions."""
        self.network = fuse_batch_norm(network.eval()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        fast = precision == "auto" and torch.ops.mkldnn._is_mkldnn_bf16_supported()
        self._bfloat16 = fast or precision == "bfloat16"

    @classmethod
    def load(cls, path: Path | None = None, *, precision: Precision = "auto") -> LearnedDetector:
        """The detector of a weights file, or the shipped one. Raises ValueError for other files."""
        return cls(load_weights(path), precision=precision)

    def detect(self, images: Sequence[Image.Image]) -> list[list[Region]]:
        return [self._detect(image if image.mode == "RGB" else image.convert("RGB")) for image in images]

    def maps(self, image: Image.Image, *, scale: float = 1.0) -> PageMaps:
        """The network's maps of a whole picture at a scale."""
        image = image.convert("RGB")
        look = Look.at(Box(0, 0, image.width, image.height), scale)
        fine = -(-look.height // CORE_STRIDE), -(-look.width // CORE_STRIDE)
        coarse = -(-look.height // HEAD_STRIDE), -(-look.width // HEAD_STRIDE)
        geometry, kinds, styles = (np.zeros((count, *coarse), np.float16) for count in (4, len(KINDS), len(STYLES)))
        whole = PageMaps(np.zeros(fine, np.float16), geometry, kinds, styles, look.scale)
        for tile, core, others in self._seen(image, look):
            _place(whole.core[None], core[None], tile, CORE_STRIDE)
            for target, part in zip((geometry, kinds, styles), others, strict=True):
                _place(target, part, tile, HEAD_STRIDE)
        return whole

    def _detect(self, image: Image.Image) -> list[Region]:
        first = first_look(image)
        lines, others = self._refined(image, first, depth=FINER_LOOKS)
        if coarser := coarser_look(first):
            large, _ = self._look(image, coarser)
            lines = with_large(lines, large.take(is_sure(large)), first)
        lines = steady_lines(lines.take(lines.height > LEAST_SIZE), width=image.width, height=image.height)
        return [*lines.regions(), *others]

    def _refined(self, image: Image.Image, look: Look, *, depth: int) -> tuple[Lines, list[Region]]:
        """Like `_look`, with finer looks at the parts that it was too coarse for."""
        lines, others = self._look(image, look)
        lines = lines.take(is_sure(lines) | is_small(lines, look))
        for finer in finer_looks(image, look, lines) if depth else ():
            lines = merged(lines, self._refined(image, finer, depth=depth - 1)[0], look, finer)
        return lines.take(is_sure(lines)), others

    def _look(self, image: Image.Image, look: Look) -> tuple[Lines, list[Region]]:
        """Lines and other regions of one look, in the picture's pixels."""
        shape = -(-look.height // CORE_STRIDE), -(-look.width // CORE_STRIDE)
        coarse = -(-look.height // HEAD_STRIDE), -(-look.width // HEAD_STRIDE)
        votes, kinds = [], np.zeros((len(FOUND_KINDS), *coarse), np.float16)
        surroundings = Surroundings.empty(shape)
        for tile, core, (geometry, kind, _) in self._seen(image, look):
            left, top, _, _ = tile.own
            votes.append((top // CORE_STRIDE, left // CORE_STRIDE, Votes.from_maps(core, geometry)))
            surroundings.add(core, top=top // CORE_STRIDE, left=left // CORE_STRIDE)
            _place(kinds, kind[: len(FOUND_KINDS)], tile, HEAD_STRIDE)
        lines = surroundings.rescored(decode_lines(Votes.merged(shape, votes))) if votes else NO_LINES
        lines = lines.moved(look.scale, (look.box.x, look.box.y))
        return lines.take(is_trace(lines)), _kind_regions(kinds, look)

    @torch.inference_mode()
    def _seen(
        self, image: Image.Image, look: Look
    ) -> Iterator[tuple[Tile, NDArray[np.float32], list[NDArray[np.float32]]]]:
        """Each tile with its core probabilities, geometry, and probabilities of kinds and styles, of its own part."""
        for tile in look.tiles():
            width, height = tile.right - tile.left, tile.bottom - tile.top
            seen = _resized(image, look.source(tile), (width, height))
            padding = ((0, -height % STRIDE), (0, -width % STRIDE), (0, 0))
            pixels = torch.from_numpy(np.pad(seen, padding, mode="edge"))
            pictures = pixels.permute(2, 0, 1)[None].float().div_(255)
            with torch.autocast("cpu", torch.bfloat16, enabled=self._bfloat16):
                maps = self.network(pictures)
            core, kinds, styles = (values[0].float().sigmoid() for values in (maps.core, maps.kinds, maps.styles))
            others = [_own(values, tile, HEAD_STRIDE) for values in (maps.geometry[0].float(), kinds, styles)]
            yield tile, _own(core, tile, CORE_STRIDE)[0], others


def _resized(image: Image.Image, box: tuple[float, float, float, float], size: tuple[int, int]) -> NDArray[np.uint8]:
    if box == (0, 0, *image.size) == (0, 0, *size):
        return np.array(image)
    enlarged = size[0] > box[2] - box[0]
    # A mean over areas keeps thin strokes that interpolation between four pixels would jump over.
    resampling = Image.Resampling.BICUBIC if enlarged else Image.Resampling.BOX
    return np.array(image.resize(size, resampling, box=box))


def _own(values: torch.Tensor, tile: Tile, stride: int) -> NDArray[np.float32]:
    """The part of a tile's maps (C, h, w) that is its own."""
    left, top, right, bottom = tile.own
    rows = slice((top - tile.top) // stride, -(-(bottom - tile.top) // stride))
    columns = slice((left - tile.left) // stride, -(-(right - tile.left) // stride))
    return np.asarray(values[:, rows, columns].numpy())


def _place(whole: NDArray[np.float16], part: NDArray[np.float32], tile: Tile, stride: int) -> None:
    left, top = tile.own[0] // stride, tile.own[1] // stride
    whole[:, top : top + part.shape[1], left : left + part.shape[2]] = part


def _kind_regions(kinds: NDArray[np.float16], look: Look) -> list[Region]:
    """kinds: (`FOUND_KINDS`, H/4, W/4) probabilities."""
    found = []
    scale_x, scale_y = look.scale
    for kind, probability in zip(FOUND_KINDS, kinds, strict=True):
        for left, top, right, bottom in components(probability > KIND_PROBABILITY).corners():
            score = float(probability[top:bottom, left:right].mean(dtype=np.float32))
            x, y = (max(0.0, HEAD_STRIDE * start - KIND_INSET) for start in (left, top))
            end_x = min(HEAD_STRIDE * right + KIND_INSET, look.width) / scale_x
            end_y = min(HEAD_STRIDE * bottom + KIND_INSET, look.height) / scale_y
            x, y = look.box.x + x / scale_x, look.box.y + y / scale_y
            end_x, end_y = look.box.x + end_x, look.box.y + end_y
            found.append(Region(((x, y), (end_x, y), (end_x, end_y), (x, end_y)), kind, score))
    return found
