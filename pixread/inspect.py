"""A gallery of examples for the eye: picture with its boxes, target as a tree, prompt and meta (`pixread inspect`).

One HTML page without scripts or outside references; the pictures lie in a folder beside it, as they are in the shards.
"""

from __future__ import annotations

import html
import io
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from pixread.files import claimed, folder_written_aside, written_aside
from pixread.markup import is_simplified_html, parse
from pixread.records import Box, DrawnBox, Example, Node
from pixread.shards import ShardSet, sets_in

PICTURES = "gallery-pictures"

_STYLE = Path(__file__).with_name("inspect.css")


def gallery(
    shards: str | Path | Iterable[str | Path], out: str | Path, *, limit: int | None = 50, seed: int = 0
) -> Path:
    """Writes `out/index.html` with at most `limit` examples chosen by seed (None: all), and returns its path.

    shards: sets, or folders of them. Boxes are drawn over the pictures by the browser. An older gallery in `out` is
    replaced when the new one is complete. ValueError, in one sentence, for an unreadable shard set, one without
    examples, a limit below 1, and an `out` that another run is writing to.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"limit must be at least 1, got {limit}")
    opened = ShardSet(sets_in(shards))
    if not len(opened):
        raise ValueError("the shard set has no examples, so there is nothing to show")
    chosen: Sequence[int] = range(len(opened))
    if limit is not None and limit < len(opened):
        chosen = sorted(random.Random(seed).sample(chosen, limit))
    index = Path(out) / "index.html"
    with claimed(out), written_aside(index) as page, folder_written_aside(Path(out) / PICTURES) as pictures:
        cards = [_card(number, opened[number], pictures=pictures) for number in chosen]
        page.write_text(_document(cards, opened), encoding="utf-8")
    return index


def _document(cards: Sequence[str], shards: ShardSet) -> str:
    facts = [f"{len(cards)} of {len(shards):,} examples", *map(_about, shards.manifests)]
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>pixread: examples</title>
<style>
{_STYLE.read_text(encoding="utf-8")}</style>
</head>
<body>
<header>
<h1>Examples</h1>
<p>{" &middot; ".join(_text(fact) for fact in facts if fact)}</p>
<label><input type="checkbox" id="see-through"> see through masks</label>
</header>
<main>
{"".join(cards)}</main>
</body>
</html>
"""


def _about(manifest: Mapping[str, Any]) -> str:
    """What the manifest says of where the examples come from."""
    about = manifest["about"]
    parts = [str(about[key]) for key in ("target", "task") if key in about]
    if "rendered" in about:
        parts.append(f"{about['rendered']} of {about['pages']} pages rendered")
    parts += [f"{count} skipped: {reason}" for reason, count in about.get("skipped", {}).items()]
    return ", ".join(parts)


def _card(number: int, example: Example, *, pictures: Path) -> str:
    targets = "".join(f'<div class="target">{_target(target)}</div>' for target in example.targets)
    prompt = f'<p class="prompt">{_text(example.prompt)}</p>' if example.prompt else ""
    return f"""<article id="example-{number}">
<h2><a href="#example-{number}">{number}</a> {_text(example.id)}</h2>
<div class="picture">{_picture(number, example, pictures=pictures)}</div>
<div class="said">{prompt}{targets}{_facts(example)}</div>
</article>
"""


def _picture(number: int, example: Example, *, pictures: Path) -> str:
    """The picture as a file of its own in a folder beside the page, with its boxes above it."""
    with Image.open(io.BytesIO(example.image)) as opened:
        width, height, suffix = *opened.size, (opened.format or "png").lower()
    file = pictures / f"{number}.{suffix}"
    file.write_bytes(example.image)
    shapes = [_rectangle(Box(*line), "line") for line in example.meta.get("lines", [])]
    # The outline of the region comes last, so that no mask hides it.
    for drawn in sorted(example.boxes, key=lambda drawn: drawn.kind == "region"):
        shapes.append(_label(drawn) if drawn.kind == "label" else _rectangle(drawn.box, drawn.kind))
    return (
        f'<div class="frame" style="width:{width}px;aspect-ratio:{width}/{height}">'
        f'<img src="{PICTURES}/{file.name}" width="{width}" height="{height}" loading="lazy" alt="">'
        f'<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none">{"".join(shapes)}</svg></div>'
    )


def _rectangle(box: Box, kind: str) -> str:
    attributes = f'x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}"'
    if kind != "mask":
        return f'<rect class="{kind}" {attributes}/>'
    cross = f"M{box.x:g} {box.y:g}L{box.right:g} {box.bottom:g}M{box.right:g} {box.y:g}L{box.x:g} {box.bottom:g}"
    return f'<g class="mask"><rect {attributes}/><path d="{cross}"/></g>'


def _label(drawn: DrawnBox) -> str:
    box = drawn.box
    attributes = f'x="{box.x + box.width / 2:g}" y="{box.y + box.height / 2:g}" font-size="{0.7 * box.height:g}"'
    return f'<g class="label">{_rectangle(box, "label")}<text {attributes}>{_text(drawn.text)}</text></g>'


def _target(target: str) -> str:
    if not is_simplified_html(target):
        return f"<pre>{_text(target)}</pre>"
    raw = f'<details class="raw"><summary>as text</summary><pre>{_text(target)}</pre></details>'
    return f'<ul class="tree">{_tree(parse(target))}</ul>{raw}'


def _tree(node: Node) -> str:
    if node.is_text:
        return f'<li class="text">{_text(node.text or "")}</li>'
    if node.is_image:
        parts = ((name, value) for name, value in (("src", node.image), ("alt", node.alt)) if value)
        return f'<li class="image">{" ".join(f"<b>{name}</b> {_text(value)}" for name, value in parts)}</li>'
    children = "".join(map(_tree, node.children))
    count = f"{len(node.children)} node{'s' if len(node.children) != 1 else ''}"
    return f"<li><details open><summary>{count}</summary><ul>{children}</ul></details></li>"


def _facts(example: Example) -> str:
    """Source, group and meta as a table; long values (the boxes of all lines) are left out."""
    facts: list[tuple[str, str]] = [("source", example.source), ("group", example.group_id)]
    facts += [(key, json.dumps(value, ensure_ascii=False)) for key, value in example.meta.items()]
    return f"<dl>{''.join(_fact(name, value) for name, value in _short(facts))}</dl>"


def _short(facts: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    return ((name, value) for name, value in facts if value and len(value) <= 200)


def _fact(name: str, value: str) -> str:
    return f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>"


def _text(text: str) -> str:
    return html.escape(text)
