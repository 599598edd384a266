"""Commands that make training data, with what other systems leave in folders."""

import json
from pathlib import Path

from tests.conftest import Run
from tests.tasks.miniatures import write_miniature
from tests.tasks.written import picture, write


def test_files_of_the_system_are_neither_data_nor_in_the_way(tmp_path: Path, run: Run):
    """An output folder that somebody had looked at in macOS's Finder could not be written again."""
    data = write_miniature("own", tmp_path / "data")
    write(data / "._train.jsonl", b"\0\5\x16\7")
    for _ in range(2):
        ended = run("prepare", "own", "--data", data, "--out", tmp_path / "out")
        assert ended.code == 0, ended.err
        assert json.loads(ended.out)["sets"]["train"]["written"] == 2
        for name in (".DS_Store", "Thumbs.db", "._train", "train/.DS_Store", "train/._manifest.json"):
            write(tmp_path / "out" / name, b"\0\5\x16\7")
    shown = run("inspect", tmp_path / "out", "--out", tmp_path / "gallery")
    assert shown.code == 0, shown.err


def test_what_was_skipped_steers_no_terminal(tmp_path: Path, run: Run):
    """The name of a picture went into skipped.tsv with its escape codes, and with marks that nobody sees."""
    write(tmp_path / "data" / "a.png", picture("a"))
    names = ["\x1b[2Jb.png", "\ufeffc.png", "\u202egnp.d", "a.png"]
    rows = [{"image": name, "answers": "x"} for name in names]
    write(tmp_path / "data" / "train.jsonl", "\n".join(map(json.dumps, rows)))
    ended = run("prepare", "own", "--data", tmp_path / "data", "--out", tmp_path / "out")
    assert ended.code == 0, ended.err
    assert (tmp_path / "out" / "skipped.tsv").read_text() == "".join(
        f"train\ttrain-{number}\tno such image\t{name}\n"
        for number, name in enumerate([r"\x1b[2Jb.png", r"\ufeffc.png", r"\u202egnp.d"], start=1)
    )


def test_a_checkpoint_with_files_of_the_system_is_written_again(tmp_path: Path, run: Run, tiny_checkpoint: Path):
    for _ in range(2):
        ended = run("convert", tiny_checkpoint, tmp_path / "small", "--dtype", "bfloat16")
        assert ended.code == 0, ended.err
        write(tmp_path / "small" / ".DS_Store", b"\0\0\0\1Bud1")
        write(tmp_path / "small" / "._config.json", b"\0\5\x16\7")
