"""The whole way from a picture to patches, as one value that is saved with a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixread.inputs.draw import draw_boxes
from pixread.inputs.header import add_header
from pixread.inputs.patches import PATCH, line_budget, to_patches
from pixread.inputs.region import MARGIN, ink_map, trim
from pixread.records import DrawnBox, Patches

if TYPE_CHECKING:
    from PIL import Image

FILE = "preprocessor_config.json"


@dataclass(frozen=True, slots=True)
class Preprocess:
    """How pictures become patches.

    max_patches: patch budget of a whole picture.
    is_vqa: whether the checkpoint was trained with questions as headers.
    line_stretch: set for a checkpoint that reads single text lines: every picture is trimmed to its ink, turned dark on
        white (`region.ink_map`) and put on one row of patches, this much wider than its shape (`line_budget`); None
        for the rule of the paper.
    """

    max_patches: int = 2048
    is_vqa: bool = False
    line_stretch: float | None = None

    def patches(
        self,
        image: Image.Image,
        *,
        question: str = "",
        boxes: Iterable[DrawnBox] = (),
        max_patches: int | None = None,
        margin: int = MARGIN,
    ) -> Patches:
        """Boxes drawn, question rendered as a header, then cut into patches (N, 768).

        `margin` (pixels round the ink) matters to line readers only; training varies it.
        """
        drawn = draw_boxes(image, boxes)
        limit = max_patches or self.max_patches
        if self.line_stretch is not None and not question:
            line = ink_map(trim(drawn, margin=margin))
            budget = line_budget(line.width, line.height, stretch=self.line_stretch)
            return to_patches(line, max_patches=min(budget, limit))
        return to_patches(add_header(drawn, question), max_patches=limit)

    def to_json(self) -> dict[str, Any]:
        """The fields that `transformers` knows, and ours beside them (it ignores what it does not know)."""
        known = {
            "image_processor_type": "Pix2StructImageProcessor",
            "processor_class": "Pix2StructProcessor",
            "do_convert_rgb": True,
            "do_normalize": True,
            "is_vqa": self.is_vqa,
            "max_patches": self.max_patches,
            "patch_size": {"height": PATCH, "width": PATCH},
        }
        return known if self.line_stretch is None else {**known, "line_stretch": self.line_stretch}

    @classmethod
    def load(cls, folder: str | Path) -> Preprocess:
        """Reads preprocessor_config.json of a checkpoint folder. Raises ValueError in one sentence."""
        path = Path(folder) / FILE
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ValueError(f"cannot read {path}: {error.strerror or error}") from error
        except ValueError as error:
            raise ValueError(f"{path} is not valid JSON: {error}") from error
        if not isinstance(raw, dict):
            raise ValueError(f"{path} must hold a JSON object, got {type(raw).__name__}")
        return cls._from_json(raw, path)

    @classmethod
    def _from_json(cls, raw: dict[str, Any], path: Path) -> Preprocess:
        max_patches, stretch = raw.get("max_patches", 2048), raw.get("line_stretch")
        if not isinstance(max_patches, int) or max_patches < 1:
            raise ValueError(f"max_patches in {path} must be a whole number of at least 1, got {max_patches!r}")
        if stretch is not None and not (isinstance(stretch, int | float) and 1 <= stretch < 2):
            raise ValueError(f"line_stretch in {path} must be at least 1 and below 2, got {stretch!r}")
        return cls(max_patches=max_patches, is_vqa=bool(raw.get("is_vqa", False)), line_stretch=stretch)
