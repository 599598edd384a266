"""The files of every task as other systems pass them on: with files of their own beside them, other encodings and
names."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from pixread.prepare import prepare
from pixread.records import Example
from pixread.tasks import TASKS, Skipped
from tests.tasks.miniatures import write_miniature

APPLE_DOUBLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(60)
TEXTS = {".json", ".jsonl", ".csv", ".txt"}


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def with_litter(folder: Path) -> None:
    """What macOS and Windows leave in every folder, and the archive of a Mac beside them."""
    archive = folder / "__MACOSX"
    for file in files(folder):
        file.with_name(f"._{file.name}").write_bytes(APPLE_DOUBLE)
        for name in (".DS_Store", "Thumbs.db", "desktop.ini", ".hidden.json", ".hidden.jsonl"):
            file.with_name(name).write_bytes(b"\x00\x00\x00\x01Bud1")
        copy = archive / file.relative_to(folder).with_name(f"._{file.name}")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(APPLE_DOUBLE)
    shutil.copytree(archive, folder / "questions" / "__MACOSX")


def rewritten(change: Callable[[str], bytes]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        for file in files(folder):
            if file.suffix in TEXTS:
                file.write_bytes(change(file.read_bytes().decode("utf-8")))

    return write


def renamed(change: Callable[[str], str]) -> Callable[[Path], None]:
    """Pictures under other names, and the folders below those that the data set names."""

    def rename(folder: Path) -> None:
        for file in files(folder):
            if file.suffix not in TEXTS | {".tfrecord"}:
                file.rename(file.with_name(change(file.name)))

    return rename


OTHERS: dict[str, Callable[[Path], None]] = {
    "litter": with_litter,
    "mark and CRLF": rewritten(lambda text: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()),
    "lone CR": rewritten(lambda text: text.replace("\n", "\r").encode()),
    "Ctrl-Z": rewritten(lambda text: text.replace("\n", "\r\n").encode() + b"\x1a"),
    "UTF-16": rewritten(lambda text: b"\xff\xfe" + text.replace("\n", "\r\n").encode("utf-16-le")),
    "UTF-16, big endian": rewritten(lambda text: b"\xfe\xff" + text.encode("utf-16-be")),
    "names taken apart": renamed(lambda name: unicodedata.normalize("NFD", name)),
    "texts taken apart": rewritten(lambda text: unicodedata.normalize("NFD", text).encode()),
    "capitals": renamed(lambda name: Path(name).stem + Path(name).suffix.upper()),
}


def composed(example: Example | Skipped) -> object:
    """An example with its texts in one normal form; what was skipped as it is, to be seen."""
    if isinstance(example, Skipped):
        return example
    texts = [example.id, example.prompt, *example.targets]
    return [unicodedata.normalize("NFC", text) for text in texts], example.image, example.boxes, example.group_id


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("task", TASKS)
def test_files_of_other_systems_say_the_same(task: str, other: str, tmp_path: Path) -> None:
    """A `._answers.jsonl` was taken for a second file, and a name in another normal form for no picture."""
    folder = write_miniature(task, tmp_path / "data")
    for part in TASKS[task].parts or ("",):
        before = list(TASKS[task].examples(folder, "train", part=part))
        assert before
        assert not [item for item in before if isinstance(item, Skipped)]
        changed = shutil.copytree(folder, tmp_path / f"other-{part}")
        OTHERS[other](changed)
        after = list(TASKS[task].examples(changed, "train", part=part))
        assert list(map(composed, after)) == list(map(composed, before))


@pytest.mark.parametrize("task", TASKS)
def test_text_in_another_encoding_is_refused_in_a_sentence(task: str, tmp_path: Path) -> None:
    """As UTF-16 without its mark, every line of a file was called no JSON, or the first field a long row of NULs."""
    folder = write_miniature(task, tmp_path)
    if task == "refexp":
        return  # has no texts
    rewritten(lambda text: text.encode("utf-16-le"))(folder)
    with pytest.raises(ValueError, match=r"UTF-16 without a byte order mark does: save it as UTF-8") as caught:
        list(TASKS[task].examples(folder, "train", part=(TASKS[task].parts or ("",))[0]))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("number", ["1e308", "-1e308", "1e19", "9" * 400, "1e999", "NaN"])
@pytest.mark.parametrize(
    ("task", "file", "there", "reason"),
    [
        ("widget-captioning", "combined/7.json", "300", "wrong field"),
        ("ai2d", "annotations/bl\u00fcte.png.json", "40", "unreadable annotation"),
    ],
)
def test_a_place_far_from_any_picture_is_skipped(
    task: str, file: str, there: str, reason: str, number: str, tmp_path: Path
) -> None:
    """It ended the run with an OverflowError, or when the shard was written."""
    path = write_miniature(task, tmp_path / "data") / file
    path.write_text(path.read_text(encoding="utf-8").replace(there, number), encoding="utf-8")
    report = prepare(task, tmp_path / "data", tmp_path / "out", splits="train")
    assert report["sets"]["train"]["skipped"] == {reason: 1}
