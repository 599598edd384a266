"""report.html: the metrics and the cases worth looking at, pictures included; it needs no other file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from pixread.evaluate.predictions import Prediction
from pixread.evaluate.report.cases import LEGEND, CaseRenderer
from pixread.evaluate.report.histogram import histogram
from pixread.evaluate.stats.comparison import Comparison, comparison_headline, most_changed
from pixread.evaluate.stats.reliability import bins_of, reliability_diagram
from pixread.evaluate.stats.summary import breakdowns_of, format_score, headline, metric_label
from pixread.evaluate.tasks.task import EvaluationTask
from pixread.files import write_text
from pixread.metrics import edit_similarity
from pixread.records import Example

NUM_WORST = 20
NUM_SUREST = 12
NUM_MIDDLE = 3
NUM_BEST = 3
NUM_CHANGED = 6
NUM_UNSCORED = 20

Section = tuple[str, list[Prediction]]


def write_report(
    path: Path,
    metrics: Mapping[str, Any],
    predictions: Sequence[Prediction],
    examples: Sequence[Example],
    *,
    task: EvaluationTask,
    comparison: Comparison | None = None,
) -> None:
    """Writes the report. examples: the shard set, indexed by the predictions; only the shown cases are looked up."""
    counted = task.scored(predictions)
    cases = CaseRenderer.of(metrics, examples, predictions)
    template = Template(files("pixread.evaluate.report").joinpath("report.html").read_text(encoding="utf-8"))
    page = template.substitute(
        title=escape(headline(metrics)),
        about=_about(metrics),
        tiles=_tiles(metrics),
        charts=_charts(metrics, counted, task),
        against="" if comparison is None else _against(metrics, comparison, cases),
        skipped=_skipped(predictions),
        cases=_sections(sections(predictions, task), cases),
    )
    write_text(path, page, errors="replace")


def sections(predictions: Sequence[Prediction], task: EvaluationTask) -> list[Section]:
    """Titles and cases of the report: each case once, those that teach most first."""
    read = [prediction for prediction in predictions if prediction.error is None]
    counted = task.scored(read)
    if not counted:
        unscored = read[:NUM_UNSCORED]
        return [(f"Predictions: {len(unscored)} of {len(read)}", unscored)] if unscored else []
    surest = confident_errors(counted, task)
    shown = {prediction.index for prediction in surest}
    rest = [prediction for prediction in counted if prediction.index not in shown]
    first = [(f"Surest of what is wrong: {len(surest)} of {len(counted)}", surest)] if surest else []
    return first + worst_median_best(rest, task.main_metric)


def confident_errors(predictions: Sequence[Prediction], task: EvaluationTask) -> list[Prediction]:
    """The least right of all sure answers: wrong, and the reader did not doubt it.

    Wrong is less than half of a perfect score; for a score that runs beyond 1, less than half of the mean.
    """
    scores = [prediction.scores[task.main_metric] for prediction in predictions]
    least = 0.5 if task.max_score == 1 else sum(scores) / len(scores) / 2
    wrong = [prediction for prediction in predictions if prediction.scores[task.main_metric] < least]
    return sorted(wrong, key=lambda prediction: (-prediction.confidence, prediction.index))[:NUM_SUREST]


def worst_median_best(predictions: Sequence[Prediction], main: str) -> list[Section]:
    """The worst, a few round the median, the best; each case once. Of equally bad ones, those farthest off."""

    def sort_key(prediction: Prediction) -> tuple[float, float, int]:
        closeness = edit_similarity(prediction.prediction, prediction.targets[prediction.target])
        return prediction.scores[main], closeness, prediction.index

    ordered = sorted(predictions, key=sort_key)
    worst, rest = ordered[:NUM_WORST], ordered[NUM_WORST:]
    best, rest = rest[::-1][:NUM_BEST], rest[:-NUM_BEST]
    # The middle of all examples, unless it is among the worst already.
    at = max(0, min(len(ordered) // 2 - NUM_WORST - NUM_MIDDLE // 2, len(rest) - NUM_MIDDLE))
    middle = rest[at : at + NUM_MIDDLE]
    sections = [("Worst", worst), ("Round the median", middle), ("Best", best)]
    return [(f"{title}: {len(chosen)} of {len(ordered)}", chosen) for title, chosen in sections if chosen]


def _sections(sections: Sequence[Section], cases: CaseRenderer) -> str:
    return "\n".join(
        f"<h2>{title}</h2>\n{LEGEND if not at else ''}" + "\n".join(cases.html(prediction) for prediction in chosen)
        for at, (title, chosen) in enumerate(sections)
    )


def _about(metrics: Mapping[str, Any]) -> str:
    about = metrics["about"]
    parts = [f"{name}: {about[name]}" for name in ("model", "shards", "limit") if about.get(name) is not None]
    return escape(" · ".join(parts))


def _tiles(metrics: Mapping[str, Any]) -> str:
    values = [
        (name == metrics["main"], format_score(metrics, value), metric_label(name))
        for name, value in metrics["scores"].items()
    ]
    values.append((False, str(metrics["examples"]), "examples"))
    for key, name in (("hidden", "without public answers"), ("skipped", "skipped"), ("cut", "answers cut")):
        count = metrics[key]
        if count:
            values.append((False, str(count), name))
    if metrics["seconds_per_example"] is not None:
        values.append((False, f"{metrics['seconds_per_example']:.2f}", "seconds an example"))
    return "".join(
        f'<div class="card tile{" main" if is_main else ""}"><b>{value}</b><span>{escape(name)}</span></div>'
        for is_main, value, name in values
    )


def _charts(metrics: Mapping[str, Any], counted: Sequence[Prediction], task: EvaluationTask) -> str:
    """How the scores are evenly_spaced, broken down, and related to confidence."""
    if not counted:
        return ""
    scores = [prediction.scores[task.main_metric] for prediction in counted]
    bars = histogram(scores, end=max(1.0, *scores), unit=100 if task.percent else 1)
    calibration = metrics["reliability"]
    diagram = reliability_diagram(bins_of(calibration), max_score=task.max_score)
    error = "" if calibration["error"] is None else f", expected calibration error {100 * calibration['error']:.1f} %"
    return (
        '<div class="charts">'
        f'<div class="card pad"><h3>Examples by {escape(metric_label(task.main_metric))}</h3>{bars}</div>'
        f'<div class="card pad"><h3>{escape(metric_label(task.main_metric))} by confidence{error}</h3>'
        f'{diagram}<p class="note">Below each bar: how many examples.</p></div>'
        f'<div class="card pad"><h3>Parts</h3><div class="scroll">{_parts(metrics)}</div></div></div>'
    )


def _parts(metrics: Mapping[str, Any]) -> str:
    names = list(metrics["scores"])
    head = "".join(f"<th>{escape(metric_label(name))}</th>" for name in names)
    bodies = []
    for part in breakdowns_of(metrics):
        rows = "".join(_part_row(category, group, metrics) for category, group in metrics[part].items())
        if len(metrics[part]) > 1 or part == "by_site":
            bodies.append(f'<tbody><tr><th colspan="{len(names) + 2}">{part.replace("_", " ")}</th></tr>{rows}</tbody>')
    return f"<table><thead><tr><th></th><th>examples</th>{head}</tr></thead>{''.join(bodies)}</table>"


def _part_row(category: str, group: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    cells = []
    for name in metrics["scores"]:
        value = group["scores"].get(name)
        share = "" if name != metrics["main"] or value is None else f' class="bar" style="--share: {100 * value:.0f}%"'
        cells.append(f"<td{share}>{'' if value is None else format_score(metrics, value)}</td>")
    heading = escape(category)
    return f'<tr><td title="{heading}">{heading}</td><td>{group["examples"]}</td>{"".join(cells)}</tr>'


def _against(metrics: Mapping[str, Any], comparison: Comparison, cases: CaseRenderer) -> str:
    """The comparison_headline, and the cases that changed most."""
    numbers, model = comparison.numbers, comparison.numbers["model"]
    if not comparison.pairs:
        return f'<h2>Against {escape(model)}</h2><p class="about">{escape(comparison_headline(metrics))}</p>'
    tiles = "".join(
        f'<div class="card tile"><b>{numbers[name]}</b><span>{said}</span></div>'
        for name, said in (("wins", "better here"), ("losses", "worse here"), ("ties", "equal"))
    )
    won, lost = most_changed(comparison.pairs, NUM_CHANGED)
    shown = "".join(
        f"<h3>{title}: {len(pairs)} of {numbers[count]}</h3>"
        + "\n".join(cases.pair(pair, against=model) for pair in pairs)
        for title, pairs, count in (("Won by most", won, "wins"), ("Lost by most", lost, "losses"))
        if pairs
    )
    return (
        f'<h2>Against {escape(model)}</h2><p class="about">{escape(comparison_headline(metrics))}</p>'
        f'<div class="tiles">{tiles}</div>{shown}'
    )


def _skipped(predictions: Sequence[Prediction]) -> str:
    failed = [prediction for prediction in predictions if prediction.error is not None]
    if not failed:
        return ""
    rows = "".join(
        f"<tr><td>{escape(prediction.id)}</td><td>{escape(prediction.error or '')}</td></tr>" for prediction in failed
    )
    return f'<h2>Skipped: {len(failed)}</h2><div class="card pad scroll"><table class="reasons">{rows}</table></div>'
