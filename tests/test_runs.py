"""The scripts of runs/: they parse, and every task, recipe, option and script that they name exists."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from safetensors.numpy import load_file

from pixread.cli import app
from pixread.inputs import style
from pixread.targets import devanagari
from pixread.targets.fonts import find_fonts
from pixread.tasks import TASKS
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
        known = {option for parameter in COMMANDS[name].params for option in parameter.opts}
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


@pytest.mark.parametrize("task", [task for task in TASKS if task != "own"])
@pytest.mark.parametrize("size", ["base", "large", "laptop", "nano"])
def test_a_task_of_any_size_runs_a_recipe_that_exists(tmp_path: Path, task: str, size: str) -> None:
    """The script itself, with a `pixread` that only notes down how it is called."""
    noted = tmp_path / "pixread"
    noted.write_text('#!/usr/bin/env bash\necho "$@" >> "$NOTES"\n', encoding="utf-8")
    noted.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "NOTES": str(tmp_path / "notes")}
    subprocess.run([RUNS / "finetune.sh", task, size, tmp_path / "out", "val"], check=True, env=environment)
    prepared, trained, evaluated = (tmp_path / "notes").read_text(encoding="utf-8").splitlines()
    assert prepared.split()[:2] == ["prepare", task]
    assert trained.split()[0] == "train"
    assert trained.split()[1] in RECIPES
    assert evaluated.split()[4:6] == ["--split", "val"]


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


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.timeout(1200)
def test_the_reader_is_made_from_pages_and_a_second_start_makes_nothing_anew(tmp_path: Path) -> None:
    """The whole script with real pages and real training, of three steps a lesson."""
    for name in ("train", "dev"):
        words = "".join(f"<p>line {number} of the {name} page, with words to read" for number in range(5))
        (tmp_path / f"{name}.html").write_text(f"<!doctype html><title>{name}</title><body>{words}", encoding="utf-8")
        (tmp_path / f"{name}.txt").write_text(f"{name}.html\n", encoding="utf-8")
    out = tmp_path / "out"
    changes = ["steps=3", "evaluate_examples=0", "batch_size=4", "threads=1"]
    try:
        find_fonts(probe=devanagari.PROBE)
    except ValueError:
        changes.append("devanagari=0")
    quick = [f"--set={change}" for change in changes]
    command = [*map(str, (RUNS / "reader.sh", tmp_path / "train.txt", tmp_path / "dev.txt", out)), *quick]
    subprocess.run(command, check=True)
    assert (out / "reader" / "model.safetensors").is_file()
    assert all((out / "scores" / task / "metrics.json").is_file() for task in ("pages", "parse"))
    made = {path: path.stat().st_mtime_ns for path in out.rglob("*.state")}
    for folder in ("reader", "scores"):
        shutil.rmtree(out / folder)
    subprocess.run(command, check=True)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.state")} == made
    assert (out / "reader" / "model.safetensors").is_file()


@pytest.mark.slow
@pytest.mark.browser
def test_the_network_that_sees_styles_is_fitted_to_rendered_pages(tmp_path: Path) -> None:
    """Three pages of the script's own give weights that read as the shipped ones do, and a share of right words."""
    out = tmp_path / "style.safetensors"
    command = [sys.executable, str(RUNS / "style.py"), str(out), "3"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    right = [float(share) for share in re.findall(r"([\d.]+)%", said)]
    assert len(right) == len(style.STYLES) and min(right) > 50
    shipped = load_file(style.WEIGHTS)
    assert {name: values.shape for name, values in load_file(out).items()} == {
        name: values.shape for name, values in shipped.items()
    }
