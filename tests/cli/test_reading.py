"""What `pixread parse` takes for a picture."""

import unicodedata
from pathlib import Path

from tests.conftest import Run
from tests.tasks.written import picture, write


def test_files_of_the_system_among_pictures_are_left_out(tmp_path: Path, run: Run, tiny_checkpoint: Path):
    """`find` and `*` name them, too, and each counted as a picture that could not be read."""
    write(tmp_path / "a.png", picture("a"))
    for name in ("._a.png", "._a.html", "Thumbs.db", ".DS_Store"):
        write(tmp_path / name, b"\0\5\x16\7")
    files = sorted(tmp_path.iterdir())
    ended = run("parse", *files, "--model", tiny_checkpoint, "--max-new-tokens", 2)
    assert (ended.code, len(ended.err.splitlines())) == (0, 4)
    assert ended.err.splitlines()[0] == f"left out {tmp_path}/.DS_Store, which the system put beside the pictures"
    alone = run("parse", tmp_path / "._a.png", "--model", tiny_checkpoint)
    assert alone.code == 1
    assert "is not a picture of a known kind" in alone.err


def test_a_picture_is_found_by_its_name_in_another_normal_form(tmp_path: Path, run: Run, tiny_checkpoint: Path):
    write(tmp_path / "cafe\u0301" / "u\u0308.PNG", picture("a"))
    named = unicodedata.normalize("NFC", str(tmp_path / "cafe\u0301" / "u\u0308.png"))
    ended = run("parse", named, "--model", tiny_checkpoint, "--max-new-tokens", 2)
    assert (ended.code, ended.err) == (0, "")
