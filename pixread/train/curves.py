"""Draws the log of a run as an SVG picture, without any plotting library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from pixread.files import parse_json

WIDTH, HEIGHT = 760, 230  # pixels of one panel
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 34, 40
Panel = tuple[str, str, str]
PANELS: tuple[Panel, ...] = (
    ("loss", "loss (nats a token)", "#1d4ed8"),
    ("score", "score of held-out examples", "#0f766e"),
    ("character_error_rate", "character error rate of held-out examples", "#b45309"),
    ("exact", "held-out examples read without a fault", "#15803d"),
    ("samples_per_second", "examples a second", "#6d28d9"),
)

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Scale:
    """Data values -> pixels of a panel."""

    x_max: float
    y_min: float
    y_max: float

    def to_pixels(self, point: Point) -> Point:
        x = LEFT + point[0] / self.x_max * (WIDTH - LEFT - RIGHT)
        share = (point[1] - self.y_min) / (self.y_max - self.y_min)
        return round(x, 1), round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def draw_curves(metrics: str | Path, *, title: str, panels: Sequence[Panel] | None = PANELS) -> str:
    """The SVG of a metrics.jsonl: one panel for each number of `panels` that it holds, over training steps.

    panels: key in the log, label and colour; None for all numbers of the log by their keys.
    Raises ValueError when the file cannot be read or holds nothing to draw.
    """
    try:
        records = [parse_json(line) for line in Path(metrics).read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise ValueError(f"{metrics} is not a training log: {error}") from error
    chosen = _all_panels(records) if panels is None else panels
    series = [(label, colour, _points(records, key)) for key, label, colour in chosen]
    drawn_panels = [panel for panel in series if len(panel[2]) > 1]
    if not drawn_panels:
        raise ValueError(f"{metrics} holds too few numbers to draw")
    groups = "".join(
        f'<g transform="translate(0 {30 + number * HEIGHT})">{_panel(*panel)}</g>'
        for number, panel in enumerate(drawn_panels)
    )
    height = 30 + HEIGHT * len(drawn_panels)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="12" fill="#334155"><rect width="100%" height="100%" fill="white"/>'
        f'<text x="{LEFT}" y="22" font-size="15" font-weight="bold">{escape(title)}</text>{groups}</svg>\n'
    )


def _all_panels(records: Sequence[dict[str, float]]) -> list[Panel]:
    keys = dict.fromkeys(key for record in records for key in record if key != "step")
    colours = [colour for _, _, colour in PANELS]
    return [(key, key.replace("_", " "), colours[number % len(colours)]) for number, key in enumerate(keys)]


def _points(records: Sequence[dict[str, float]], key: str) -> list[Point]:
    return [(float(record["step"]), float(record[key])) for record in records if record.get(key) is not None]


def _panel(label: str, colour: str, points: Sequence[Point]) -> str:
    values = [value for _, value in points]
    low, high = min(0.0, *values), max(values)
    scale = _Scale(x_max=max(step for step, _ in points), y_min=low, y_max=high if high > low else low + 1.0)
    line = " ".join(f"{x},{y}" for x, y in map(scale.to_pixels, points))
    grid = "".join(_grid_line(scale, low + (scale.y_max - low) * part / 4) for part in range(5))
    ticks = "".join(_tick(scale, scale.x_max * part / 4) for part in range(5))
    return (
        f'<text x="{LEFT}" y="{TOP - 12}">{escape(label)}: {values[-1]:.4g}</text>{grid}{ticks}'
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
    )


def _grid_line(scale: _Scale, value: float) -> str:
    _, y = scale.to_pixels((0.0, value))
    return (
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="#e2e8f0"/>'
        f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{value:.3g}</text>'
    )


def _tick(scale: _Scale, step: float) -> str:
    x, _ = scale.to_pixels((step, scale.y_min))
    return f'<text x="{x}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{step:.0f}</text>'
