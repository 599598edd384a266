"""What a task makes of a folder, and miniature screens of RICO."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from pixread.records import Example
from pixread.tasks import TASKS, Skipped, Split


def outcome(task: str, folder: Path, split: Split, *, seed: int = 0) -> tuple[list[Example], list[tuple[str, str]]]:
    """The examples, and id and reason of what was skipped."""
    made = list(TASKS[task].examples(folder, split, seed=seed))
    skipped = [(each.id, each.reason) for each in made if isinstance(each, Skipped)]
    return [each for each in made if isinstance(each, Example)], skipped


def write_lines(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def write_screen(
    folder: Path, id: str, *, size: tuple[int, int] = (108, 192), root: Mapping[str, Any] | None = None
) -> bytes:
    """A picture and, if there is a root, a view hierarchy, as RICO's archive has them; the bytes of the picture."""
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (200, 200, 200)).save(folder / f"{id}.jpg")
    if root is not None:
        view = {"activity_name": "a/b", "activity": {"root": root}, "is_keyboard_deployed": False, "request_id": "1"}
        (folder / f"{id}.json").write_text(json.dumps(view), encoding="utf-8")
    return (folder / f"{id}.jpg").read_bytes()
