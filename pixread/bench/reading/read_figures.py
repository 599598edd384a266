"""Scored pages in, figures out: words, time, memory, structure, and wrong words by their causes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import mean
from typing import Any

from pixread.bench.harness.report import Figure
from pixread.bench.reading.results import PAGES, PageReading, PageResult, Structure
from pixread.bench.reading.word_confidences import ERROR, reliability_of
from pixread.evaluate.predictions import Prediction, blank_prediction
from pixread.evaluate.stats.scripts import MIXED, NO_LETTERS, READ_SCRIPTS, UNREAD
from pixread.evaluate.stats.summary import summarise
from pixread.metrics import CAUSES, expected_calibration_error
from pixread.metrics.word_errors import NOTHING, ONE_SIDED
from pixread.records import Example

PIXREAD = "pixread"
F1, PRECISION, RECALL = "word F1", "word precision", "word recall"
SCRIPTS = {
    **{script.lower(): f"{script.title()} script" for script in READ_SCRIPTS},
    MIXED: "several scripts",
    UNREAD: "scripts that pixread does not read",
    NO_LETTERS: "without letters",
}
SECONDS_PER_PAGE, PEAK_MEMORY = "seconds a page", "peak memory (MiB)"
ORDER = "reading order (Kendall's tau)"
STRUCTURE = "Structure"
MISSED = "True words that were missed, of 100"
INVENTED = "Words read that are not true, of 100 read"
# What causes are called for missed words, and for invented ones.
MISSED_LABELS = {NOTHING: "no line read there", ONE_SIDED: "left out of a line"}
INVENTED_LABELS = {NOTHING: "read where nothing is", ONE_SIDED: "added to a line"}
NO_TREES = (
    "The shards hold no trees of whole pages, which older versions did not write: the page's tree and the pictures are "
    "left out; pixread render makes them anew"
)
ALL_WORDS_SCORED = (
    "The shards do not tell where pages show pictures, which older versions did not write: words read there count as "
    "invented; pixread render makes them anew"
)
NO_REGIONS = "There is no shard set parse beside the pages: the regions are left out"


def predictions_of(name: str, results: Sequence[PageResult], examples: Sequence[Example]) -> list[Prediction]:
    """One reader's pages as evaluation knows them."""
    predictions = []
    for result in results:
        reading = result.readings[name]
        predictions.append(
            replace(
                blank_prediction(result.index, examples[result.index], targets=(result.truth,)),
                prediction=reading.text,
                scores=dict(reading.scores),
                score=reading.score,
                seconds=reading.seconds,
                boxes=tuple(tuple(sides) for sides in _boxes(reading)),
            )
        )
    return predictions


def _boxes(reading: PageReading) -> list[list[float]]:
    """Of all lines and pictures that were read."""
    return [*(sides for _, sides in reading.lines if sides is not None), *reading.pictures]


def metrics_of(results: Sequence[PageResult], examples: Sequence[Example]) -> dict[str, dict[str, Any]]:
    """For every reader what `pixread evaluate --task pages` writes to metrics.json."""
    return {
        name: summarise(predictions_of(name, results, examples), task=PAGES, about={"model": name})
        for name in (results[0].readings if results else ())
    }


def figures_of(results: Sequence[PageResult], metrics: Mapping[str, Mapping[str, Any]]) -> list[Figure]:
    """All figures, in the order of the table."""
    figures = []
    for name, reader_metrics in metrics.items():
        readings = [result.readings[name] for result in results]
        figures += [*_words(name, reader_metrics), *textless_figures(name, results), *_costs(name, readings)]
        figures += _calibration(name, results)
        figures += [*_order(name, readings), *_structure(name, readings)]
        figures += _causes_by_script(name, results)
    return figures + _regions(results)


def _words(name: str, reader_metrics: Mapping[str, Any]) -> list[Figure]:
    """Means over pages."""
    score_names = {F1: "f1", PRECISION: "precision", RECALL: "recall"}
    scripts = reader_metrics["by_script"]
    split = {
        f"{F1}, {SCRIPTS[script]} ({part['examples']} of {reader_metrics['examples']} pages)": part["scores"]["f1"]
        for script, part in scripts.items()
        if len(scripts) > 1
    }
    values = {label: reader_metrics["scores"][score] for label, score in score_names.items()} | split
    return [Figure(name, label, (value,)) for label, value in values.items()]


def textless_figures(name: str, results: Sequence[PageResult]) -> list[Figure]:
    """What a reader says of pictures without a word, none where there are no such pictures."""
    counts = [len(result.readings[name].text.split()) for result in results if not result.num_words]
    if not counts:
        return []
    label = f"words invented on a picture without text, mean of {len(counts)}"
    return [Figure(name, label, (mean(counts),))]


def _costs(name: str, readings: Sequence[PageReading]) -> list[Figure]:
    peaks = [reading.memory_mib for reading in readings if reading.memory_mib is not None]
    figures = [Figure(name, SECONDS_PER_PAGE, tuple(reading.seconds for reading in readings))]
    return figures + ([Figure(name, PEAK_MEMORY, (max(peaks),))] if peaks else [])


def _calibration(name: str, results: Sequence[PageResult]) -> list[Figure]:
    bins = reliability_of(results).get(name)
    return [] if bins is None else [Figure(name, ERROR, (expected_calibration_error(bins),))]


def _order(name: str, readings: Sequence[PageReading]) -> list[Figure]:
    orders = [reading.order for reading in readings if reading.order is not None]
    return [Figure(name, ORDER, (mean(orders),))] if orders else []


def _structure(name: str, readings: Sequence[PageReading]) -> list[Figure]:
    """The page's tree, as mean over pages; pictures of all pages together, since most pages have hardly any."""
    structures = [reading.structure for reading in readings if reading.structure is not None]
    if not structures:
        return []
    values = {
        "tree similarity of the page": mean(structure.tree_similarity for structure in structures),
        **_shares(structures),
    }
    return [Figure(name, label, (value,), STRUCTURE) for label, value in values.items()]


def _shares(structures: Sequence[Structure]) -> dict[str, float]:
    true, read, both = (
        sum(getattr(structure, name) for structure in structures)
        for name in ("true_pictures", "read_pictures", "found_pictures")
    )
    shares = {}
    if true:
        shares[f"pictures found, of {true}"] = both / true
    if read:
        shares[f"pictures right, of {read} read"] = both / read
    return shares


def _regions(results: Sequence[PageResult]) -> list[Figure]:
    regions = [scores for result in results for scores in result.regions]
    if not regions:
        return []
    label = f"tree similarity of a region, of {len(regions)}"
    return [Figure(PIXREAD, label, (mean(scores["tree_similarity"] for scores in regions),), STRUCTURE)]


def _causes_by_script(name: str, results: Sequence[PageResult]) -> list[Figure]:
    """Scripts apart, where there are several: one that a reader never learnt would hide what it does to the others."""
    scripts = [script for script in SCRIPTS if any(result.script == script for result in results)]
    figures = []
    for script in scripts:
        of_script = "" if len(scripts) == 1 else f", {SCRIPTS[script]}"
        figures += _causes(name, [result for result in results if result.script == script], of_script=of_script)
    return figures


def _causes(name: str, results: Sequence[PageResult], *, of_script: str) -> list[Figure]:
    """Wrong words of all pages together, by cause, and their sum."""
    readings = [result.readings[name] for result in results]
    errors = [error for reading in readings for error in reading.errors]
    sides = (
        (MISSED, MISSED_LABELS, "truth", sum(result.num_words for result in results)),
        (INVENTED, INVENTED_LABELS, "read", sum(len(reading.text.split()) for reading in readings)),
    )
    figures = []
    for case, names, side, num_words in sides:
        counts = {cause: sum(len(getattr(error, side)) for error in errors if error.cause == cause) for cause in CAUSES}
        counts_by_label = {names.get(cause, cause): count for cause, count in counts.items()}
        counts_by_label["all"] = sum(counts.values())
        shares = {label: (100 * count / max(num_words, 1),) for label, count in counts_by_label.items()}
        figures += [Figure(name, label, share, case + of_script) for label, share in shares.items()]
    return figures


def notes_of(results: Sequence[PageResult], metrics: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What must be said below the table about how sure its figures are."""
    notes = []
    for name, reader_metrics in metrics.items():
        low, high = reader_metrics["interval"]
        notes.append(f"{name}: {F1} in 95 % of resamplings between {low:.3f} and {high:.3f}")
    structures = [reading.structure for result in results for reading in result.readings.values() if reading.tree]
    if None in structures:
        notes.append(NO_TREES)
    if num_approximate := sum(not structure.exact for structure in structures if structure is not None):
        notes.append(f"{num_approximate} trees were too large for the edit distance and compared as sequences")
    notes += unscored_notes(results)
    if not any(result.regions for result in results):
        notes.append(NO_REGIONS)
    return notes


def unscored_notes(results: Sequence[PageResult]) -> list[str]:
    """Whether some pages with text come from shards that do not tell what is not to be scored."""
    return [] if all(result.knows_unscored for result in results if result.num_words) else [ALL_WORDS_SCORED]
