"""One line of predictions.jsonl for every example."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

from pixread.evaluate.stats.answer_types import answer_type
from pixread.evaluate.stats.scripts import script_of
from pixread.files import parse_json
from pixread.records import Example


@dataclass(frozen=True, slots=True)
class Prediction:
    """What was read of one example, and how well."""

    index: int  # in the shard sets, one after the other
    id: str  # of the example
    source: str  # URL or path that the example comes from
    group: str  # what is read well or badly together, as the examples of one picture
    site: str  # host or first folder of the source
    script: str  # of nearly all letters of the targets, or a group of pages (`stats/scripts.py`)
    masked: bool  # a mask is drawn on the picture
    targets: tuple[str, ...]  # as compared
    part: str = ""  # of the data set
    prompt: str = ""  # the question
    choice: str = ""  # the group of candidates that the example is one of, where one is to be chosen
    answer_type: str = ""  # what the data set says, else what the first target looks like
    hidden: bool = False  # the truth is not known; then nothing is scored
    prediction: str = ""  # as compared
    target: int = 0  # number of the target that agreed best
    scores: Mapping[str, float] = field(default_factory=dict)  # a score of a group stands at the chosen candidate
    score: float = 0.0  # mean log-probability of the output's tokens
    log_prob: float = 0.0  # sum of the log-probabilities
    seconds: float = 0.0  # the reader's time for the batch, divided by the batch
    cut: bool = False  # the output was as long as it may be, and had no end
    boxes: tuple[tuple[float, ...], ...] = ()  # regions that were read, [x, y, width, height] in pixels
    error: str | None = None  # why there is no prediction; then nothing is scored either

    @property
    def confidence(self) -> float:
        """Geometric mean of the probabilities of the tokens, 0..1."""
        return math.exp(min(self.score, 0.0))


def blank_prediction(
    index: int, example: Example, *, targets: tuple[str, ...], is_candidate: bool = False
) -> Prediction:
    """The example's own part of a prediction. targets: in the form in which they will be compared."""
    image = example.meta.get("image")
    return Prediction(
        index=index,
        id=example.id,
        source=example.source,
        group=(image if isinstance(image, str) else "") or example.group_id or example.source or example.id,
        site=site_of(example),
        script=script_of(" ".join(targets)),
        masked=any(drawn.kind == "mask" for drawn in example.boxes),
        targets=targets,
        part=str(example.meta.get("part") or ""),
        prompt=example.prompt,
        choice=(example.group_id or example.id) if is_candidate else "",
        answer_type=str(example.meta.get("answer_type") or answer_type(targets[0])),
        hidden=bool(example.meta.get("hidden")),
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


def write_lines(stream: TextIO, predictions: Iterable[Prediction]) -> None:
    """One JSON object a line."""
    for prediction in predictions:
        line = asdict(prediction) | {"confidence": round(prediction.confidence, 6)}
        stream.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")


def read_lines(path: Path) -> list[Prediction]:
    """The predictions of a run. A last line that was cut off by an interruption is left out.

    Raises ValueError, in one sentence, for a file that holds something else.
    """
    try:
        return [_from_json(parse_json(line)) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} does not hold the predictions of this version of pixread: {error}") from error


# What JSON has for each type of field.
_IN_JSON: Mapping[Any, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "str": (str,),
    "str | None": (str, type(None)),
    "tuple[str, ...]": (list,),
    "Mapping[str, float]": (dict,),
    "tuple[tuple[float, ...], ...]": (list,),
}


def _from_json(raw: Any) -> Prediction:
    """TypeError says which field is of a type that it should not be."""
    if not isinstance(raw, dict):
        raise TypeError(f"a line must hold an object, got {type(raw).__name__}")
    for known in fields(Prediction):
        value = raw.get(known.name)
        if known.name in raw and type(value) not in _IN_JSON[known.type]:
            raise TypeError(f"{known.name} cannot be of the type {type(value).__name__}")
    targets, scores, boxes = raw.get("targets", []), raw.get("scores", {}), raw.get("boxes", [])
    sides = [side for box in boxes for side in (box if isinstance(box, list) else [None])]
    if not all(isinstance(target, str) for target in targets):
        raise TypeError("targets must hold texts")
    if not all(isinstance(number, int | float) for number in (*scores.values(), *sides)):
        raise TypeError("scores and boxes must hold numbers")
    # Older versions wrote other groups of scripts, which must not be mixed up with these.
    script = script_of(" ".join(targets))
    whole = {**raw, "script": script, "targets": tuple(targets), "boxes": tuple(map(tuple, boxes))}
    whole.pop("confidence", None)  # follows from the score
    return Prediction(**whole)
