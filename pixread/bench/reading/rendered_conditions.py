"""Conditions in which pages are rendered anew: other screens, windows, zooms and colours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from pixread.bench.reading.conditions import Condition, as_rendered, identity
from pixread.factory.local import RenderProgress, render_shards
from pixread.factory.sources import Source, find_pages
from pixread.records import Example
from pixread.render.page import RenderSettings
from pixread.shards import ShardSet

TARGET = "lines"
PHONE_WIDTH, PHONE_HEIGHT, PHONE_SCALE = 390, 844, 3  # CSS pixels of a common phone's screen, and its device scale
HEIGHT = 1024  # picture pixels, of pages whose shards do not say how they were rendered

Change = Callable[[RenderSettings], RenderSettings]


@dataclass(frozen=True, slots=True)
class RenderedCondition:
    """change: from the settings of pages as rendered to those of the condition."""

    condition: Condition
    change: Change


def _device_scale(settings: RenderSettings, *, factor: float) -> RenderSettings:
    """The same page on a finer screen."""
    height = None if settings.height is None else round(settings.height * factor)
    max_height = round(settings.max_height * factor)
    return replace(settings, scale=settings.scale * factor, height=height, max_height=max_height)


def _zoomed(settings: RenderSettings, *, factor: float) -> RenderSettings:
    """The same window, in which the page is laid out anew."""
    return replace(settings, scale=settings.scale * factor, width=round(settings.width / factor))


def _phone(settings: RenderSettings) -> RenderSettings:
    height = PHONE_HEIGHT * PHONE_SCALE
    return replace(settings, width=PHONE_WIDTH, scale=PHONE_SCALE, height=height, max_height=height)


def _rendered(name: str, title: str, change: Change) -> RenderedCondition:
    return RenderedCondition(Condition(name, title, as_rendered, identity), change)


RENDERED_CONDITIONS = (
    _rendered("device-scale-2", "device scale 2", lambda settings: _device_scale(settings, factor=2)),
    _rendered("phone", "phone, 390 pixels wide, device scale 3", _phone),
    _rendered("zoom-50", "zoom 50 %", lambda settings: _zoomed(settings, factor=0.5)),
    _rendered("zoom-200", "zoom 200 %", lambda settings: _zoomed(settings, factor=2)),
    _rendered("no-antialiasing", "without antialiasing", lambda settings: replace(settings, antialias=False)),
    _rendered("dark", "dark colours", lambda settings: replace(settings, dark=True)),
)


def sources_of(examples: Sequence[Example], pages: Path) -> list[Source]:
    """The pages that the examples show, among those that a folder or list names. ValueError where it names none."""
    named = {source.name: source for source in find_pages(pages)}
    sources = [named[example.source] for example in examples if example.source in named]
    if not sources:
        raise ValueError(f"{pages} names none of the pages in the shards, the first of which is {examples[0].source}")
    return sources


def settings_of(manifests: Sequence[Mapping[str, Any]]) -> RenderSettings:
    """How the pages of a shard set were rendered, as its manifests tell."""
    render = next(
        (manifest["about"]["job"]["render"] for manifest in manifests if "job" in manifest["about"]), {"height": HEIGHT}
    )
    field_names = {field.name for field in fields(RenderSettings)}
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in render.items()
        if name in field_names
    }
    return RenderSettings(**values)


def render_condition(
    chosen: RenderedCondition,
    sources: Sequence[Source],
    out: Path,
    *,
    settings: RenderSettings,
    progress: Callable[[RenderProgress], None] | None = None,
) -> dict[str, Example]:
    """The pages in a condition, by their sources; those that cannot be rendered are left out.

    What an earlier run has left in `out` is used.
    """
    render_shards(sources, out, targets=TARGET, render=chosen.change(settings), resume=True, progress=progress)
    return {example.source: example for example in ShardSet(out / TARGET)}
