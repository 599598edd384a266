"""What the README tells people to type works: its Python and its parse command run, all other commands exist.

The scripts in runs/ are held to the same: every command they use exists and has the options they give.
"""

import contextlib
import functools
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pixread

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PIXREAD = [sys.executable, "-m", "pixread"]


def fenced(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def commands(program: str) -> Iterator[list[str]]:
    """Every line of an indented block or a shell block that starts with the program, without its comment."""
    indented = [line[4:] for line in README.splitlines() if line.startswith("    ")]
    for line in [*indented, *"".join(fenced("sh")).splitlines()]:
        if line.startswith(f"{program} "):
            yield shlex.split(line, comments=True)


def script_commands() -> Iterator[list[str]]:
    """Every pixread command in runs/*.sh, its continued lines joined."""
    for script in sorted((ROOT / "runs").glob("*.sh")):
        for line in script.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
            if line.startswith("pixread "):
                yield shlex.split(line, comments=True)


@functools.cache
def options_of(*command: str) -> set[str]:
    """The options that `pixread COMMAND --help` names."""
    environment = {**os.environ, "COLUMNS": "200"}
    run = subprocess.run([*PIXREAD, *command, "--help"], capture_output=True, text=True, check=False, env=environment)
    assert run.returncode == 0, run.stderr
    return set(re.findall(r"--[\w-]+", run.stdout))


PIXREAD_COMMANDS = list(commands("pixread"))
RUNNABLE = [command for command in PIXREAD_COMMANDS if command[1] == "parse" and (ROOT / command[2]).is_file()]


def test_readme_has_what_is_checked_below():
    assert len(fenced("python")) == 1
    assert len(RUNNABLE) == 1
    assert len(PIXREAD_COMMANDS) >= 5
    assert ["make", "demo"] in commands("make")


def test_python_runs(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(fenced("python")[0], "README.md", "exec"), {})
    assert printed.getvalue().startswith("<")


@pytest.mark.parametrize("command", RUNNABLE, ids=" ".join)
def test_parse_runs(command: list[str]):
    run = subprocess.run([*PIXREAD, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert '"tree"' in run.stdout


@pytest.mark.parametrize("command", [*PIXREAD_COMMANDS, *script_commands()], ids=" ".join)
def test_commands_have_their_options(command: list[str]):
    known = options_of(*command[1 : 3 if command[1] == "bench" else 2])
    assert [option for option in command if option.startswith("--") and option not in known] == []


@pytest.mark.parametrize("command", list(commands("make")), ids=" ".join)
def test_make_targets_exist(command: list[str]):
    """The tests must not install anything, so `make` only says what it would do."""
    run = subprocess.run(
        ["make", "--dry-run", "--always-make", *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    for setting in command[2:]:
        assert setting.partition("=")[2] in run.stdout


def test_tree_names_what_is_there():
    """Every room of the package stands in the README's file tree, and nothing that is gone."""
    block = README.partition("## The tree")[2].partition("    tests/")[0]
    named = set(re.findall(r"^ {6}([\w.]+?)(?:/|\s|$)", block, flags=re.MULTILINE))
    package = Path(pixread.__file__).parent
    there = {
        path.name
        for path in package.iterdir()
        if not path.name.startswith(("_", ".")) and (path.suffix == ".py" or (path.is_dir() and any(path.glob("*.*"))))
    }
    assert named == there
