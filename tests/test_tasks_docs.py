"""What docs/tasks.md says of the tasks is what they are."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import pixread
from pixread.tasks import TASKS
from tests.test_readme import options_of

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")
PACKAGE = Path(pixread.__file__).parent
METRICS = {
    "anls": "ANLS",
    "cider": "CIDEr",
    "exact_match": "exact match",
    "group_accuracy": "group accuracy",
    "relaxed_accuracy": "relaxed accuracy",
}


def rows() -> list[list[str]]:
    """The cells of all table rows."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines() if line.startswith("|")]


def reasons() -> Iterator[str]:
    """Every reason that the code gives for skipping an example."""
    for path in [*(PACKAGE / "tasks").glob("*.py"), PACKAGE / "prepare.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            place = {"UnusableError": 0, "Skipped": 1}.get(node.func.id)
            if place is not None and len(node.args) > place and isinstance(node.args[place], ast.Constant):
                yield ast.literal_eval(node.args[place])


@pytest.mark.parametrize("name", TASKS)
def test_the_tables_say_what_a_task_is(name: str):
    task = TASKS[name]
    (how,) = (row for row in rows() if row[0] == f"`{name}`")
    (what,) = (row for row in rows() if row[0] == task.title)
    assert all(f"`{part}`" in how[-1] for part in task.parts)
    assert what[1].partition(",")[0] == METRICS[task.metric]
    assert what[2] == str(task.max_new_tokens)
    assert what[3] == " / ".join(f"{score:.1f}" for score in task.published.values())
    assert what[4] == task.licence
    assert task.url in what[5]


def test_every_reason_is_explained_and_no_other():
    explained = {reason for row in rows() for reason in re.findall(r"`([^`]+)`", row[0]) if len(row) == 2}
    assert explained == set(reasons())


def test_the_three_commands_exist():
    commands = [line.split() for line in TEXT.splitlines() if line.startswith("    pixread ")]
    assert [command[1] for command in commands] == ["prepare", "train", "evaluate"]
    for command in commands:
        assert {option for option in command if option.startswith("--")} <= options_of(command[1])
