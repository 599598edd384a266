"""The recipes of what reads pages line by line: the detector that finds lines, the recogniser that reads them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pixread.settings import with_fields

STRIDE = 32  # pixels of a crop to one of the detector's coarsest features


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRecipe:
    """Everything that decides a training of the detector or the recogniser; `train.json` in its folder records it."""

    init: str | None = None  # "shipped", a weights file or the folder of a run; None draws weights anew
    # what it is trained on
    crop: int = 384  # pixels: side of the detector's square crops of pages
    detector: str | None = "shipped"  # whose boxes the recogniser's lines are cut in, as `init`; None for true boxes
    scripts: str = "latin,cyrillic,greek,devanagari"  # that the recogniser reads
    drawn_share: float = 0.15  # of examples that are drawn instead of cut from pages
    # how
    steps: int = 3000
    batch_size: int = 8  # examples of a batch; of the recogniser's the most
    batch_width: int = 12_000  # pixels: width of all lines of the recogniser's batch together, padding included
    learning_rate: float = 2.5e-3
    warmup_steps: int = 150
    weight_decay: float = 0.02
    beta2: float = 0.98  # of AdamW
    clip: float = 5.0  # largest gradient norm; 0 for any
    average_decay: float = 0.998  # of the exponential moving average of the weights, which is scored and saved
    precision: str = "auto"  # auto, float32, bfloat16
    seed: int = 0
    workers: int = 1  # processes that make data: 1, or 0 for none beside the training itself
    threads: int = 1  # processor threads of the network; 0 leaves it to torch
    # what is written
    log_every: int = 50
    save_every: int = 500
    evaluate_every: int = 500
    evaluate_examples: int = 256  # held-out crops or lines to score; 0 for no score

    def __post_init__(self) -> None:
        self._check_ranges()
        if not 0 <= self.drawn_share <= 1:
            raise ValueError(f"drawn_share must lie between 0 and 1, got {self.drawn_share}")
        if self.workers not in (0, 1):
            raise ValueError(f"workers must be 0 or 1, got {self.workers}")
        if self.crop % STRIDE:
            raise ValueError(f"crop must be a multiple of {STRIDE}, got {self.crop}")
        if self.precision not in ("auto", "float32", "bfloat16"):
            raise ValueError(f"precision must be auto, float32 or bfloat16, got {self.precision!r}")

    def _check_ranges(self) -> None:
        for name in ("crop", "steps", "batch_size", "batch_width", "log_every", "save_every", "evaluate_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("warmup_steps", "threads", "evaluate_examples"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")
        for name in ("learning_rate", "weight_decay", "clip"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be a finite number of at least 0, got {getattr(self, name)}")
        for name in ("beta2", "average_decay"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 0 and below 1, got {getattr(self, name)}")


def line_detector() -> LineRecipe:
    """96,000 crops of pages: less than two hours on two cores that do nothing else."""
    return LineRecipe(steps=12_000, average_decay=0.999)


def line_recogniser() -> LineRecipe:
    """About 800,000 lines, of which more than half are cut from pages: two and a half hours on two such cores."""
    return LineRecipe(
        drawn_share=0.45,
        steps=14_000,
        batch_size=64,
        learning_rate=1.4e-3,
        warmup_steps=100,
        weight_decay=0.01,
        clip=2.0,
        average_decay=0.999,
    )


LINE_RECIPES: dict[str, Callable[[], LineRecipe]] = {
    "line-detector": line_detector,
    "line-recogniser": line_recogniser,
}


def make_line_recipe(name: str, overrides: Mapping[str, object]) -> LineRecipe:
    """The named recipe with `--set name=value` fields replaced. Raises ValueError."""
    return with_fields(LINE_RECIPES[name](), overrides, what=f"the recipe {name}")
