"""What several readers made of one page, scored: a line of pages.jsonl."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pixread.bench.reading.conditions import AS_RENDERED
from pixread.evaluate.stats.scripts import script_of
from pixread.evaluate.tasks.page_lines import LINES, UNSCORED, MapBoxes, PageParts, box_corners
from pixread.evaluate.tasks.rendered import RENDERED_PAGE_TASKS
from pixread.files import parse_json, plain_errors, write_text
from pixread.markup import parse
from pixread.metrics import (
    Line,
    WordError,
    are_unscored,
    num_matched,
    order_agreement,
    right_words,
    tree_similarity,
    word_errors,
)
from pixread.metrics.unscored import Quad
from pixread.records import Box, Example

PAGES_FILE = "pages.jsonl"
UNFINISHED = ".unfinished"
SCORING = 3
"""Higher wherever pages are scored in another way: an unfinished run goes on only with what is scored the same."""
DECIMALS = 4  # of a confidence
PAGES, REGIONS = RENDERED_PAGE_TASKS["pages"], RENDERED_PAGE_TASKS["parse"]

BoxSides = list[float]
TextLine = tuple[str, BoxSides | None]


@dataclass(frozen=True, slots=True)
class Structure:
    """The tree of a page against the true one."""

    tree_similarity: float
    exact: bool  # whether the edit distance was worked out in full
    true_pictures: int  # image leaves of the truth
    read_pictures: int  # image leaves that were read
    found_pictures: int  # those of the read ones that are true


class ConfidentWord(NamedTuple):
    """A word that was read, and how certain its reader was of it. A tuple, since files hold very many of them."""

    text: str
    box: BoxSides
    confidence: float  # 0..1
    is_left_out: bool  # for its confidence; then no other score is about it
    is_right: bool | None  # None on unscored parts


@dataclass(frozen=True, slots=True)
class PageReading:
    """One reader's page."""

    lines: Sequence[TextLine]  # all that were read
    text: str  # the words that count (`metrics/unscored.py`), which all scores but those of the structure are about
    seconds: float
    memory_mib: float | None  # peak; None where unknown
    scores: Mapping[str, float]  # by words
    order: float | None  # agreement of the reading order; None where too few words can be compared
    errors: Sequence[WordError]
    score: float = 0.0  # mean log-probability of what was read, 0 of a reader that gives none
    tree: str | None = None  # simplified HTML, of readers that give a structure
    pictures: Sequence[BoxSides] = ()  # boxes of the pictures in the tree
    structure: Structure | None = None  # scores of tree and pictures; None where the truth is not known
    words: Sequence[ConfidentWord] = ()  # of readers that say how sure they are of a word


@dataclass(frozen=True, slots=True)
class PageResult:
    """What all readers made of one page."""

    index: int  # in the shard set
    id: str  # of the example
    source: str  # URL or path of the page
    script: str  # of nearly all letters, or a group of pages (`evaluate/stats/scripts.py`)
    num_words: int  # of the truth
    truth: str
    readings: Mapping[str, PageReading]  # by reader
    regions: Sequence[Mapping[str, float]] = field(default_factory=tuple)  # pixread's scores of each region of the page
    condition: str = AS_RENDERED.name  # in which the page was shown (`conditions.py`)
    knows_unscored: bool = False  # whether the shards tell on which parts of the picture words do not count


def page_result(
    index: int,
    example: Example,
    outputs: Mapping[str, Mapping[str, Any]],
    regions: Sequence[Mapping[str, float]] = (),
    *,
    condition: str = AS_RENDERED.name,
    map_boxes: MapBoxes = box_corners,
) -> PageResult:
    """Scores what each reader gave (`readers.py`) of the example at a place.

    map_boxes: where boxes of the example's picture are in the one that was read. In other conditions than as rendered,
    where the truth's boxes are off, only words and their order are scored.
    """
    truth = PAGES.normalise_target(example.targets[0])
    is_placed = condition == AS_RENDERED.name
    parts = PageParts.of(example, map_boxes)
    readings = {name: _scored(example, truth, output, parts, is_placed=is_placed) for name, output in outputs.items()}
    num_words = len(truth.split())
    return PageResult(
        index,
        example.id,
        example.source,
        script_of(truth),
        num_words,
        truth,
        readings,
        regions,
        condition,
        knows_unscored=UNSCORED in example.meta,
    )


def region_scores(example: Example, output: Mapping[str, Any]) -> Mapping[str, float]:
    """The scores of a region, as `pixread evaluate` gives them."""
    return REGIONS.score_answer(output["tree"], [REGIONS.normalise_target(target) for target in example.targets])[1]


def _scored(
    example: Example, truth: str, output: Mapping[str, Any], parts: PageParts, *, is_placed: bool
) -> PageReading:
    read = [_line(*line) for line in output["lines"]]
    lines = parts.counted(read, [truth])
    text = "\n".join(line.text for line in lines)
    return PageReading(
        lines=[(line.text, None if line.box is None else line.box.as_list()) for line in read],
        text=text,
        seconds=output["seconds"],
        memory_mib=output["memory_mib"],
        scores=PAGES.score_answer(text, [truth])[1],
        order=order_agreement(text.split(), truth.split()),
        errors=word_errors(lines, [_line(*line) for line in true_lines(example)]) if is_placed else (),
        score=output.get("score", 0.0),
        tree=output.get("tree"),
        pictures=output.get("pictures", ()),
        structure=_structure(example, output) if is_placed else None,
        words=_confident_words(example, output.get("words", ()), parts),
    )


def _confident_words(example: Example, words: Sequence[Sequence[Any]], parts: PageParts) -> list[ConfidentWord]:
    """The words of a reader (`readers.py`), each compared with the truth."""
    boxes = [Box(*sides) for _, sides, *_ in words]
    unscored = are_unscored(boxes, unscored=parts.unscored, known=parts.known)
    scored = [at for at, apart in enumerate(unscored) if not apart]
    texts = [text for text, _ in true_lines(example)]
    truth_quads: Sequence[Quad | None] = parts.known or [None] * len(texts)
    truth = list(zip(texts, truth_quads, strict=True))
    right = dict(zip(scored, right_words([(words[at][0], boxes[at]) for at in scored], truth), strict=True))
    return [
        ConfidentWord(text, [round(side, 1) for side in sides], round(confidence, DECIMALS), is_left_out, right.get(at))
        for at, (text, sides, confidence, is_left_out) in enumerate(words)
    ]


def _line(text: str, sides: BoxSides | None, words: Sequence[BoxSides] = ()) -> Line:
    return Line(text, None if sides is None else Box(*sides), tuple(Box(*word) for word in words))


def true_lines(example: Example) -> list[TextLine]:
    """The lines of the truth with their boxes, which shards of rendered pages have."""
    texts = example.targets[0].split("\n") if example.targets[0] else []  # a picture without text has no line
    boxes = example.meta.get(LINES)
    return [(text, None) for text in texts] if boxes is None else list(zip(texts, boxes, strict=True))


def _structure(example: Example, output: Mapping[str, Any]) -> Structure | None:
    if "tree" not in output or "tree" not in example.meta:
        return None
    trees = tree_similarity(parse(output["tree"]), parse(example.meta["tree"]))
    read, true = ([Box(*sides) for sides in boxes] for boxes in (output["pictures"], example.meta["pictures"]))
    return Structure(trees.similarity, trees.exact, len(true), len(read), num_matched(read, true))


class Journal:
    """pages.jsonl while it grows: the settings of the run, then a line a page. Without a folder nothing is kept."""

    def __init__(self, out: Path | None, settings: Mapping[str, Any], *, resume: bool, file: str = PAGES_FILE) -> None:
        """resume: go on with what a run of the same settings has left; ValueError for one of other settings."""
        self._out, self._file = out, file
        self.results: list[PageResult] = []
        if out is None:
            return
        with plain_errors(out):
            if resume and self._path.exists():
                self.results = _read(self._path, settings)
            lines = [json.dumps(dict(settings)), *map(_json_line, self.results)]
            write_text(self._path, "".join(f"{line}\n" for line in lines))

    @property
    def _path(self) -> Path:
        return Path(self._out or "") / (self._file + UNFINISHED)

    def add(self, result: PageResult) -> None:
        self.results.append(result)
        if self._out is not None:
            with plain_errors(self._out), self._path.open("a", encoding="utf-8") as stream:
                stream.write(_json_line(result) + "\n")

    def finish(self) -> None:
        """The pages get their file, without the settings."""
        if self._out is not None:
            with plain_errors(self._out):
                text = "".join(f"{_json_line(result)}\n" for result in self.results)
                write_text(self._out / self._file, text)
                self._path.unlink()


def _json_line(result: PageResult) -> str:
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
    # Older versions wrote other groups of scripts, which must not be mixed up with these.
    readings = {name: _reading(reading) for name, reading in raw["readings"].items()}
    return PageResult(**{**raw, "script": script_of(raw["truth"]), "readings": readings})


def _reading(raw: dict[str, Any]) -> PageReading:
    errors = [
        WordError(raw_error["cause"], tuple(raw_error["truth"]), tuple(raw_error["read"]))
        for raw_error in raw["errors"]
    ]
    structure = None if raw["structure"] is None else Structure(**raw["structure"])
    words = [ConfidentWord(*raw_word) for raw_word in raw["words"]]
    return PageReading(**{**raw, "errors": errors, "structure": structure, "words": words})
