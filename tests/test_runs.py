"""The scripts of runs/: they parse, and every task, recipe, option and script that they name exists."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer.main

import pixread
from pixread.cli import app
from pixread.tasks import TASKS
from pixread.train.lines.recipes import LINE_RECIPES
from pixread.train.recipes import RECIPES

RUNS = Path(__file__).parent.parent / "runs"
SCRIPTS = sorted(RUNS.glob("*.sh"))
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def commands(script: Path, name: str) -> list[list[str]]:
    """The words of every call of `name` in a script, continued lines joined."""
    text = script.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.partition("||")[2] or line for line in text.splitlines() if not line.lstrip().startswith("#")]
    words = [shlex.split(line, comments=True) for line in lines if name in line and "<<" not in line]
    return [found[[*map(os.path.basename, found)].index(name) + 1 :] for found in words]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_is_one(script: Path) -> None:
    subprocess.run(["bash", "-n", str(script)], check=True)
    lines = script.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert "set -euo pipefail" in lines
    assert "Usage: runs/" in "".join(lines[:3])
    assert os.access(script, os.X_OK)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_every_command_and_option_exists(script: Path) -> None:
    for name, *words in commands(script, "pixread"):
        command = COMMANDS[name]
        if hasattr(command, "commands"):  # a group, such as `bench`
            command = command.commands[words[0]]
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known
    called = re.findall(r'"\$here/([\w-]+\.sh)"', script.read_text(encoding="utf-8"))
    assert all((RUNS / name).is_file() for name in called)


def test_every_task_has_a_script_that_tunes_to_it_and_nothing_else() -> None:
    tuned = {
        script.stem: {words[0] for words in commands(script, "finetune.sh")}
        for script in SCRIPTS
        if "$here/finetune.sh" in script.read_text(encoding="utf-8")
    }
    assert tuned == {task: {task} for task in TASKS if task != "own"}


def called(command: list[object], folder: Path, *, acting: str = "") -> list[list[str]]:
    """The words of each call when a script runs with a `pixread` that notes them down, and then acts as bash says."""
    noted = folder / "pixread"
    noted.write_text(f'#!/usr/bin/env bash\necho "$@" >> "$NOTES"\n{acting}\n', encoding="utf-8")
    noted.chmod(0o755)
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "NOTES": str(folder / "notes")}
    subprocess.run([*map(str, command)], check=True, env=environment)
    return [line.split() for line in (folder / "notes").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("task", [task for task in TASKS if task != "own"])
@pytest.mark.parametrize("size", ["base", "large", "laptop"])
def test_a_task_of_any_size_runs_a_recipe_that_exists(tmp_path: Path, task: str, size: str) -> None:
    prepared, trained, evaluated = called([RUNS / "finetune.sh", task, size, tmp_path / "out", "val"], tmp_path)
    assert prepared[:2] == ["prepare", task]
    assert trained[0] == "train"
    assert trained[1] in RECIPES
    assert evaluated[4:6] == ["--split", "val"]


def test_what_is_fetched_is_fetched_once_and_unpacked_once(tmp_path: Path) -> None:
    """With files instead of addresses: curl takes both."""
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "data.txt").write_text("content", encoding="utf-8")
    archive = tmp_path / "data.tar.gz"
    subprocess.run(["tar", "czf", archive, "-C", tmp_path / "there", "data.txt"], check=True)
    target = tmp_path / "out" / "data.tar.gz"
    for _ in range(2):
        subprocess.run([RUNS / "fetch.sh", archive.as_uri(), target], check=True, capture_output=True)
        subprocess.run([RUNS / "unpack.sh", target.parent], check=True)
        archive.unlink(missing_ok=True)  # a second download would fail
    assert sorted(path.name for path in target.parent.iterdir()) == ["data.tar.gz.unpacked", "data.txt"]
    failed = subprocess.run([RUNS / "fetch.sh", archive.as_uri(), tmp_path / "none"], capture_output=True)
    assert failed.returncode != 0
    assert not (tmp_path / "none").exists()


TRAINS = """
out=; while (($#)); do [[ $1 == --out ]] && out=$2; [[ $1 == line-* ]] && recipe=$1; shift; done
if [[ -n ${recipe:-} ]]; then mkdir -p "$out"; echo "$recipe" > "$out/weights.safetensors"; fi
"""


def test_the_page_reader_is_both_recipes_on_both_renderings_and_is_measured(tmp_path: Path) -> None:
    """The script itself; `pixread` writes weights that say which recipe they are of."""
    out, options = tmp_path / "out", ["--set", "steps=20"]
    command = [RUNS / "reader.sh", tmp_path / "train.txt", tmp_path / "dev.txt", out, *options]
    plain, varied, dev, detector, recogniser, measured = called(command, tmp_path, acting=TRAINS)
    assert [words[:4] for words in (plain, varied, dev)] == [
        ["render", f"{tmp_path}/{pages}.txt", "--out", f"{out}/{name}"]
        for pages, name in (("train", "plain"), ("train", "varied"), ("dev", "dev"))
    ]
    assert all("layout" in words for words in (plain, varied)) and "lines,parse" in dev
    for words, recipe in ((detector, "line-detector"), (recogniser, "line-recogniser")):
        assert words[:2] == ["train", recipe] and recipe in LINE_RECIPES
        assert words[2:6] == ["--data", f"{out}/plain", "--data", f"{out}/varied"]
        assert words[-2:] == options and "--resume" in words
        assert (out / "reader" / f"{recipe}.safetensors").read_text() == f"{recipe}\n"
    assert measured[:6] == ["bench", "read", "--data", f"{out}/dev", "--model", f"{out}/reader"]


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.timeout(1200)
def test_the_page_reader_is_made_from_pages_and_a_second_start_makes_nothing_anew(tmp_path: Path) -> None:
    """The whole script with real pages and real training, of a few steps."""
    for name, count in (("train", 6), ("dev", 1)):
        for number in range(count):
            words = "".join(f"<p>line {line} of {name} page {number}, with words to read" for line in range(5))
            page = f"<!doctype html><title>{name}</title><body>{words}"
            (tmp_path / f"{name}{number}.html").write_text(page, encoding="utf-8")
        names = "".join(f"{name}{number}.html\n" for number in range(count))
        (tmp_path / f"{name}.txt").write_text(names, encoding="utf-8")
    out = tmp_path / "out"
    changes = ["steps=3", "evaluate_examples=4", "batch_size=2", "batch_width=1500", "crop=128", "scripts=latin"]
    quick = [f"--set={change}" for change in changes]
    command = [*map(str, (RUNS / "reader.sh", tmp_path / "train.txt", tmp_path / "dev.txt", out)), *quick]
    subprocess.run(command, check=True)
    assert type(pixread.load(out / "reader")).__name__ == "PageReader"
    assert (out / "scores" / "pages.html").is_file()
    made = {path: path.stat().st_mtime_ns for path in [*out.rglob("*.state"), *out.rglob("*.parquet")]}
    assert len(made) > 2
    shutil.rmtree(out / "reader")
    shutil.rmtree(out / "scores")
    subprocess.run(command, check=True)
    assert {path: path.stat().st_mtime_ns for path in made} == made
    assert (out / "reader" / "line-recogniser.safetensors").is_file() and (out / "scores" / "pages.html").is_file()
