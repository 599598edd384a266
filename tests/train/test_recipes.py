"""Recipes by name, single fields replaced from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixread.models.pix2struct.config import SIZES
from pixread.tasks import TASKS
from pixread.train.optim import OPTIMIZERS
from pixread.train.recipes import ANY_TASK, RECIPES, SCHEDULES, TABLE_5, make_recipe


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_names_things_that_exist(name: str) -> None:
    recipe = make_recipe(name, {})
    assert recipe.size in SIZES
    assert recipe.optimizer in OPTIMIZERS
    assert recipe.schedule in SCHEDULES
    assert recipe.task is None or recipe.task == ANY_TASK or recipe.task in TASKS


def test_the_papers_numbers() -> None:
    base, large = make_recipe("pretrain-base", {}), make_recipe("pretrain-large", {})
    assert (base.steps, base.batch_size * base.accumulate) == (270_000, 2048)
    assert (large.steps, large.batch_size * large.accumulate) == (170_000, 1024)
    assert (base.learning_rate, base.warmup_steps, base.schedule, base.optimizer) == (0.01, 1000, "cosine", "adafactor")


# Table 5 of the paper, and the settings of the reference beside it: patches, batch, steps; held-out examples scored.
TABLE = """
docvqa            base 4096 256 10000 all   large 3072 128 10000
infographicvqa    base 6144  64 10000 all   large 3072 128 10000
ai2d              base 4096  32  5000 all   large 3072  32  5000
chartqa           base 4096 256 10000 all   large 3072 128 10000
ocrvqa            base 4096 256 10000 5000  large 3072 128 10000
refexp            base 4096 256 10000 all   large 3072 128 10000
screen2words      base 4096  32 10000 5000  large 3072  32 10000
widget-captioning base 4096 256  5000 all   large 3072 128  5000
textcaps          base 4096 256  5000 5000  large 3072 128  5000
"""


@pytest.mark.parametrize("row", TABLE.strip().splitlines())
def test_fine_tuning_follows_the_papers_table(row: str) -> None:
    task, _, *base, examples, _, large_patches, large_batch, large_steps = row.split()
    for size, numbers in (("base", base), ("large", [large_patches, large_batch, large_steps])):
        recipe = make_recipe(f"finetune-{task}-{size}", {})
        assert [recipe.max_patches, recipe.batch_size * recipe.accumulate, recipe.steps] == [*map(int, numbers)]
        assert recipe.evaluate_examples == (None if examples == "all" else int(examples))
        assert (recipe.optimizer, recipe.learning_rate, recipe.warmup_steps, recipe.schedule) == (
            *("adafactor", 1e-2, 1000, "cosine"),
        )
        assert (recipe.evaluate_every, recipe.save_every, recipe.dropout, recipe.z_loss) == (200, 200, 0.0, 1e-4)
        assert (recipe.task, recipe.size, recipe.init) == (task, size, f"google/pix2struct-{size}")
        assert recipe.best_part == ("human" if task == "chartqa" else "")


def test_every_task_of_the_paper_has_its_recipes_and_no_other() -> None:
    tuned = {recipe.task for name in RECIPES if (recipe := make_recipe(name, {})).task not in (None, ANY_TASK)}
    assert tuned == TASKS.keys() - {"own"}


def test_fields_are_replaced_with_their_own_type() -> None:
    changes = {"steps": "7", "learning_rate": "1e-4", "init": "folder", "evaluate_examples": "none"}
    recipe = make_recipe("warmup-base", changes)
    assert (recipe.steps, recipe.learning_rate, recipe.init, recipe.evaluate_examples) == (7, 1e-4, "folder", None)


@pytest.mark.parametrize(
    ("name", "overrides", "sentence"),
    [
        ("nope", {}, "no recipe 'nope'; the recipes are warmup-base, "),
        ("warmup-base", {"stepz": "3"}, "a recipe has no field 'stepz'; its fields are size, init, "),
        ("warmup-base", {"steps": "many"}, "steps must be a whole number, got 'many'"),
        ("warmup-base", {"steps": "0"}, "steps must be at least 1, got 0"),
        ("warmup-base", {"warmup_share": "1.5"}, "warmup_share must lie between 0 and 1, got 1.5"),
        ("warmup-base", {"max_tokens": "0"}, "max_tokens must be at least 1, got 0"),
        ("finetune-laptop", {"dropout": "1"}, "dropout must be at least 0 and below 1, got 1.0"),
        ("finetune-laptop", {"lora_rank": "-1"}, "lora_rank must be at least 0, got -1"),
        ("finetune-laptop", {"workers": "-1"}, "workers must be at least 0, got -1"),
        ("warmup-base", {"schedule": "cosin"}, "no schedule 'cosin'; the schedules are cosine, linear, constant"),
        ("warmup-base", {"seed": str(10**13)}, f"seed must be a whole number from 0 to {2**40}, got {10**13}"),
        ("finetune-laptop", {"lora_alpha": "inf"}, "lora_alpha must be a finite number of at least 0, got inf"),
        ("finetune-laptop", {"learning_rate": "nan"}, "learning_rate must be a finite number of at least 0, got nan"),
        ("finetune-laptop", {"clip": "inf"}, "clip must be a finite number of at least 0, got inf"),
        (
            "warmup-base",
            {"lora_rank": "4"},
            r"adapters \(lora_rank\) need a checkpoint to start from \(init\) and adamw ",
        ),
        ("warmup-base", {"weight_decay": "0.1"}, "^weight_decay has no effect on adafactor, .* got weight_decay=0.1$"),
        (
            "finetune-laptop",
            {"optimizer": "adafactor", "weight_decay": "0.01"},
            "^weight_decay has no effect on adafactor, which has its own; leave it out, or choose adamw or muon",
        ),
        ("warmup-base", {"precision": "int4"}, "precision must be auto, float32 or bfloat16, got 'int4'"),
    ],
)
def test_mistakes_are_one_sentence(name: str, overrides: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make_recipe(name, overrides)


def test_weight_decay_can_be_set_where_it_has_an_effect_and_defaults_are_never_refused() -> None:
    assert make_recipe("warmup-base", {"optimizer": "adamw", "weight_decay": "0.1"}).weight_decay == 0.1
    assert make_recipe("finetune-laptop", {"weight_decay": "0.1"}).weight_decay == 0.1
    assert make_recipe("finetune-laptop", {"optimizer": "adafactor"}).optimizer == "adafactor"


def test_the_docs_show_the_table() -> None:
    text = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    for task in TABLE_5:
        base, large = (make_recipe(f"finetune-{task}-{size}", {}) for size in ("base", "large"))
        cells = [f"{one.max_patches}, {one.batch_size} x {one.accumulate}" for one in (base, large)]
        scored = "all" if base.evaluate_examples is None else base.evaluate_examples
        row = [f"`{task}`", *cells, base.steps, scored, TASKS[task].max_new_tokens]
        assert f"| {' | '.join(map(str, row))} |" in text
