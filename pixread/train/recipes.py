"""A run is a Python function that returns a frozen recipe; `--set name=value` replaces single fields of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from pixread.fields import with_fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides a training run; `train.json` beside the checkpoints records it."""

    # what is trained
    size: str = "base"
    init: str | None = None  # checkpoint folder (or folder of a run) to start from; None draws weights anew
    vocab_size: int = 50244  # of a tokenizer made anew; ignored with `init`
    max_patches: int = 2048
    max_tokens: int = 128
    line_stretch: float | None = None  # set: a reader of single lines (see inputs.prepare.Preprocess)
    # what it is trained on
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
    weight_decay: float = 0.01
    clip: float = 1.0  # largest gradient norm
    z_loss: float = 1e-4
    guidance: float = 0.0  # weight of showing the decoder where drawn letters stand (see train.guide)
    precision: str = "auto"  # auto, float32, bfloat16
    seed: int = 0
    workers: int = 1
    threads: int = 0  # processor threads of the model; 0 leaves it to torch
    # what is written
    log_every: int = 50
    save_every: int = 1000
    evaluate_every: int = 1000
    evaluate_examples: int = 128

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "accumulate", "log_every", "save_every", "evaluate_every", "max_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0.0 <= self.warmup_share <= 1.0:
            raise ValueError(f"warmup_share must lie between 0 and 1, got {self.warmup_share}")
        if self.precision not in ("auto", "float32", "bfloat16"):
            raise ValueError(f"precision must be auto, float32 or bfloat16, got {self.precision!r}")


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


def finetune_base() -> Recipe:
    """Fine-tuning as in the paper's table 5, for shards of any task; one target is drawn a pass."""
    return Recipe(steps=10_000, batch_size=16, accumulate=16, max_patches=4096, save_every=200, evaluate_every=200)


def line_letters() -> Recipe:
    """First lesson of the line reader: up to four characters, until it has found the way from patch to letter."""
    return Recipe(
        size="nano",
        vocab_size=600,
        max_patches=256,
        max_tokens=16,
        line_stretch=1.6,
        warmup_share=1.0,
        warmup_chars=4,
        steps=3000,
        batch_size=64,
        optimizer="adamw",
        learning_rate=1e-3,
        schedule="constant",
        warmup_steps=200,
        z_loss=0.0,
        guidance=1.0,
        save_every=500,
        evaluate_every=500,
    )


def line_words() -> Recipe:
    """Second lesson: words and pairs of words."""
    return replace(line_letters(), max_tokens=32, warmup_chars=14, warmup_steps=20, steps=5000)


def line_pages() -> Recipe:
    """Third lesson: lines cut out of rendered pages (`--data` names crops shards), with drawn ones among them.

    Lines of up to 17 characters, because the reader cuts long lines between words (`inputs.long_lines`). Continued
    with schedule=linear the learning rate goes to zero, which is the last lesson.
    """
    return replace(line_words(), max_tokens=21, warmup_chars=17, warmup_share=0.35, steps=20_000)


RECIPES: dict[str, Callable[[], Recipe]] = {
    "warmup-base": warmup_base,
    "warmup-large": warmup_large,
    "pretrain-base": pretrain_base,
    "pretrain-large": pretrain_large,
    "finetune-base": finetune_base,
    "line-letters": line_letters,
    "line-words": line_words,
    "line-pages": line_pages,
}


def make_recipe(name: str, overrides: Mapping[str, str]) -> Recipe:
    """The named recipe with `--set name=value` fields replaced. Raises ValueError that lists what exists."""
    if name not in RECIPES:
        raise ValueError(f"no recipe {name!r}; the recipes are {', '.join(RECIPES)}")
    return with_fields(RECIPES[name](), overrides, what="a recipe")
