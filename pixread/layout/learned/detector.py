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
    load_weights,
)
from pixread.layout.learned.refinement import BackgroundLogits, regularise_slopes
from pixread.layout.learned.scales import (
    ScaledView,
    Tile,
    add_large_lines,
    base_view,
    coarse_view,
    fine_views,
    is_candidate,
    is_confident,
    is_small,
    merge_fine_lines,
)
from pixread.nn.conv_network import fuse_batch_norm
from pixread.records import Box, Region, RegionKind

Precision = Literal["auto", "float32", "bfloat16"]

REGION_KINDS: tuple[RegionKind, ...] = ("picture", "icon", "control")
MIN_FONT_SIZE = 4.5  # px of a picture, font size below which nobody reads letters: specks have such
MAX_REFINEMENTS = 2  # of a view: from a reduced picture to the picture, from there to the picture enlarged
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
        self.network = fuse_batch_norm(network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        supports_bfloat16 = precision == "auto" and torch.ops.mkldnn._is_mkldnn_bf16_supported()
        self._bfloat16 = supports_bfloat16 or precision == "bfloat16"

    @classmethod
    def load(cls, path: Path | None = None, *, precision: Precision = "auto") -> LearnedDetector:
        """The detector of a weights file, or the shipped one. Raises ValueError for other files."""
        return cls(load_weights(path), precision=precision)

    def detect(self, images: Sequence[Image.Image]) -> list[list[Region]]:
        return [self._detect(image if image.mode == "RGB" else image.convert("RGB")) for image in images]

    def maps(self, image: Image.Image, *, scale: float = 1.0) -> PageMaps:
        """The network's maps of a whole picture at a scale."""
        image = image.convert("RGB")
        view = ScaledView.at(Box(0, 0, image.width, image.height), scale)
        half = -(-view.height // CORE_STRIDE), -(-view.width // CORE_STRIDE)
        quarter = -(-view.height // HEAD_STRIDE), -(-view.width // HEAD_STRIDE)
        geometry, kinds, styles = (np.zeros((count, *quarter), np.float16) for count in (4, len(KINDS), len(STYLES)))
        page = PageMaps(np.zeros(half, np.float16), geometry, kinds, styles, view.scale)
        for tile, core, others in self._tile_maps(image, view):
            _paste(page.core[None], core[None], tile, CORE_STRIDE)
            for target, part in zip((geometry, kinds, styles), others, strict=True):
                _paste(target, part, tile, HEAD_STRIDE)
        return page

    def _detect(self, image: Image.Image) -> list[Region]:
        base = base_view(image)
        lines, others = self._detect_refined(image, base, depth=MAX_REFINEMENTS)
        if coarse := coarse_view(base):
            large, _ = self._detect_in_view(image, coarse)
            lines = add_large_lines(lines, large.take(is_confident(large)), base)
        lines = regularise_slopes(lines.take(lines.height > MIN_FONT_SIZE), width=image.width, height=image.height)
        return [*lines.regions(), *others]

    def _detect_refined(self, image: Image.Image, view: ScaledView, *, depth: int) -> tuple[Lines, list[Region]]:
        """As `_detect_in_view`, with fine views of the parts for which this view's scale is too small."""
        lines, others = self._detect_in_view(image, view)
        lines = lines.take(is_confident(lines) | is_small(lines, view))
        for fine in fine_views(image, view, lines) if depth else ():
            lines = merge_fine_lines(lines, self._detect_refined(image, fine, depth=depth - 1)[0], view, fine)
        return lines.take(is_confident(lines)), others

    def _detect_in_view(self, image: Image.Image, view: ScaledView) -> tuple[Lines, list[Region]]:
        """The lines and other regions of one view, in the picture's pixels."""
        shape = -(-view.height // CORE_STRIDE), -(-view.width // CORE_STRIDE)
        quarter = -(-view.height // HEAD_STRIDE), -(-view.width // HEAD_STRIDE)
        votes, kinds = [], np.zeros((len(REGION_KINDS), *quarter), np.float16)
        background = BackgroundLogits.empty(shape)
        for tile, core, (geometry, kind, _) in self._tile_maps(image, view):
            left, top, _, _ = tile.own
            votes.append((top // CORE_STRIDE, left // CORE_STRIDE, Votes.from_maps(core, geometry)))
            background.add(core, top=top // CORE_STRIDE, left=left // CORE_STRIDE)
            _paste(kinds, kind[: len(REGION_KINDS)], tile, HEAD_STRIDE)
        lines = background.rescore(decode_lines(Votes.merged(shape, votes))) if votes else NO_LINES
        lines = lines.moved(view.scale, (view.box.x, view.box.y))
        return lines.take(is_candidate(lines)), _kind_regions(kinds, view)

    @torch.inference_mode()
    def _tile_maps(
        self, image: Image.Image, view: ScaledView
    ) -> Iterator[tuple[Tile, NDArray[np.float32], list[NDArray[np.float32]]]]:
        """Each tile with the maps of its own part: core probabilities, and [geometry, kinds, styles]."""
        for tile in view.tiles():
            width, height = tile.right - tile.left, tile.bottom - tile.top
            scaled = _resized(image, view.source(tile), (width, height))
            padding = ((0, -height % STRIDE), (0, -width % STRIDE), (0, 0))
            pixels = torch.from_numpy(np.pad(scaled, padding, mode="edge"))
            pictures = pixels.permute(2, 0, 1)[None].float().div_(255)
            with torch.autocast("cpu", torch.bfloat16, enabled=self._bfloat16):
                maps = self.network(pictures)
            core, kinds, styles = (values[0].float().sigmoid() for values in (maps.core, maps.kinds, maps.styles))
            others = [_crop_to_own(values, tile, HEAD_STRIDE) for values in (maps.geometry[0].float(), kinds, styles)]
            yield tile, _crop_to_own(core, tile, CORE_STRIDE)[0], others


def _resized(image: Image.Image, box: tuple[float, float, float, float], size: tuple[int, int]) -> NDArray[np.uint8]:
    if box == (0, 0, *image.size) == (0, 0, *size):
        return np.array(image)
    enlarged = size[0] > box[2] - box[0]
    # A mean over areas keeps thin strokes that interpolation between four pixels would jump over.
    resampling = Image.Resampling.BICUBIC if enlarged else Image.Resampling.BOX
    return np.array(image.resize(size, resampling, box=box))


def _crop_to_own(values: torch.Tensor, tile: Tile, stride: int) -> NDArray[np.float32]:
    """The part of a tile's maps (C, h, w) that is its own."""
    left, top, right, bottom = tile.own
    rows = slice((top - tile.top) // stride, -(-(bottom - tile.top) // stride))
    columns = slice((left - tile.left) // stride, -(-(right - tile.left) // stride))
    return np.asarray(values[:, rows, columns].numpy())


def _paste(target: NDArray[np.float16], part: NDArray[np.float32], tile: Tile, stride: int) -> None:
    left, top = tile.own[0] // stride, tile.own[1] // stride
    target[:, top : top + part.shape[1], left : left + part.shape[2]] = part


def _kind_regions(kinds: NDArray[np.float16], view: ScaledView) -> list[Region]:
    """kinds: (`REGION_KINDS`, H/4, W/4) probabilities."""
    regions = []
    scale_x, scale_y = view.scale
    for kind, probability in zip(REGION_KINDS, kinds, strict=True):
        for left, top, right, bottom in components(probability > KIND_PROBABILITY).corners():
            score = float(probability[top:bottom, left:right].mean(dtype=np.float32))
            x, y = (max(0.0, HEAD_STRIDE * start - KIND_INSET) for start in (left, top))
            end_x = min(HEAD_STRIDE * right + KIND_INSET, view.width) / scale_x
            end_y = min(HEAD_STRIDE * bottom + KIND_INSET, view.height) / scale_y
            x, y = view.box.x + x / scale_x, view.box.y + y / scale_y
            end_x, end_y = view.box.x + end_x, view.box.y + end_y
            regions.append(Region(((x, y), (end_x, y), (end_x, end_y), (x, end_y)), kind, score))
    return regions
