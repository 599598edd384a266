"""One line of predictions.jsonl for every example, and the file that holds them while it grows."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

from pixread.records import Example

FILE = "predictions.jsonl"
METRICS = "metrics.json"
REPORT = "report.html"
SETTINGS = "run.json"
# What is not finished carries this ending; the files are renamed at the end, metrics.json last.
UNFINISHED = ".unfinished"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What was read of one example, and how well.

    index: place in the shard set. prediction, targets: as compared. target: which of the targets agreed best.
    score: mean log-probability of the output. seconds: the reader's time for its batch, divided by the batch. boxes:
    regions that were read, [x, y, width, height] in pixels. error: why there is no prediction; then nothing is scored.
    """

    index: int
    id: str
    source: str
    group: str
    site: str
    script: str
    masked: bool
    targets: tuple[str, ...]
    prediction: str = ""
    target: int = 0
    scores: Mapping[str, float] = field(default_factory=dict)
    score: float = 0.0
    seconds: float = 0.0
    boxes: tuple[tuple[float, ...], ...] = ()
    error: str | None = None


def unread(index: int, example: Example, *, targets: tuple[str, ...]) -> Prediction:
    """The example's own part of a prediction. targets: in the form in which they will be compared."""
    return Prediction(
        index=index,
        id=example.id,
        source=example.source,
        group=example.group_id or example.source or example.id,
        site=site_of(example),
        script=script_of(" ".join(targets)),
        masked=any(drawn.kind == "mask" for drawn in example.boxes),
        targets=targets,
    )


def site_of(example: Example) -> str:
    """`meta["site"]` where there is one, else the host of the source's URL, else the first folder of its path."""
    site = example.meta.get("site")
    if site:
        return str(site)
    parts = urlsplit(example.source)
    if parts.scheme in {"http", "https"} and parts.hostname:
        return parts.hostname
    folders = [part for part in example.source.split("/")[:-1] if part not in {"", ".", ".."}]
    return folders[0] if folders else example.source or "unknown"


def script_of(text: str) -> str:
    """`latin` or `other`, whichever at least half of the letters are; `none` for a text without letters."""
    letters = [character for character in text if character.isalpha()]
    if not letters:
        return "none"
    num_other = sum(not _is_latin(letter) for letter in letters)
    return "other" if 2 * num_other >= len(letters) else "latin"


@lru_cache(maxsize=8192)
def _is_latin(letter: str) -> bool:
    # Full-width forms ("FULLWIDTH LATIN ...") and ª, º are Latin too.
    return "LATIN" in unicodedata.name(letter, "") or letter in "ªº"


def write_line(stream: TextIO, prediction: Prediction) -> None:
    """One JSON object on one line."""
    stream.write(json.dumps(asdict(prediction), ensure_ascii=False) + "\n")


def read_lines(path: Path) -> list[Prediction]:
    """The predictions of an unfinished run. A last line that was cut off by the interruption is left out."""
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    return [_from_json(json.loads(line)) for line in lines]


def _from_json(raw: dict[str, Any]) -> Prediction:
    raw["targets"] = tuple(raw["targets"])
    raw["boxes"] = tuple(tuple(box) for box in raw["boxes"])
    return Prediction(**raw)
