"""Pages read in several conditions -> the matrix of readers and conditions, and by how much readers differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import mean

from pixread.bench.harness.report import Figure
from pixread.bench.reading.read_figures import F1, PIXREAD, SCRIPTS, SECONDS_PER_PAGE, textless_figures, unscored_notes
from pixread.bench.reading.results import PageResult
from pixread.bench.reading.word_confidences import ERROR, reliability_of
from pixread.evaluate.stats.resampling import Observation, balanced_mean, bootstrap_interval
from pixread.metrics import expected_calibration_error

SCORES = {F1: "f1", "word precision": "precision", "word recall": "recall"}
WORST = "Word F1 in the worst condition"
F1_DIFFERENCE = "Word F1 of pixread less that of the reader, 95 % interval over pages"

Cells = Mapping[str, Sequence[PageResult]]
"""Of each condition, by its title, the pages that were read."""


def matrix_figures(cells: Cells) -> list[Figure]:
    """Scripts apart. What is compared stands with the reader it is compared with, the interval as its range."""
    figures: list[Figure] = []
    by_script = dict(_by_script(cells))
    for label, score in SCORES.items():
        for script, part in by_script.items():
            case = f"{label[0].upper()}{label[1:]}, {script}"
            figures += [
                Figure(name, title, (f1_of(results, name, score),), case)
                for title, results in part.items()
                for name in results[0].readings
            ]
    for script, part in by_script.items():
        figures += [Figure(name, script, (f1,), WORST) for name, (f1, _) in worst_of(part).items()]
    for script, part in by_script.items():
        figures += _differences(part, case=f"{F1_DIFFERENCE}, {script}")
    return [*figures, *_textless(cells), *_calibration(cells), *_seconds(cells)]


def f1_of(results: Sequence[PageResult], name: str, score: str = "f1") -> float:
    """A mean score of a reader, F1 unless another is named."""
    return mean(result.readings[name].scores[score] for result in results)


def worst_of(cells: Cells) -> dict[str, tuple[float, str]]:
    """Of each reader the lowest F1, and the condition."""
    readers = next(iter(cells.values()))[0].readings
    return {name: min((f1_of(results, name), title) for title, results in cells.items()) for name in readers}


def matrix_notes(cells: Cells) -> list[str]:
    """The headline, in which condition each reader is worst; and what the shards lack."""
    worst = [
        f"{name}: worst {F1} {f1:.3f} ({title}; {script})"
        for script, part in _by_script(cells)
        for name, (f1, title) in worst_of(part).items()
    ]
    return worst + unscored_notes([result for results in cells.values() for result in results])


def _by_script(cells: Cells) -> Iterator[tuple[str, dict[str, list[PageResult]]]]:
    """The cells of each script that has any, under the script's name and how many pages it has."""
    for script, label in SCRIPTS.items():
        by_title = {
            title: [result for result in results if result.script == script and result.num_words]
            for title, results in cells.items()
        }
        non_empty = {title: results for title, results in by_title.items() if results}
        if non_empty:
            pages = {result.source for results in non_empty.values() for result in results}
            yield f"{label} ({len(pages)} page{'s' if len(pages) > 1 else ''})", non_empty


def _differences(cells: Cells, *, case: str) -> list[Figure]:
    """Low end, mean and high end of the paired difference to each peer, in each condition and over all of them."""
    peers = [name for name in next(iter(cells.values()))[0].readings if name != PIXREAD]
    figures = []
    for peer in peers:
        pairs = {title: [_difference(result, peer, title) for result in results] for title, results in cells.items()}
        rows = pairs | {"all conditions": [value for values in pairs.values() for value in values]}
        for title, values in rows.items():
            interval = bootstrap_interval(values)
            assert interval is not None, "no condition is kept without pages"
            figures.append(Figure(peer, title, (interval[0], balanced_mean(values), interval[1]), case))
    return figures


def _difference(result: PageResult, peer: str, condition: str) -> Observation:
    """Drawn with its page: what is read badly in one condition is so in others."""
    pixread_f1, peer_f1 = (result.readings[name].scores["f1"] for name in (PIXREAD, peer))
    return Observation(pixread_f1 - peer_f1, result.source, condition)


def _textless(cells: Cells) -> list[Figure]:
    return [
        replace(figure, name=title, case=f"{figure.name[0].upper()}{figure.name[1:]}")
        for title, results in cells.items()
        for name in results[0].readings
        for figure in textless_figures(name, results)
    ]


def _calibration(cells: Cells) -> list[Figure]:
    return [
        Figure(name, title, (expected_calibration_error(bins),), ERROR.capitalize())
        for title, results in cells.items()
        for name, bins in reliability_of(results).items()
    ]


def _seconds(cells: Cells) -> list[Figure]:
    return [
        Figure(name, title, (mean(result.readings[name].seconds for result in results),), SECONDS_PER_PAGE.capitalize())
        for title, results in cells.items()
        for name in results[0].readings
    ]
