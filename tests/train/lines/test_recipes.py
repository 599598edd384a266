"""The recipes of the line detector and the line recogniser, and the command that runs them."""

from __future__ import annotations

import pytest

from pixread.train.lines.loop import TASKS
from pixread.train.lines.recipes import LINE_RECIPES, make_line_recipe
from pixread.train.recipes import RECIPES, make_recipe


def test_every_recipe_has_a_task_and_a_name_of_its_own() -> None:
    assert LINE_RECIPES.keys() == TASKS.keys()
    assert not LINE_RECIPES.keys() & RECIPES.keys()


def test_fields_are_replaced_with_their_own_type() -> None:
    recipe = make_line_recipe("line-recogniser", {"scripts": "latin,greek", "steps": "7", "learning_rate": "1e-4"})
    assert (recipe.scripts, recipe.steps, recipe.learning_rate, recipe.clip) == ("latin,greek", 7, 1e-4, 2.0)


def test_an_unknown_recipe_lists_these_too() -> None:
    with pytest.raises(ValueError, match=r"no recipe 'line'; the recipes are .*, line-detector, line-recogniser$"):
        make_recipe("line", {})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"minutes": "3"}, "the recipe line-detector has no field 'minutes'; its fields are init, crop, "),
        ({"steps": "0"}, "steps must be at least 1, got 0"),
        ({"threads": "-1"}, "threads must be at least 0, got -1"),
        ({"learning_rate": "inf"}, "learning_rate must be a finite number of at least 0, got inf"),
        ({"average_decay": "1"}, r"average_decay must be at least 0 and below 1, got 1\.0"),
        ({"drawn_share": "1.5"}, r"drawn_share must lie between 0 and 1, got 1\.5"),
        ({"workers": "2"}, "workers must be 0 or 1, got 2"),
        ({"crop": "100"}, "crop must be a multiple of 32, got 100"),
        ({"precision": "int8"}, "precision must be auto, float32 or bfloat16, got 'int8'"),
    ],
)
def test_mistakes_are_one_sentence(changes: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make_line_recipe("line-detector", changes)
