"""How a Pix2Struct checkpoint turns pictures into patches, as one value that is saved with it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pixread.images.draw import draw_boxes
from pixread.images.header import add_header
from pixread.images.open import MAX_PIXELS
from pixread.models.family import Like
from pixread.models.pix2struct.batch import Patches
from pixread.models.pix2struct.patches import PATCH, to_patches
from pixread.records import DrawnBox

if TYPE_CHECKING:
    from PIL import Image

FILE = "preprocessor_config.json"
PROCESSOR_FILE = "processor_config.json"  # where newer versions of transformers keep the same settings
LARGEST_BUDGET = MAX_PIXELS // PATCH**2  # of the largest picture at its own scale
MAX_PATCHES = 2048  # of the paper's pretraining, and of `transformers` whatever a checkpoint says
LIKES = get_args(Like)
# What every checkpoint says; one that says otherwise was trained on other numbers than are made here.
FIXED: dict[str, Any] = {
    "do_convert_rgb": True,
    "do_normalize": True,
    "patch_size": {"height": PATCH, "width": PATCH},
}


def check_budget(max_patches: int) -> None:
    """Raises ValueError for more patches than the largest picture has."""
    if max_patches > LARGEST_BUDGET:
        raise ValueError(f"max_patches may be {LARGEST_BUDGET:,} at most, got {max_patches:,}")


@dataclass(frozen=True, slots=True)
class ImageProcessor:
    """How pictures become patches.

    max_patches: patch budget of a whole picture.
    is_vqa: whether the checkpoint was trained with questions as headers.
    like: "transformers" follows that library where it differs from the original; never saved.
    """

    max_patches: int = MAX_PATCHES
    is_vqa: bool = False
    like: Like = "original"

    def __post_init__(self) -> None:
        if isinstance(self.max_patches, bool) or not isinstance(self.max_patches, int) or self.max_patches < 1:
            raise ValueError(f"max_patches must be a whole number of at least 1, got {self.max_patches!r}")
        check_budget(self.max_patches)
        if not isinstance(self.is_vqa, bool):
            raise ValueError(f"is_vqa must be true or false, got {self.is_vqa!r}")
        if self.like not in LIKES:
            raise ValueError(f"like must be {' or '.join(LIKES)}, got {self.like!r}")

    def changed(
        self, *, max_patches: int | None = None, is_vqa: bool | None = None, like: Like = "original"
    ) -> ImageProcessor:
        """With what a user wants instead of what the checkpoint says; None keeps the latter.

        Like `transformers`, a budget that the checkpoint says is overridden by 2048.
        """
        theirs = like == "transformers"
        return ImageProcessor(
            max_patches=max_patches if max_patches is not None else MAX_PATCHES if theirs else self.max_patches,
            is_vqa=self.is_vqa if is_vqa is None else is_vqa,
            like=like,
        )

    def patches(
        self,
        image: Image.Image,
        *,
        question: str = "",
        boxes: Iterable[DrawnBox] = (),
        max_patches: int | None = None,
    ) -> Patches:
        """Boxes drawn, question rendered as a header, then cut into patches (N, 768).

        Like the original, a question may be left out or added whatever `is_vqa` says; like `transformers`, ValueError
        where it does not fit.
        """
        if self.like == "transformers":
            self._check_question(question)
        drawn = draw_boxes(image, boxes)
        limit = max_patches or self.max_patches
        check_budget(limit)
        return to_patches(add_header(drawn, question), max_patches=limit, like=self.like)

    def _check_question(self, question: str) -> None:
        if self.is_vqa and not question:
            raise ValueError("like transformers, a checkpoint with is_vqa true needs a question, got none")
        if question and not self.is_vqa:
            raise ValueError(
                "like transformers, a checkpoint with is_vqa false draws no question; load it with is_vqa=True, "
                "or like the original"
            )

    def to_json(self) -> dict[str, Any]:
        """The fields that `transformers` knows."""
        return {
            "image_processor_type": "Pix2StructImageProcessor",
            "processor_class": "Pix2StructProcessor",
            **FIXED,
            "is_vqa": self.is_vqa,
            "max_patches": self.max_patches,
        }

    @classmethod
    def load(cls, folder: str | Path) -> ImageProcessor:
        """The settings that a checkpoint folder holds, the paper's where it holds none.

        In `transformers`' order: the image processor in processor_config.json, else preprocessor_config.json. Raises
        ValueError, in one sentence, for a damaged file, for settings that are not Pix2Struct's, and for those of a
        line reader of former versions.
        """
        for path in (Path(folder, PROCESSOR_FILE), Path(folder, FILE)):
            if not path.is_file():
                continue
            raw = _read_object(path)
            settings = raw if path.name == FILE else raw.get("image_processor")
            if isinstance(settings, dict):
                return cls._from_json(settings, path)
        return cls()

    @classmethod
    def _from_json(cls, raw: dict[str, Any], path: Path) -> ImageProcessor:
        if raw.get("line_stretch") is not None:
            raise ValueError(
                f"{path} is of a reader of single lines (line_stretch), which pixread no longer reads with: pages are "
                "read by pixread.load() without a name"
            )
        for name, fixed in FIXED.items():
            if raw.get(name, fixed) not in (fixed, None):
                raise ValueError(f"{name} in {path} must be {json.dumps(fixed)}, got {json.dumps(raw[name])}")
        try:
            return cls(max_patches=raw.get("max_patches", MAX_PATCHES), is_vqa=raw.get("is_vqa", False))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error


def _read_object(path: Path) -> dict[str, Any]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(raw, dict):
        raise ValueError(f"{path} must hold a JSON object, got {type(raw).__name__}")
    return raw
