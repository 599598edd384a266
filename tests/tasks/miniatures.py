"""Every data set in small, in its published format, with examples of the training split that can all be used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pixread.tasks import TASKS
from tests.tasks.outcome import write_lines, write_screen
from tests.tasks.tfrecords import SCREENS, screen_records, write_records
from tests.tasks.written import picture, write


def write_miniature(task: str, folder: Path) -> Path:
    """The files of a task, and a folder for them."""
    _WRITERS[task](folder)
    assert _WRITERS.keys() == TASKS.keys()
    return folder


def _textcaps(folder: Path) -> None:
    rows = [{"image_id": f"caf\u00e9{number}", "caption_str": f"A sign \u00fc{number}"} for number in range(3)]
    write(folder / "TextCaps_0.1_train.json", {"dataset_type": "train", "data": rows})
    for row in rows:
        write(folder / "train_images" / f"{row['image_id']}.jpg", picture(row["image_id"], "JPEG"))


def _chartqa(folder: Path) -> None:
    for part in ("human", "augmented"):
        rows = [
            {"imgname": f"b\u00e9{number}.png", "query": "How many?", "label": f"{number} \u20ac"} for number in "12"
        ]
        write(folder / "train" / f"train_{part}.json", rows)
    for number in "12":
        write(folder / "train" / "png" / f"b\u00e9{number}.png", picture(number))


def _widget_captioning(folder: Path) -> None:
    write_lines(
        folder / "widget_captions.csv",
        "datasetId,screenId,nodeId,captions",
        "rc,7,0.0,go b\u00e4ck|back",
        'rc,8,0.0,"one, two"',
    )
    write_lines(folder / "split" / "train.txt", "7", "8")
    for id in "78":
        write_screen(folder / "combined", id, root={"children": [{"bounds": [10, 20, 300, 400]}]})


def _screen2words(folder: Path) -> None:
    write_lines(folder / "screen_summaries.csv", "screenId,summary", "7,a \u00fcber page", '8,"lists, with ""ok"""')
    write_lines(folder / "split" / "train_screens.txt", "7", "8")
    for id in "78":
        write_screen(folder / "combined", id)


def _refexp(folder: Path) -> None:
    write_records(folder / "train.tfrecord", screen_records())
    for screen in SCREENS:
        write_screen(folder / "combined", screen, size=(108, 192))


def _docvqa(folder: Path) -> None:
    rows = [
        {"questionId": 20, "question": "Wer?", "image": "documents/s\u00e4ge.png", "answers": ["M\u00e4rz", "3"]},
        {"questionId": 21, "question": "When?", "image": "documents/b.png", "answers": ["1951"]},
    ]
    write(folder / "train" / "train_v1.0.json", {"dataset_split": "train", "data": rows})
    for name in ("s\u00e4ge", "b"):
        write(folder / "train" / "documents" / f"{name}.png", picture(name))


def _infographicvqa(folder: Path) -> None:
    rows = [{"questionId": 9, "question": "Wo?", "image_local_name": "\u00f6.jpeg", "answers": ["K\u00f6ln"]}]
    write(folder / "infographicVQA_train_v1.0.json", {"dataset_split": "train", "data": rows})
    write(folder / "infographicVQA_train_v1.0_images" / "\u00f6.jpeg", picture("o", "JPEG"))


def _ocrvqa(folder: Path) -> None:
    book = {"questions": ["Who?", "When?"], "answers": ["Zo\u00eb", "2016"], "split": 1, "imageURL": "http://h/x.jpg"}
    write(folder / "dataset.json", {"zo\u00eb": book})
    write(folder / "images" / "zo\u00eb.jpg", picture("z", "JPEG"))


def _ai2d(folder: Path) -> None:
    name = "bl\u00fcte.png"
    asked = {"Which is A?": {"abcLabel": True, "answerTexts": ["Bl\u00fcte", "leaf"], "correctAnswer": 0}}
    words = {"T0": {"rectangle": [[10, 2], [40, 20]], "replacementText": "A"}}
    write(folder / "questions" / f"{name}.json", {"imageName": name, "questions": asked})
    write(folder / "annotations" / f"{name}.json", {"text": words})
    write(folder / "images" / name, picture("blume"))
    write_lines(folder / "ai2d_test_ids.csv", "9")


def _own(folder: Path) -> None:
    lines = [
        '{"image": "scans/\u00c5ngstr\u00f6m 1.png", "question": "Wer?", "answers": ["\u00c4rzte", 12.50]}',
        '{"image": "scans/b.png", "answers": "B"}',
    ]
    write_lines(folder / "train.jsonl", *lines)
    for name in ("\u00c5ngstr\u00f6m 1", "b"):
        write(folder / "scans" / f"{name}.png", picture(name))


_WRITERS: dict[str, Callable[[Path], None]] = {
    "textcaps": _textcaps,
    "chartqa": _chartqa,
    "widget-captioning": _widget_captioning,
    "screen2words": _screen2words,
    "refexp": _refexp,
    "docvqa": _docvqa,
    "infographicvqa": _infographicvqa,
    "ocrvqa": _ocrvqa,
    "ai2d": _ai2d,
    "own": _own,
}
