"""Recipes by name, single fields replaced from the command line."""

from __future__ import annotations

import pytest

from pixread.models.pix2struct import SIZES
from pixread.train.optim import OPTIMIZERS, SCHEDULES
from pixread.train.recipes import RECIPES, make_recipe


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_names_things_that_exist(name: str) -> None:
    recipe = make_recipe(name, {})
    assert recipe.size in SIZES
    assert recipe.optimizer in OPTIMIZERS
    assert recipe.schedule in SCHEDULES


def test_the_papers_numbers() -> None:
    base, large = make_recipe("pretrain-base", {}), make_recipe("pretrain-large", {})
    assert (base.steps, base.batch_size * base.accumulate) == (270_000, 2048)
    assert (large.steps, large.batch_size * large.accumulate) == (170_000, 1024)
    assert (base.learning_rate, base.warmup_steps, base.schedule, base.optimizer) == (0.01, 1000, "cosine", "adafactor")


def test_fields_are_replaced_with_their_own_type() -> None:
    recipe = make_recipe(
        "line-words", {"steps": "7", "learning_rate": "1e-4", "init": "folder", "line_stretch": "none"}
    )
    assert (recipe.steps, recipe.learning_rate, recipe.init, recipe.line_stretch) == (7, 1e-4, "folder", None)


@pytest.mark.parametrize(
    ("name", "overrides", "sentence"),
    [
        ("nope", {}, "no recipe 'nope'; the recipes are warmup-base, "),
        ("line-words", {"stepz": "3"}, "a recipe has no field 'stepz'; its fields are size, init, "),
        ("line-words", {"steps": "many"}, "steps must be a whole number, got 'many'"),
        ("line-words", {"steps": "0"}, "steps must be at least 1, got 0"),
        ("line-words", {"warmup_share": "1.5"}, "warmup_share must lie between 0 and 1, got 1.5"),
        ("line-words", {"precision": "int4"}, "precision must be auto, float32 or bfloat16, got 'int4'"),
    ],
)
def test_mistakes_are_one_sentence(name: str, overrides: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make_recipe(name, overrides)
