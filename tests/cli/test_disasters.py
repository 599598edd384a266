"""Commands whose disk is full, whose folder is taken, or that are killed: one sentence, and nothing half written."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from pixread.factory.local import render_shards
from pixread.factory.sources import Source
from pixread.files import WriteError, claimed
from pixread.inspect import gallery
from pixread.prepare import prepare
from tests.conftest import Run
from tests.factory.renderers import drawn

ROOT = Path(__file__).parents[2]
QUICK = ("steps=2", "batch_size=2", "workers=0", "evaluate_every=100", "log_every=1", "size=nano", "vocab_size=600")
BUSY = "pixread: another run is writing to {out}: let it end first, or name another folder\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Own data, prepared: `own`, `sets/val`, and a page."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "own").mkdir()
    rng = random.Random(1)
    for number in range(3):
        Image.frombytes("RGB", (60, 40), rng.randbytes(7200)).save(folder / "own" / f"{number}.png")
    rows = [{"image": f"{number}.png", "question": "Which?", "answers": [str(number)]} for number in range(3)]
    (folder / "own" / "val.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (folder / "page.html").write_text("<!DOCTYPE html><p>words")
    prepare("own", folder / "own", folder / "sets")
    return folder


def commands(place: Path, model: Path) -> dict[str, list[object]]:
    return {
        "render": ["render", place / "page.html"],
        "prepare": ["prepare", "own", "--data", place / "own"],
        "inspect": ["inspect", place / "sets"],
        "train": ["train", "warmup-base", *(word for change in QUICK for word in ("--set", change))],
        "evaluate": ["evaluate", place / "sets" / "val", "--model", model],
        "parse": ["parse", place / "own" / "0.png", "--model", model],
        "convert": ["convert", model],
        "bench": ["bench", "startup", "--repeats", "1"],
    }


NAMES = sorted(commands(Path(), Path()))


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_that_another_run_writes_to_is_refused(
    run: Run, place: Path, tiny_checkpoint: Path, tmp_path: Path, name: str
):
    """Two evaluations into one folder mixed their answers; two resumed trainings wrote everything twice."""
    out = tmp_path / "out"
    script = f"""
import time
from pixread.files import claimed
with claimed({str(out)!r}):
    print("ready", flush=True)
    time.sleep(100)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT) as other:
        assert other.stdout is not None and other.stdout.readline() == b"ready\n"
        ended = run(*commands(place, tiny_checkpoint)[name], *([] if name == "convert" else ["--out"]), out)
        assert list(out.iterdir()) == []
        other.kill()
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.removeprefix(f"pixread: cannot write the checkpoint {out}: ").removeprefix("pixread: ") == (
        BUSY.format(out=out).removeprefix("pixread: ")
    )


def limited(arguments: Sequence[object], *, most_bytes: int) -> subprocess.CompletedProcess[str]:
    """A command that may write no file beyond a size, which ends as on a full disk: in the middle of one."""
    script = (
        f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({most_bytes}, {most_bytes}))\n"
        "from pixread.cli import run\nrun()"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=250, env=environment, check=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in {"render", "bench"}])
def test_a_full_disk_is_one_sentence_and_nothing_half_written(
    place: Path, tiny_checkpoint: Path, tmp_path: Path, name: str
):
    out = tmp_path / "out"
    limit = {"parse": 1000, "inspect": 1000, "evaluate": 300, "train": 100_000, "mine": 500}.get(name, 5000)
    arguments = [*commands(place, tiny_checkpoint)[name], *([] if name == "convert" else ["--out"]), out]
    done = limited(arguments, most_bytes=limit)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("pixread: cannot write "), done.stderr
    left = {path.name for path in out.rglob("*")} if out.exists() else set()
    assert left <= {"train.json", "metrics.jsonl", "run.json.unfinished", "predictions.jsonl.unfinished", "0.txt"}
    assert [path.name for path in tmp_path.iterdir()] in ([], ["out"])


@pytest.mark.browser
def test_a_full_disk_ends_a_rendering_that_goes_on_later(place: Path, tmp_path: Path):
    done = limited(["render", place / "page.html", "--out", tmp_path / "out", "--workers", "1"], most_bytes=300_000)
    assert done.returncode in (0, 1)
    assert "Traceback" not in done.stderr


RENDER = """
import sys
from pathlib import Path
from pixread.factory.local import render_shards
from pixread.factory.sources import Source
from tests.factory.renderers import drawn
if __name__ == "__main__":
    print("ready", flush=True)
    sources = [Source(f"page-{number}", None, f"page-{number}") for number in range(40)]
    targets = ("parse", "lines")
    render_shards(sources, Path(sys.argv[1]), targets=targets, workers=1, open_renderer=drawn, resume=True)
"""


def test_a_rendering_goes_on_whenever_it_was_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """In containers all runs have one process number: what one left of its join made the next fail for ever."""
    monkeypatch.syspath_prepend(str(ROOT))
    names, targets = [f"page-{number}" for number in range(40)], ("parse", "lines")
    sources = [Source(name, None, name) for name in names]
    render_shards(sources, tmp_path / "whole", targets=targets, workers=1, open_renderer=drawn)
    (tmp_path / "render.py").write_text(RENDER)
    rng = random.Random(3)
    for name in (".parse.writing-1", ".lines.writing-1", ".parse.old-1"):
        (tmp_path / "out" / name).mkdir(parents=True)
    for _ in range(6):
        command = [sys.executable, str(tmp_path / "render.py"), str(tmp_path / "out")]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
            assert process.stdout is not None and process.stdout.readline() == b"ready\n"
            time.sleep(rng.uniform(0.2, 2.5))
            process.kill()
    render_shards(sources, tmp_path / "out", targets=targets, workers=1, open_renderer=drawn, resume=True)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_command_that_is_told_to_end_leaves_nothing_and_no_traceback(tmp_path: Path, number: signal.Signals):
    (tmp_path / "own").mkdir()
    Image.new("RGB", (900, 900)).save(tmp_path / "own" / "a.png")
    row = json.dumps({"image": "a.png", "answers": ["a"]})
    (tmp_path / "own" / "val.jsonl").write_text(f"{row}\n" * 100_000)
    command = [sys.executable, "-m", "pixread", "prepare", "own", "--data", "own", "--out", "out"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as process:
        for _ in range(600):
            if list(tmp_path.glob(".out.writing-*")):
                break
            time.sleep(0.05)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert said == ""
    assert [path.name for path in tmp_path.iterdir()] == ["own"]


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "| true"])
def test_nobody_listening_is_no_traceback(tmp_path: Path, place: Path, closed: str):
    command = f"{sys.executable} -m pixread inspect {place / 'sets'} --out {tmp_path / 'out'} {closed}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False, env=environment)
    assert done.stderr == ""
    assert (tmp_path / "out" / "index.html").exists()


def test_a_gallery_that_fails_leaves_the_older_one(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    gallery(place / "sets" / "val", tmp_path / "out")
    before = contents(tmp_path / "out")

    def fail(*arguments: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pixread.inspect._document", fail)
    with pytest.raises(WriteError, match=r"^cannot write to .*: No space left on device$"):
        gallery(place / "sets" / "val", tmp_path / "out", limit=1)
    assert contents(tmp_path / "out") == before
    with claimed(tmp_path / "out"):
        pass
