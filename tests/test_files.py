"""pixread.files: one run to a folder, and whatever kills it, either the old content or the new."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pixread.files import (
    WriteError,
    claimed,
    folder_written_aside,
    json_text,
    read_json,
    read_json_object,
    remove_folder,
    write_text,
    written_aside,
)

BUSY = r"^another run is writing to .*out: let it end first, or name another folder$"


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    """A process of its own that says "ready" when it is."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


HOLD = """
import sys, time
from pixread.files import claimed
with claimed(sys.argv[1]):
    print("ready", flush=True)
    time.sleep(100)
"""


@pytest.mark.parametrize("name", ["out", "link", "deep/../out", "./out"])
def test_a_folder_is_one_runs_alone_by_whatever_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    """Two evaluations into one folder mixed their answers and gave a wrong score."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "link").symlink_to("out")
    monkeypatch.chdir(tmp_path)
    process = start(HOLD, tmp_path / "out")
    with pytest.raises(WriteError, match=BUSY), claimed(name):
        pass
    with claimed(tmp_path / "other"):
        pass
    kill(process)
    with claimed(name) as folder:
        assert folder == (tmp_path / "out").resolve()


FORKED = """
import os, sys, time
from pixread.files import claimed
with claimed(sys.argv[1]):
    child = os.fork()
    if child:
        print("ready", flush=True)
    time.sleep(100)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_worker_does_not_keep_the_lock_of_a_run_that_was_killed(tmp_path: Path):
    """Workers of a loader live on for a while after kill -9 of their parent."""
    process = start(FORKED, tmp_path / "out")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    workers = [int(number) for number in children.read_text().split()] if children.exists() else []
    with pytest.raises(WriteError, match=BUSY), claimed(tmp_path / "out"):
        pass
    process.kill()
    process.wait()
    try:
        with claimed(tmp_path / "out"):
            pass
    finally:
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        process.communicate()


def test_what_a_thread_has_claimed_it_may_claim_again_and_no_other(tmp_path: Path):
    caught: list[WriteError] = []

    def other() -> None:
        try:
            with claimed(tmp_path / "out"):
                pass
        except WriteError as error:
            caught.append(error)

    with claimed(tmp_path / "out"), claimed(tmp_path / "out"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert len(caught) == 1
    other()
    assert len(caught) == 1


def test_an_empty_folder_goes_again_and_nothing_else_is_left(tmp_path: Path):
    with claimed(tmp_path / "deep" / "out"):
        pass
    assert list(tmp_path.iterdir()) == []
    with claimed(tmp_path / "out") as folder:
        write_text(folder / "a.txt", "ä")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda out: out.write_text("mine"), "File exists"),
        (lambda out: out.symlink_to(out), "[Ss]ymlink loop|Too many levels of symbolic links"),
        (lambda out: os.mkfifo(out), "File exists"),
    ],
)
def test_what_is_no_folder_is_one_sentence(tmp_path: Path, make, sentence: str):
    make(tmp_path / "out")
    with pytest.raises(WriteError, match=rf"^cannot write to .*out.*({sentence})"), claimed(tmp_path / "out"):
        pass


def test_a_broken_link_is_made_whole(tmp_path: Path):
    (tmp_path / "out").symlink_to("elsewhere")
    with folder_written_aside(tmp_path / "out") as aside:
        (aside / "a").touch()
    assert (tmp_path / "out").is_symlink()
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["a"]


def test_leftovers_of_killed_runs_are_removed_and_what_lives_is_not(tmp_path: Path):
    """Names of the process number alone are the same in every container: a leftover stood in the way for ever."""
    process = start(HOLD, tmp_path / "out" / "live")
    dead = [
        *(tmp_path / name for name in (".out.writing-1", ".out.old-1", ".out.writing-0a1b2c3d")),
        *(tmp_path / "out" / name for name in (".part.writing-7", ".a.txt.writing-00000000")),
    ]
    others = [
        *(tmp_path / name for name in (".other.writing-1", "out.writing-1", ".out.writing-x")),
        tmp_path / "out" / ".live.writing-12345678",
    ]
    for folder in [*dead, *others]:
        folder.mkdir()
        (folder / "file").touch()
    with claimed(tmp_path / "out"):
        pass
    kill(process)
    assert not any(folder.exists() for folder in dead)
    assert all((folder / "file").exists() for folder in others)


def write_version(folder: Path, version: int) -> None:
    with folder_written_aside(folder) as aside:
        for name in range(5):
            write_text(aside / f"{name}.txt", str(version))


WRITE = """
import sys
from pathlib import Path
from pixread import files
from tests.test_files import write_version
if sys.argv[2] == "two renames":
    files._exchanged = lambda one, other: False
print("ready", flush=True)
for version in range(10**9):
    write_version(Path(sys.argv[1]), version)
"""


@pytest.mark.parametrize("way", ["exchange", "two renames"])
def test_a_folder_is_the_old_or_the_new_whenever_its_run_is_killed(tmp_path: Path, way: str):
    """File systems that cannot exchange folders leave a moment without one: the next run undoes it."""
    folder, rng = tmp_path / "out", random.Random(way)
    write_version(folder, -1)
    for _ in range(12):
        process = start(WRITE, folder, way)
        time.sleep(rng.uniform(0, 0.1))
        kill(process)
        if way == "exchange":
            assert len({path.read_text() for path in folder.iterdir()}) == 1
        with claimed(folder):
            assert sorted(path.name for path in folder.iterdir()) == [f"{name}.txt" for name in range(5)]
            assert len({path.read_text() for path in folder.iterdir()}) == 1
        assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_failure_leaves_the_old_content(tmp_path: Path):
    write_version(tmp_path / "out", 1)
    with pytest.raises(RuntimeError), folder_written_aside(tmp_path / "out"):
        raise RuntimeError
    with pytest.raises(RuntimeError), written_aside(tmp_path / "out" / "0.txt") as aside:
        aside.write_text("half")
        raise RuntimeError
    assert {path.read_text() for path in (tmp_path / "out").iterdir()} == {"1"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("name", ["n" * 250, "ü" * 125, "x"])
def test_names_as_long_as_the_system_allows(tmp_path: Path, name: str):
    with folder_written_aside(tmp_path / name) as aside:
        write_text(aside / name, "text")
    remove_folder(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[" * 100_000, "cannot be read: it is nested too deeply"),
        ('{"a":' * 100_000, "cannot be read: it is nested too deeply"),
        ("", "cannot be read: Expecting value"),
        ("9" * 5000, "cannot be read: Exceeds the limit"),
        ("[1]", "must hold a JSON object, got list"),
        ("null", "must hold a JSON object, got NoneType"),
    ],
)
def test_json_that_cannot_be_used_is_one_sentence(tmp_path: Path, content: str, sentence: str):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(ValueError, match=rf"^\S+/a\.json {sentence}") as error:
        read_json_object(tmp_path / "a.json")
    assert "\n" not in str(error.value)


def test_json_that_is_no_file_is_one_sentence(tmp_path: Path):
    """To open a pipe that nobody writes to waits for ever."""
    with pytest.raises(ValueError, match=r"^\S+/none\.json is missing$"):
        read_json(tmp_path / "none.json")
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "latin.json").write_bytes(b'"\xe4"')
    for name, reason in (
        ("pipe", "it is a pipe or a device, not a file"),
        ("folder", "Is a directory"),
        ("latin", "'utf-8' codec"),
    ):
        with pytest.raises(ValueError, match=rf"^\S+/{name}\.json cannot be read: {reason}"):
            read_json(tmp_path / f"{name}.json")
    (tmp_path / "marked.json").write_bytes(b"\xef\xbb\xbf{}")
    assert read_json(tmp_path / "marked.json") == {}


def test_text_is_written_whole_or_not_at_all(tmp_path: Path):
    write_text(tmp_path / "a", json.dumps("x"))
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "a", "\ud800")
    assert (tmp_path / "a").read_text() == '"x"'
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_json_has_no_numbers_that_json_has_not() -> None:
    """A score of NaN was written as NaN, which no other program reads."""
    written = json_text({"a": float("nan"), "b": [1.5, float("-inf")], "c": (True, "ü", None)})
    assert json.loads(written, parse_constant=pytest.fail) == {"a": None, "b": [1.5, None], "c": [True, "ü", None]}
