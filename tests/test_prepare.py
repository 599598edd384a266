"""`pixread prepare`: every example written or skipped with a reason, pictures kept as they are, all sets or none.

The data sets are miniatures in the published format, written here, with pictures drawn here.
"""

import dataclasses
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pixread.images.open import open_picture
from pixread.prepare import Count, prepare
from pixread.records import Example
from pixread.shards import ShardSet
from pixread.tasks import TASKS, Skipped, Split
from tests.conftest import Run
from tests.tasks.written import picture, write


def chartqa(folder: Path) -> Path:
    """Two questions a part and split, about the same chart; one of them about none in the human part of train."""
    for split in ("train", "val", "test"):
        write(folder / split / "png" / "1.png", picture(split))
        for part in ("human", "augmented"):
            rows = [{"imgname": "1.png", "query": f"{part} {number}?", "label": str(number)} for number in (1, 2)]
            if (split, part) == ("train", "human"):
                rows.insert(0, {"imgname": "0.png", "query": "Which?", "label": "1"})
            write(folder / split / f"{split}_{part}.json", rows)
    return folder


def own(folder: Path, *rows: dict[str, Any], split: str = "train", **files: bytes) -> Path:
    """Lines of one split, and pictures `NAME.png`, whatever is in them."""
    write(folder / f"{split}.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))
    for name, data in files.items():
        write(folder / f"{name}.png", data)
    return folder


def asked(image: str, answers: object = "yes") -> dict[str, Any]:
    return {"image": f"{image}.png", "question": "Is it?", "answers": answers}


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_part_of_every_split_is_a_set(tmp_path: Path):
    report = prepare("chartqa", chartqa(tmp_path / "data"), tmp_path / "out")
    names = [f"{split}-{part}" for split in ("train", "val", "test") for part in ("human", "augmented")]
    assert list(report["sets"]) == names
    assert report["sets"]["train-human"] == {"read": 3, "written": 2, "skipped": {"no such image": 1}}
    assert report["absent"] == {}
    for name in names:
        split, _, part = name.partition("-")
        shards = ShardSet(tmp_path / "out" / name)
        assert shards.manifest["about"] == {"task": "chartqa", "split": split, "part": part} | report["sets"][name]
        assert [(example.prompt, example.targets) for example in shards] == [
            (f"{part} 1?", ("1",)),
            (f"{part} 2?", ("2",)),
        ]
        assert shards[0].image == shards[1].image == picture(split)
        assert dict(shards[0].meta) == {"task": "chartqa", "part": part, "image": "1.png"}
    assert (tmp_path / "out" / "skipped.tsv").read_text() == "train-human\thuman-0\tno such image\t0.png\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out"]


def test_a_split_that_is_not_there_is_left_out_and_said(tmp_path: Path):
    data = own(tmp_path / "data", asked("a"), a=picture("a"))
    report = prepare("own", data, tmp_path / "out")
    assert report["absent"] == {"val": ["val.jsonl"], "test": ["test.jsonl"]}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["skipped.tsv", "train"]


def deep(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("I;16", (9, 7), 30_000).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        picture("x"),
        picture("x", mode="RGBA"),
        picture("x", mode="P"),
        picture("x", mode="1"),
        picture("x", "JPEG"),
        picture("x", "JPEG", "CMYK"),
        picture("x", "JPEG", "L"),
        picture("x", "WEBP"),
        deep("PNG"),
    ],
)
def test_pictures_that_shards_hold_are_kept_byte_for_byte(tmp_path: Path, data: bytes):
    prepare("own", own(tmp_path / "data", asked("a"), a=data), tmp_path / "out")
    assert ShardSet(tmp_path / "out" / "train")[0].image == data


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF"])
def test_other_pictures_become_png_with_the_same_pixels(tmp_path: Path, kind: str):
    data = picture("x", kind)
    prepare("own", own(tmp_path / "data", asked("a"), a=data), tmp_path / "out")
    kept = ShardSet(tmp_path / "out" / "train")[0].image
    assert Image.open(io.BytesIO(kept)).format == "PNG"
    assert open_picture(kept).tobytes() == open_picture(data).tobytes()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "the picture is empty"),
        (b"no picture", "the picture is not a picture of a known kind"),
        (picture("x")[:-40], "the picture is cut off or damaged"),
        (picture("x", "JPEG")[:-300], "the picture is cut off or damaged"),
        (picture("x", mode="1", size=(70_000, 1)), "the picture is 70000 x 1 pixels, a side may have at most 65535"),
    ],
)
def test_a_picture_that_cannot_be_opened_is_skipped(tmp_path: Path, data: bytes, why: str):
    report = prepare("own", own(tmp_path / "data", asked("a"), asked("b"), a=data, b=picture("b")), tmp_path / "out")
    assert report["sets"]["train"] == {"read": 2, "written": 1, "skipped": {"unreadable image": 1}}
    assert (tmp_path / "out" / "skipped.tsv").read_text().startswith(f"train\ttrain-1\tunreadable image\ta.png: {why}")


def docvqa(folder: Path, split: str, *ids: object, **answers: list[str]) -> None:
    rows = [{"questionId": id, "question": "Which?", "image": "documents/a_1.png"} | answers for id in ids]
    write(folder / split / f"{split}_v1.0.json", {"dataset_split": split, "data": rows})
    write(folder / split / "documents" / "a_1.png", picture(split))


def test_of_equal_ids_the_first_counts(tmp_path: Path):
    docvqa(tmp_path / "data", "train", 7, 8, 7, "7", answers=["1951"])
    report = prepare("docvqa", tmp_path / "data", tmp_path / "out")
    assert report["sets"]["train"] == {"read": 4, "written": 2, "skipped": {"duplicate id": 2}}
    assert [example.id for example in ShardSet(tmp_path / "out" / "train")] == ["7", "8"]


def test_hidden_answers_are_noted(tmp_path: Path):
    """ "N/A" in a training file is an answer like others."""
    docvqa(tmp_path / "data", "train", 1, answers=["N/A"])
    docvqa(tmp_path / "data", "test", 1)
    prepare("docvqa", tmp_path / "data", tmp_path / "out")
    train, test = (ShardSet(tmp_path / "out" / split)[0] for split in ("train", "test"))
    assert train.targets == test.targets == ("N/A",)
    assert "hidden" not in train.meta
    assert test.meta["hidden"] is True


def test_the_same_files_give_the_same_bytes(tmp_path: Path):
    data = chartqa(tmp_path / "data")
    for name in ("a", "b"):
        prepare("chartqa", data, tmp_path / name, seed=5)
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    assert ShardSet(tmp_path / "a" / "val-human").manifest["seed"] == 5


def test_a_limit_ends_each_set(tmp_path: Path):
    """Skipped examples do not count for it, and what comes after it is not read."""
    report = prepare("chartqa", chartqa(tmp_path / "data"), tmp_path / "out", limit=1)
    assert report["sets"]["train-human"] == {"read": 2, "written": 1, "skipped": {"no such image": 1}}
    assert {name: counts["written"] for name, counts in report["sets"].items()} == dict.fromkeys(report["sets"], 1)


@pytest.fixture
def grouped(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a task with three groups of three examples that are scored together."""

    def examples(folder: Path, split: Split, *, part: str = "", seed: int = 0) -> Iterator[Example | Skipped]:
        for number in range(9):
            yield Example(id=str(number), image=picture(), targets=("true",), group_id=str(number // 3))

    task = dataclasses.replace(TASKS["own"], name="grouped", examples=examples, splits=("val",))
    monkeypatch.setitem(TASKS, "grouped", task)
    return "grouped"


@pytest.mark.parametrize(("limit", "written"), [(1, 3), (3, 3), (4, 6), (100, 9)])
def test_a_limit_does_not_cut_a_group(tmp_path: Path, grouped: str, limit: int, written: int):
    report = prepare(grouped, tmp_path, tmp_path / "out", limit=limit)
    assert report["sets"]["val"]["written"] == written


def test_wanted_splits_replace_themselves_alone(tmp_path: Path):
    data, out = chartqa(tmp_path / "data"), tmp_path / "out"
    prepare("chartqa", data, out)
    before = tree(out)
    (data / "val" / "png" / "1.png").unlink()
    (data / "train" / "png" / "1.png").unlink()
    report = prepare("chartqa", data, out, splits=["val"])
    assert list(report["sets"]) == ["val-human", "val-augmented"]
    after = tree(out)
    changed = {name for name in before if before[name] != after.get(name)}
    assert {name.partition("/")[0] for name in changed} == {"val-human", "val-augmented", "skipped.tsv"}
    lines = (out / "skipped.tsv").read_text().splitlines()
    assert [line.partition("\t")[0] for line in lines] == ["train-human", *["val-human"] * 2, *["val-augmented"] * 2]
    # The same again changes nothing, and all anew forgets what was skipped before.
    prepare("chartqa", data, out, splits=["val"])
    assert tree(out) == after
    prepare("chartqa", chartqa(data), out)
    assert tree(out) == before


def test_a_split_that_is_gone_goes(tmp_path: Path):
    data, out = own(tmp_path / "data", asked("a"), a=picture("a")), tmp_path / "out"
    own(data, asked("a"), split="val")
    prepare("own", data, out)
    (data / "val.jsonl").unlink()
    prepare("own", data, out)
    assert sorted(path.name for path in out.iterdir()) == ["skipped.tsv", "train"]


def end(count: Count) -> None:
    raise KeyboardInterrupt


def spoil_test_split(data: Path) -> None:
    write(data / "test" / "test_human.json", '[{"imgname": "1.png", "query": "cut of')


@pytest.mark.parametrize(
    ("spoil", "progress", "error"),
    [(spoil_test_split, None, ValueError), (lambda data: None, end, KeyboardInterrupt)],
    ids=["broken file", "interrupted"],
)
def test_a_failed_run_leaves_all_as_it_was(
    tmp_path: Path, spoil: Callable[[Path], None], progress: Any, error: type[BaseException]
):
    data = chartqa(tmp_path / "data")
    prepare("chartqa", data, tmp_path / "out")
    before = tree(tmp_path / "out")
    spoil(data)
    for out in ("out", "new"):
        with pytest.raises(error):
            prepare("chartqa", data, tmp_path / out, progress=progress)
    assert tree(tmp_path / "out") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out"]


def test_progress_counts_what_is_skipped_too(tmp_path: Path):
    seen: list[tuple[str, int, int]] = []
    prepare(
        "chartqa",
        chartqa(tmp_path / "data"),
        tmp_path / "out",
        splits=["train"],
        progress=lambda count: seen.append((count.name, count.read, count.written)),
    )
    assert seen == [
        ("train-human", 1, 0),
        ("train-human", 2, 1),
        ("train-human", 3, 2),
        ("train-augmented", 1, 1),
        ("train-augmented", 2, 2),
    ]


def test_the_command_reports_on_stdout_and_says_what_is_left_out(tmp_path: Path, run: Run):
    data = own(tmp_path / "data", asked("a"), asked("gone"), a=picture("a"))
    ended = run("prepare", "own", "--data", data, "--out", tmp_path / "out")
    assert ended.code == 0
    assert json.loads(ended.out) == {
        "task": "own",
        "sets": {"train": {"read": 2, "written": 1, "skipped": {"no such image": 1}}},
        "absent": {"val": ["val.jsonl"], "test": ["test.jsonl"]},
    }
    assert ended.err.splitlines() == [
        f"left out val: no val.jsonl in {data}",
        f"left out test: no test.jsonl in {data}",
    ]


def test_options_of_the_command(tmp_path: Path, run: Run):
    data = chartqa(tmp_path / "data")
    options = ("--split", "val", "--split", "test", "--limit", 1, "--seed", 3)
    ended = run("prepare", "chartqa", "--data", data, "--out", tmp_path / "out", *options)
    assert (ended.code, ended.err) == (0, "")
    written = {name: counts["written"] for name, counts in json.loads(ended.out)["sets"].items()}
    assert written == {"val-human": 1, "val-augmented": 1, "test-human": 1, "test-augmented": 1}
    assert ShardSet(tmp_path / "out" / "test-human").manifest["seed"] == 3


def test_a_run_without_a_usable_example_fails_and_says_why(tmp_path: Path, run: Run):
    data = own(tmp_path / "data", asked("a"), asked("b", answers=""), b=picture("b"))
    ended = run("prepare", "own", "--data", data, "--out", tmp_path / "out", "--split", "train")
    assert ended.code == 1
    assert json.loads(ended.out)["sets"]["train"]["skipped"] == {"no answer": 1, "no such image": 1}
    assert ended.err == f"pixread: no example could be used; {tmp_path}/out/skipped.tsv says why\n"
    assert len((tmp_path / "out" / "skipped.tsv").read_text().splitlines()) == 2


def held(folder: Path) -> Path:
    """A folder with something that is nobody else's business."""
    write(folder / "thesis.txt", "mine")
    return folder


def held_under_a_name_of_ours(folder: Path) -> Path:
    write(folder / "train" / "thesis.txt", "mine")
    return folder


def another_task(folder: Path) -> Path:
    docvqa(folder.with_name("other"), "train", 1, answers=["1951"])
    prepare("docvqa", folder.with_name("other"), folder)
    return folder


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (held, "holds thesis.txt, which was not prepared from own data: give another folder"),
        (held_under_a_name_of_ours, "holds train, which was not prepared from own data: give another folder"),
        (another_task, "holds train, which was not prepared from own data: give another folder"),
        (lambda folder: write(folder, "mine"), "is a file: give a folder for the shard sets"),
    ],
)
def test_a_folder_with_something_else_is_left_alone(
    tmp_path: Path, run: Run, make: Callable[[Path], Path], sentence: str
):
    data, out = own(tmp_path / "data", asked("a"), a=picture("a")), make(tmp_path / "out")
    before = tree(out) if out.is_dir() else out.read_bytes()
    ended = run("prepare", "own", "--data", data, "--out", out)
    assert (ended.code, ended.out, ended.err) == (1, "", f"pixread: {out} {sentence}\n")
    assert (tree(out) if out.is_dir() else out.read_bytes()) == before


def test_the_data_set_itself_is_never_written_over(tmp_path: Path, run: Run):
    data = chartqa(tmp_path / "data")
    before = tree(data)
    ended = run("prepare", "chartqa", "--data", data, "--out", data)
    assert ended.err == f"pixread: {data} holds test, which was not prepared from ChartQA: give another folder\n"
    assert tree(data) == before


def test_an_empty_folder_and_the_present_one_will_do(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch):
    data = own(tmp_path / "data", asked("a"), a=picture("a"))
    (tmp_path / "out" / "train").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "out")
    assert run("prepare", "own", "--data", data, "--out", ".").code == 0
    assert len(ShardSet(tmp_path / "out" / "train")) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("chartqb", "--data", "."), f"there is no task 'chartqb': choose from {', '.join(TASKS)}"),
        (("chartqa", "--data", "nowhere"), "nowhere is not a folder: give the one that holds the files of ChartQA"),
        (("docvqa", "--data", ".", "--split", "dev"), "DocVQA has no split 'dev': choose from train, val, test"),
        (
            ("own", "--data", "."),
            ". holds nothing of own data; looked for train.jsonl, one .jsonl of any other name, val.jsonl, test.jsonl",
        ),
        (
            ("chartqa", "--data", ".", "--split", "val"),
            ". holds nothing of ChartQA; looked for val/val_human.json, val/val_augmented.json",
        ),
    ],
)
def test_what_makes_no_sense_is_one_sentence(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], sentence: str
):
    monkeypatch.chdir(tmp_path)
    ended = run("prepare", *arguments, "--out", "out")
    assert (ended.code, ended.out, ended.err) == (1, "", f"pixread: {sentence}\n")
    assert list(tmp_path.iterdir()) == []


def test_a_limit_below_one_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="limit must be at least 1, got 0"):
        prepare("own", tmp_path, tmp_path / "out", limit=0)
