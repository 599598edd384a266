"""A run is a Python function that returns a frozen recipe; `--set name=value` replaces single fields of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from pixread.settings import with_fields
from pixread.train.lines.recipes import LINE_RECIPES

SCHEDULES = ("cosine", "linear", "constant")
MAX_SEED = 2**40  # seeds of steps are multiples of it, in 64 bits

ANY_TASK = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides a training run; `train.json` beside the checkpoints records it."""

    # what is trained
    size: str = "base"
    init: str | None = None  # folder of a checkpoint or a run, or Hub name; None draws weights anew
    vocab_size: int = 50244  # of a tokenizer made anew; ignored with `init`
    max_patches: int = 2048
    max_tokens: int = 128  # the longest target, its end included; 0: as long as the task's answers
    dropout: float = 0.0  # whatever the checkpoint says: released ones say up to 0.2, the reference tunes without
    lora_rank: int = 0  # adapters of this rank are trained instead of the weights (see train.lora); 0 for none
    lora_alpha: float = 32.0  # what adapters add is multiplied by this over their rank
    # what it is trained on
    task: str | None = None  # a prepared task (docs/tasks.md), or "any" for that of the shards; None for no task
    warmup_share: float = 0.0  # share of drawn text; the rest comes from the shards of --data
    warmup_chars: int = 128  # longest drawn text
    # how
    steps: int = 10_000
    batch_size: int = 32  # examples of one forward pass
    accumulate: int = 1  # forward passes of one step
    optimizer: str = "adafactor"
    learning_rate: float = 1e-2
    schedule: str = "cosine"
    warmup_steps: int = 1000
    weight_decay: float = 0.01  # of adamw and muon; adafactor has that of T5X
    clip: float = 1.0  # largest gradient norm; 0 for any
    z_loss: float = 1e-4
    precision: str = "auto"  # auto, float32, bfloat16
    recompute: bool = False  # gradient checkpointing: a third more time, a fraction of the memory
    seed: int = 0
    workers: int = 1
    threads: int = 0  # processor threads of the model; 0 leaves it to torch
    # what is written
    log_every: int = 50
    save_every: int = 1000
    evaluate_every: int = 1000
    evaluate_examples: int | None = 128  # held-out examples to score, spread evenly; none for all, 0 for no score
    best_part: str = ""  # the held-out part that chooses the best checkpoint; else the mean of all parts

    def __post_init__(self) -> None:
        self._check_ranges()
        if self.max_tokens < (self.task is None):
            raise ValueError(f"max_tokens must be at least 1, got {self.max_tokens}")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout must be at least 0 and below 1, got {self.dropout}")
        if self.lora_rank and (self.init is None or self.optimizer == "muon"):
            raise ValueError("adapters (lora_rank) need a checkpoint to start from (init) and adamw or adafactor")
        if not 0.0 <= self.warmup_share <= 1.0:
            raise ValueError(f"warmup_share must lie between 0 and 1, got {self.warmup_share}")
        if self.precision not in ("auto", "float32", "bfloat16"):
            raise ValueError(f"precision must be auto, float32 or bfloat16, got {self.precision!r}")
        if self.schedule not in SCHEDULES:
            raise ValueError(f"no schedule {self.schedule!r}; the schedules are {', '.join(SCHEDULES)}")
        if not 0 <= self.seed <= MAX_SEED:
            raise ValueError(f"seed must be a whole number from 0 to {MAX_SEED}, got {self.seed}")

    def _check_ranges(self) -> None:
        for name in ("steps", "batch_size", "accumulate", "log_every", "save_every", "evaluate_every", "max_patches"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("lora_rank", "warmup_steps", "workers", "threads"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")
        for name in ("learning_rate", "weight_decay", "clip", "z_loss", "lora_alpha"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be a finite number of at least 0, got {getattr(self, name)}")


def warmup_base() -> Recipe:
    """The paper's reading curriculum (section 2.4, appendix E): 30K steps of drawn text, at most 128 patches."""
    return Recipe(steps=30_000, warmup_share=1.0, max_patches=128, batch_size=256, save_every=5000)


def warmup_large() -> Recipe:
    return replace(warmup_base(), size="large")


def pretrain_base() -> Recipe:
    """Screenshot parsing at the paper's scale (section 3.2): batch 2048 in 64 passes, 270K steps."""
    return Recipe(steps=270_000, batch_size=32, accumulate=64, save_every=5000)


def pretrain_large() -> Recipe:
    return replace(pretrain_base(), size="large", steps=170_000, accumulate=32)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """A row of the paper's table 5. base, large: patches of a picture, pictures of a step.

    The checkpoint is chosen by at most `examples` held-out examples, those of `best_part` where the reference takes
    them alone.
    """

    base: tuple[int, int] = (4096, 256)
    large: tuple[int, int] = (3072, 128)
    steps: int = 10_000
    examples: int | None = None
    best_part: str = ""


TABLE_5: dict[str, TaskRow] = {
    "textcaps": TaskRow(steps=5000, examples=5000),
    "chartqa": TaskRow(best_part="human"),
    "widget-captioning": TaskRow(steps=5000),
    "screen2words": TaskRow(base=(4096, 32), large=(3072, 32), examples=5000),
    "refexp": TaskRow(),
    "docvqa": TaskRow(),
    "infographicvqa": TaskRow(base=(6144, 64)),
    "ocrvqa": TaskRow(examples=5000),
    "ai2d": TaskRow(base=(4096, 32), large=(3072, 32), steps=5000),
}
PASS_PATCHES = {"base": 2**16, "large": 2**15}  # of one forward pass: what fits an accelerator of 80 GB


def finetune(task: str, size: str) -> Recipe:
    """Fine-tuning as in the paper's table 5; one target is drawn a pass."""
    row = TABLE_5[task]
    max_patches, pictures = {"base": row.base, "large": row.large}[size]
    at_once = min(pictures, 2 ** ((PASS_PATCHES[size] // max_patches).bit_length() - 1))
    return Recipe(
        size=size,
        init=f"google/pix2struct-{size}",
        task=task,
        max_patches=max_patches,
        max_tokens=0,
        batch_size=at_once,
        accumulate=pictures // at_once,
        steps=row.steps,
        clip=0.0,
        save_every=200,
        evaluate_every=200,
        evaluate_examples=row.examples,
        best_part=row.best_part,
    )


def finetune_laptop() -> Recipe:
    """Any task on a graphics card of 8 GB: adapters instead of the weights, a picture at a time, layers recomputed."""
    return Recipe(
        init="google/pix2struct-base",
        task=ANY_TASK,
        max_tokens=0,
        lora_rank=16,
        recompute=True,
        steps=2000,
        batch_size=1,
        accumulate=32,
        optimizer="adamw",
        learning_rate=3e-4,
        weight_decay=0.0,
        warmup_steps=100,
        save_every=200,
        evaluate_every=200,
        evaluate_examples=500,
    )


RECIPES: dict[str, Callable[[], Recipe]] = {
    "warmup-base": warmup_base,
    "warmup-large": warmup_large,
    "pretrain-base": pretrain_base,
    "pretrain-large": pretrain_large,
    **{f"finetune-{task}-{size}": partial(finetune, task, size) for task in TABLE_5 for size in PASS_PATCHES},
    "finetune-laptop": finetune_laptop,
}


def make_recipe(name: str, overrides: Mapping[str, object]) -> Recipe:
    """The named recipe with `--set name=value` fields replaced.

    Raises ValueError that lists what exists, and for a setting that would have no effect.
    """
    if name not in RECIPES:
        raise ValueError(f"no recipe {name!r}; the recipes are {', '.join([*RECIPES, *LINE_RECIPES])}")
    recipe = with_fields(RECIPES[name](), overrides, what="a recipe")
    if "weight_decay" in overrides and recipe.optimizer == "adafactor":
        raise ValueError(
            f"weight_decay has no effect on adafactor, which has its own; leave it out, or choose adamw or muon with "
            f"optimizer, got weight_decay={recipe.weight_decay}"
        )
    return recipe
