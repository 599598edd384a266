"""pages.html: the figures, and ten pages from the worst read to the best, each beside its reading; one file alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from pixread.bench.harness.report import Report
from pixread.bench.reading.read_figures import PIXREAD, predictions_of
from pixread.bench.reading.results import PageResult
from pixread.bench.reading.word_confidences import reliability_html, reliability_of
from pixread.evaluate.report.cases import CaseRenderer
from pixread.files import plain_errors, write_text
from pixread.metrics import CAUSES, WordError
from pixread.records import Box, Example, UnsureWord

NUM_PAGES = 10
MAX_WORDS = 30  # shown of one cause
LEGEND = (
    '<p class="about legend"><mark class="wrong">missed</mark> in the truth, <mark class="wrong">invented</mark> in '
    'the reading, <mark class="moved">moved</mark> in both: read, but at another point. On the picture: the lines and '
    "pictures that were read; dashed the words that were left out, since they are not sure enough, with their "
    "confidence in per cent.{more}</p>"
)
CAUSES_LEGEND = (
    " Below each page: the wrong words of pixread by cause, as truth → reading, and the words that were left out."
)


def write_gallery(
    path: Path, report: Report, results: Sequence[PageResult], examples: Sequence[Example], metrics: Mapping[str, Any]
) -> None:
    """examples: the shard set, indexed by the results. metrics: of pixread's readings."""
    selected = spread_by_score(results)
    predictions = predictions_of(PIXREAD, selected, examples)
    cases = CaseRenderer.of(metrics, examples, predictions, unsure=left_out_of(selected))
    articles = [
        cases.html(prediction) + _details(result) for result, prediction in zip(selected, predictions, strict=True)
    ]
    heading = f"{len(selected)} pages, from the worst read to the best"
    charts = reliability_html(reliability_of(results))
    write_page(path, report, heading, articles, charts=charts, legend=CAUSES_LEGEND)


def write_page(
    path: Path, report: Report, heading: str, articles: Sequence[str], *, charts: str, legend: str = ""
) -> None:
    """A report's table, charts and articles below each other.

    legend: what the articles show besides the picture and the compared words.
    """
    template = Template(files("pixread.evaluate.report").joinpath("report.html").read_text(encoding="utf-8"))
    page = template.substitute(
        title=escape(report.what),
        about=escape(" · ".join([str(report.machine), *report.notes])),
        tiles="",
        charts=f'<div class="card pad">{_table(report)}</div>{charts}',
        against="",
        skipped="",
        cases=f"<h2>{escape(heading)}</h2>{LEGEND.format(more=legend)}" + "\n".join(articles),
    )
    with plain_errors(path):
        write_text(path, page, errors="replace")


def left_out_of(results: Sequence[PageResult]) -> dict[int, list[UnsureWord]]:
    """By the index of each result the words that pixread left out."""
    return {
        result.index: [
            UnsureWord(word.text, Box(*word.box), word.confidence)
            for word in result.readings[PIXREAD].words
            if word.is_left_out
        ]
        for result in results
    }


def spread_by_score(results: Sequence[PageResult]) -> list[PageResult]:
    """The worst, the best and those at even distances between them, by the F1 of pixread."""
    ordered = sorted(results, key=lambda result: (result.readings[PIXREAD].scores["f1"], result.index))
    last, number = len(ordered) - 1, min(NUM_PAGES, len(ordered))
    return [ordered[at * last // max(number - 1, 1)] for at in range(number)]


def _table(report: Report) -> str:
    """The report's rows as HTML."""
    table = report.table()
    head = "".join(f"<th>{escape(str(column.header))}</th>" for column in table.columns)
    rows = zip(*(column.cells for column in table.columns), strict=True)
    body = "".join(_row([str(cell) for cell in row]) for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(cells: Sequence[str]) -> str:
    """Figures, or the name of those that follow."""
    if not any(cells[1:]):
        return f'<tr><th colspan="{len(cells)}">{escape(cells[0])}</th></tr>'
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _details(result: PageResult) -> str:
    """Below a page: how well the other readers read it, and the wrong words of pixread by cause."""
    others = ", ".join(
        f"{escape(name)} {reading.scores['f1']:.3f}" for name, reading in result.readings.items() if name != PIXREAD
    )
    errors = result.readings[PIXREAD].errors
    rows = "".join(
        f"<tr><td>{escape(cause)}</td><td>{_words([error for error in errors if error.cause == cause])}</td></tr>"
        for cause in CAUSES
        if any(error.cause == cause for error in errors)
    )
    if left_out := left_out_of([result])[result.index]:
        rows += f"<tr><td>left out</td><td>{_left_out_html(left_out)}</td></tr>"
    compared = f'<p class="note">word F1 of others: {others}</p>' if others else ""
    return f'<div class="card pad" style="margin-bottom: 34px">{compared}<table class="reasons">{rows}</table></div>'


def _words(errors: Sequence[WordError]) -> str:
    """Each wrong word as truth and reading, the most frequent first."""
    counts = Counter((" ".join(error.truth), " ".join(error.read)) for error in errors)
    descriptions = [
        f"{escape(true) or '-'} → {escape(read) or '-'}{f' ({count} times)' if count > 1 else ''}"
        for (true, read), count in counts.most_common(MAX_WORDS)
    ]
    return "; ".join(descriptions + _more(len(counts)))


def _left_out_html(words: Sequence[UnsureWord]) -> str:
    """Each word with its confidence, the surest first."""
    surest = sorted(words, key=lambda word: -word.confidence)[:MAX_WORDS]
    return "; ".join([f"{escape(word.text)} ({100 * word.confidence:.0f} %)" for word in surest] + _more(len(words)))


def _more(number: int) -> list[str]:
    """How many of so many are not shown."""
    return [f"{number - MAX_WORDS} more"] if number > MAX_WORDS else []
