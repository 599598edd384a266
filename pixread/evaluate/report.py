"""report.html: the metrics and the cases worth looking at, pictures included; it needs no other file."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from PIL import Image

from pixread.evaluate.diff import Piece, indented, side_by_side
from pixread.evaluate.histogram import histogram
from pixread.evaluate.predictions import Prediction
from pixread.evaluate.summary import headline, label
from pixread.grammar import parse
from pixread.inputs.draw import draw_boxes
from pixread.inputs.picture import open_picture
from pixread.records import Box, Example

NUM_WORST = 20
NUM_MIDDLE = 3
NUM_BEST = 3
CONTEXT = 48  # pixels of the page shown round a region
MAX_WIDTH, MAX_HEIGHT = 800, 4000  # pixels of an embedded picture
WIDE = 3.0  # pictures this many times wider than high stand above their texts, others beside them
MAX_CHARS = 20_000  # of a text shown in full


def write_report(
    path: Path, metrics: Mapping[str, Any], predictions: Sequence[Prediction], examples: Sequence[Example]
) -> None:
    """Writes the report. examples: the shard set, indexed by the predictions; only the shown cases are looked up."""
    read = [prediction for prediction in predictions if prediction.error is None]
    main = metrics["main"]
    template = Template(files("pixread.evaluate").joinpath("report.html").read_text(encoding="utf-8"))
    shown = [
        (title, "\n".join(_case(prediction, examples[prediction.index], metrics) for prediction in chosen))
        for title, chosen in pick(read, main)
    ]
    page = template.substitute(
        title=escape(headline(metrics)),
        about=_about(metrics),
        tiles=_tiles(metrics),
        main=escape(label(main)),
        histogram=histogram([prediction.scores[main] for prediction in read]),
        parts=_parts(metrics),
        skipped=_skipped(predictions),
        cases="\n".join(
            f"<h2>{title}</h2>\n{_legend() if not at else ''}{body}" for at, (title, body) in enumerate(shown)
        ),
    )
    path.write_text(page, encoding="utf-8", errors="replace")


def pick(predictions: Sequence[Prediction], main: str) -> list[tuple[str, list[Prediction]]]:
    """Titles and cases of the report's sections: the worst, a few round the median, the best; each case once."""
    ordered = sorted(predictions, key=lambda prediction: (prediction.scores[main], prediction.index))
    worst, rest = ordered[:NUM_WORST], ordered[NUM_WORST:]
    best, rest = rest[::-1][:NUM_BEST], rest[:-NUM_BEST]
    # The middle of all examples, unless it is among the worst already.
    at = max(0, min(len(ordered) // 2 - NUM_WORST - NUM_MIDDLE // 2, len(rest) - NUM_MIDDLE))
    middle = rest[at : at + NUM_MIDDLE]
    sections = [("Worst", worst), ("Round the median", middle), ("Best", best)]
    return [(f"{title}: {len(chosen)} of {len(ordered)}", chosen) for title, chosen in sections if chosen]


def _about(metrics: Mapping[str, Any]) -> str:
    about = metrics["about"]
    parts = [f"{name}: {about[name]}" for name in ("model", "shards", "limit") if about.get(name) is not None]
    return escape(" · ".join(parts))


def _tiles(metrics: Mapping[str, Any]) -> str:
    values = [(name == metrics["main"], f"{value:.3f}", label(name)) for name, value in metrics["scores"].items()]
    values.append((False, str(metrics["examples"]), "examples"))
    if metrics["seconds_per_example"] is not None:
        values.append((False, f"{metrics['seconds_per_example']:.2f}", "seconds an example"))
    if metrics["skipped"]:
        values.append((False, str(metrics["skipped"]), "skipped"))
    return "".join(
        f'<div class="card tile{" main" if is_main else ""}"><b>{value}</b><span>{escape(name)}</span></div>'
        for is_main, value, name in values
    )


def _parts(metrics: Mapping[str, Any]) -> str:
    names = list(metrics["scores"])
    head = "".join(f"<th>{escape(label(name))}</th>" for name in names)
    bodies = []
    for part in ("by_script", "by_masked", "by_site"):
        rows = "".join(_part_row(group, found, metrics["main"]) for group, found in metrics[part].items())
        if len(metrics[part]) > 1 or part == "by_site":
            bodies.append(f'<tbody><tr><th colspan="{len(names) + 2}">{part.replace("_", " ")}</th></tr>{rows}</tbody>')
    return f"<table><thead><tr><th></th><th>examples</th>{head}</tr></thead>{''.join(bodies)}</table>"


def _part_row(group: str, found: Mapping[str, Any], main: str) -> str:
    cells = "".join(
        f'<td class="bar" style="--share: {100 * value:.0f}%">{value:.3f}</td>'
        if name == main
        else f"<td>{value:.3f}</td>"
        for name, value in found["scores"].items()
    )
    return f'<tr><td title="{escape(group)}">{escape(group)}</td><td>{found["examples"]}</td>{cells}</tr>'


def _skipped(predictions: Sequence[Prediction]) -> str:
    failed = [prediction for prediction in predictions if prediction.error is not None]
    if not failed:
        return ""
    rows = "".join(f"<tr><td>{escape(one.id)}</td><td>{escape(one.error or '')}</td></tr>" for one in failed)
    return f'<h2>Skipped: {len(failed)}</h2><div class="card pad scroll"><table class="reasons">{rows}</table></div>'


def _legend() -> str:
    return (
        '<p class="about legend"><mark class="wrong">missed</mark> in the truth, <mark class="wrong">invented</mark> '
        'in the prediction, <mark class="moved">moved</mark> in both: read, but at another point. On the picture: what '
        "was asked for in blue, what the reader cut out in pink.</p>"
    )


def _case(prediction: Prediction, example: Example, metrics: Mapping[str, Any]) -> str:
    picture, is_wide = _picture(prediction, example)
    truth, answer = prediction.targets[prediction.target], prediction.prediction
    if metrics["task"] == "parse":
        truth, answer = indented(parse(truth)), indented(parse(answer))
    left, right = side_by_side(_cut(truth), _cut(answer))
    chips = "".join(
        f'<span class="chip{" main" if name == metrics["main"] else ""}">{escape(label(name))} {value:.3f}</span>'
        for name, value in prediction.scores.items()
    )
    source = f"<span>{escape(prediction.source)}</span>" if prediction.source not in prediction.id else ""
    return (
        f"<article><header><strong>{escape(prediction.id)}</strong>{source}{chips}"
        f"<span>log-probability {prediction.score:.2f}</span><span>{prediction.seconds:.2f} s</span></header>"
        f'<div class="case{" wide" if is_wide else ""}"><div class="picture">{picture}</div>'
        f"<div><h3>Truth</h3>{_text(left)}</div><div><h3>Prediction</h3>{_text(right)}</div></div></article>"
    )


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CHARS else text[:MAX_CHARS] + " …"


def _text(pieces: Iterable[Piece]) -> str:
    html = "".join(
        escape(piece.text)
        if piece.mark in {"space", "same"}
        else f'<mark class="{piece.mark}">{escape(piece.text)}</mark>'
        for piece in pieces
    )
    return f"<pre>{html}</pre>" if html.strip() else '<p class="nothing">nothing</p>'


def _picture(prediction: Prediction, example: Example) -> tuple[str, bool]:
    """The picture as the reader got it, cut to the region with some context, boxes on top; and whether it is wide."""
    image = open_picture(example.image, name=example.id)
    image = draw_boxes(image, [drawn for drawn in example.boxes if drawn.kind == "mask"])
    asked = [drawn.box for drawn in example.boxes if drawn.kind == "region"]
    left, top, right, bottom = _window(image.size, asked)
    part = image.crop((left, top, right, bottom))
    part.thumbnail((MAX_WIDTH, MAX_HEIGHT), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    part.save(stream, "WEBP", quality=75, method=2)  # twice as fast as the default, hardly larger
    data = base64.b64encode(stream.getvalue()).decode("ascii")
    boxes = [("asked", box) for box in asked] + [("read", Box(*box)) for box in prediction.boxes]
    outlines = "".join(
        f'<rect class="{kind}" x="{box.x - left:g}" y="{box.y - top:g}" width="{box.width:g}" height="{box.height:g}"/>'
        for kind, box in boxes
    )
    html = (
        f'<figure><img src="data:image/webp;base64,{data}" width="{part.width}" height="{part.height}" alt="">'
        f'<svg viewBox="0 0 {right - left} {bottom - top}">{outlines}</svg></figure>'
    )
    return html, right - left >= WIDE * (bottom - top)


def _window(size: tuple[int, int], asked: Sequence[Box]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is shown: all of the picture, or the asked region and its surroundings."""
    width, height = size
    if not asked:
        return 0, 0, width, height
    box = asked[0]
    left, top = max(0, int(box.x) - CONTEXT), max(0, int(box.y) - CONTEXT)
    return (
        left,
        top,
        max(left + 1, min(width, int(box.right) + CONTEXT)),
        max(top + 1, min(height, int(box.bottom) + CONTEXT)),
    )
