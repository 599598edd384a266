"""What the tests of data sets write: JSON files and small drawn pictures."""

import io
import json
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from pixread.tasks.task import Skipped


def picture(text: str = "", kind: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (60, 24)) -> bytes:
    """A small picture with a text on it, so that every text gives other bytes."""
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).text((2, 2), text, fill="black")
    buffer = io.BytesIO()
    image.convert(mode).save(buffer, kind)
    return buffer.getvalue()


def write(path: Path, content: Any) -> Path:
    """A file with bytes or text as they are, and with anything else as JSON; its folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def skips(found: list[Any]) -> list[tuple[str, str]]:
    """Id and reason of what was skipped."""
    return [(item.id, item.reason) for item in found if isinstance(item, Skipped)]
