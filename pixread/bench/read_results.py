"""What several readers made of one page, scored: a line of pages.jsonl."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pixread.bench.conditions import AS_RENDERED
from pixread.evaluate.predictions import script_of
from pixread.evaluate.rendered import RENDERED
from pixread.files import parse_json, plain_errors, write_text
from pixread.grammar import parse
from pixread.metrics import Line, WordError, num_matched, order_agreement, tree_similarity, word_errors
from pixread.records import Box, Example

FILE = "pages.jsonl"
UNFINISHED = ".unfinished"
PAGES, REGIONS = RENDERED["pages"], RENDERED["parse"]

Sides = list[float]
TextLine = tuple[str, Sides | None]


@dataclass(frozen=True, slots=True)
class Structure:
    """The tree of a page against the true one. exact: whether the edit distance was worked out in full.

    Of image leaves how many there are in the truth, how many were read, and how many of those are true.
    """

    tree_similarity: float
    exact: bool
    true_pictures: int
    read_pictures: int
    found_pictures: int


@dataclass(frozen=True, slots=True)
class PageReading:
    """One reader's page.

    memory_mib: None where unknown. scores: by words. order: None where too few words can be compared.

    score: mean log-probability of what was read, 0 of a reader that says none. tree, pictures: what it says of the
    structure, in simplified HTML and as boxes; structure: their scores, None where the truth is not known.
    """

    lines: Sequence[TextLine]
    seconds: float
    memory_mib: float | None
    scores: Mapping[str, float]
    order: float | None
    errors: Sequence[WordError]
    score: float = 0.0
    tree: str | None = None
    pictures: Sequence[Sides] = ()
    structure: Structure | None = None

    @property
    def text(self) -> str:
        return "\n".join(text for text, _ in self.lines)


@dataclass(frozen=True, slots=True)
class PageResult:
    """What all readers made of a page. num_words: of the truth. regions: our scores of each region of the page.

    condition: in which the page was shown (`conditions.py`).
    """

    index: int
    id: str
    source: str
    script: str
    num_words: int
    truth: str
    readings: Mapping[str, PageReading]
    regions: Sequence[Mapping[str, float]] = field(default_factory=tuple)
    condition: str = AS_RENDERED.name


def page_result(
    index: int,
    example: Example,
    said: Mapping[str, Mapping[str, Any]],
    regions: Sequence[Mapping[str, float]] = (),
    *,
    condition: str = AS_RENDERED.name,
) -> PageResult:
    """Scores what each reader said (`read_readers.py`) of the example at a place.

    In other conditions than as rendered, where the truth's boxes are off, only words and their order are scored.
    """
    truth = PAGES.clean(example.targets[0])
    is_placed = condition == AS_RENDERED.name
    readings = {name: _scored(example, truth, one, is_placed=is_placed) for name, one in said.items()}
    num_words = len(truth.split())
    script = script_of(truth)
    return PageResult(index, example.id, example.source, script, num_words, truth, readings, regions, condition)


def region_scores(example: Example, said: Mapping[str, Any]) -> Mapping[str, float]:
    """The scores of a region, as `pixread evaluate` gives them."""
    return REGIONS.grade(said["tree"], [REGIONS.clean(target) for target in example.targets])[1]


def _scored(example: Example, truth: str, said: Mapping[str, Any], *, is_placed: bool) -> PageReading:
    lines = [(text, sides) for text, sides in said["lines"]]
    text = "\n".join(text for text, _ in lines)
    return PageReading(
        lines=lines,
        seconds=said["seconds"],
        memory_mib=said["memory_mib"],
        scores=PAGES.grade(text, [truth])[1],
        order=order_agreement(text.split(), truth.split()),
        errors=word_errors(_placed(lines), _placed(true_lines(example))) if is_placed else (),
        score=said.get("score", 0.0),
        tree=said.get("tree"),
        pictures=said.get("pictures", ()),
        structure=_structure(example, said) if is_placed else None,
    )


def true_lines(example: Example) -> list[TextLine]:
    """The lines of the truth with their boxes, which shards of rendered pages have."""
    texts = example.targets[0].split("\n") if example.targets[0] else []  # a picture without text has no line
    boxes = example.meta.get("lines")
    return [(text, None) for text in texts] if boxes is None else list(zip(texts, boxes, strict=True))


def _placed(lines: Sequence[TextLine]) -> list[Line]:
    return [Line(text, None if sides is None else Box(*sides)) for text, sides in lines]


def _structure(example: Example, said: Mapping[str, Any]) -> Structure | None:
    if "tree" not in said or "tree" not in example.meta:
        return None
    trees = tree_similarity(parse(said["tree"]), parse(example.meta["tree"]))
    read, true = ([Box(*sides) for sides in boxes] for boxes in (said["pictures"], example.meta["pictures"]))
    return Structure(trees.similarity, trees.exact, len(true), len(read), num_matched(read, true))


class Journal:
    """pages.jsonl while it grows: the settings of the run, then a line a page. Without a folder nothing is kept."""

    def __init__(self, out: Path | None, settings: Mapping[str, Any], *, resume: bool, file: str = FILE) -> None:
        """resume: go on with what a run of the same settings has left; ValueError for one of other settings."""
        self._out, self._file = out, file
        self.results: list[PageResult] = []
        if out is None:
            return
        with plain_errors(out):
            if resume and self._path.exists():
                self.results = _read(self._path, settings)
            lines = [json.dumps(dict(settings)), *map(_line, self.results)]
            write_text(self._path, "".join(f"{line}\n" for line in lines))

    @property
    def _path(self) -> Path:
        return Path(self._out or "") / (self._file + UNFINISHED)

    def add(self, result: PageResult) -> None:
        self.results.append(result)
        if self._out is not None:
            with plain_errors(self._out), self._path.open("a", encoding="utf-8") as stream:
                stream.write(_line(result) + "\n")

    def finish(self) -> None:
        """The pages get their file, without the settings."""
        if self._out is not None:
            with plain_errors(self._out):
                text = "".join(f"{_line(result)}\n" for result in self.results)
                write_text(self._path, text)
                self._path.replace(self._out / self._file)


def _line(result: PageResult) -> str:
    return json.dumps(asdict(result))


def _read(path: Path, settings: Mapping[str, Any]) -> list[PageResult]:
    """The pages of an unfinished run; half a line at the end, as an interruption leaves it, is left out."""
    first, *lines = path.read_text(encoding="utf-8").split("\n")[:-1] or ["{}"]
    before = parse_json(first)
    changed = [
        f"{name} {before.get(name)!r}, now {value!r}" for name, value in settings.items() if before.get(name) != value
    ]
    if changed:
        raise ValueError(f"the unfinished run in {path.parent} cannot be resumed, it had {'; '.join(changed)}")
    return [_result(parse_json(line)) for line in lines]


def _result(raw: dict[str, Any]) -> PageResult:
    return PageResult(**{**raw, "readings": {name: _reading(one) for name, one in raw["readings"].items()}})


def _reading(raw: dict[str, Any]) -> PageReading:
    errors = [WordError(one["cause"], tuple(one["truth"]), tuple(one["read"])) for one in raw["errors"]]
    structure = None if raw["structure"] is None else Structure(**raw["structure"])
    return PageReading(**{**raw, "errors": errors, "structure": structure})
