"""The font of all text that is drawn on pictures, and which installed fonts have the characters that it lacks."""

from __future__ import annotations

import shutil
import subprocess
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path

from PIL import ImageFont

FONT_FILE = "LiberationSans-Regular.ttf"  # same advance widths as Arial
PROBE_SIZE = 24  # pixels
PROBE_LAYOUT = ImageFont.Layout.BASIC  # glyph by glyph: raqm refuses some lone characters
# Characters that no font has a glyph for: it draws its empty box.
MISSING = ("\U0010fffd", "\uffff")
SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
FOLDERS = (
    *("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts"),
    *("/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts"),
    *("C:/Windows/Fonts", "~/AppData/Local/Microsoft/Windows/Fonts"),
)
# They draw one box for all characters of a script, or nothing.
STANDINS = ("lastresort", "adobeblank", "adobe-blank", "notdef")
# Of two fonts with a character, the one whose file's name has fewer of these is taken.
STYLES = ("bold", "black", "heavy", "italic", "oblique", "light", "thin", "condensed", "narrow", "mono", "serif")


@dataclass(frozen=True, slots=True)
class Typeface:
    """A font file, and which of the fonts in it."""

    file: str
    index: int = 0


@lru_cache(maxsize=64)
def font(size: int, layout: ImageFont.Layout | None = None) -> ImageFont.FreeTypeFont:
    """The font of all text that is drawn on pictures, at a size in pixels."""
    with as_file(files("pixread") / "assets" / "fonts" / FONT_FILE) as path:
        return ImageFont.truetype(str(path), size, layout_engine=layout)


@lru_cache(maxsize=256)
def face_font(face: Typeface, size: int, layout: ImageFont.Layout | None = None) -> ImageFont.FreeTypeFont | None:
    """An installed font at a size in pixels; None where it has no outlines to make it of, or is damaged."""
    try:
        return ImageFont.truetype(face.file, size, index=face.index, layout_engine=layout)
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=1)
def installed() -> tuple[Typeface, ...]:
    """The fonts of this system, plain ones first: those of fontconfig where it is there, else of known folders."""
    listed = _listed()
    faces = listed if listed is not None else _in_folders(Path(folder).expanduser() for folder in FOLDERS)
    usable = {face for face in faces if not any(word in Path(face.file).name.lower() for word in STANDINS)}
    return tuple(sorted(usable, key=_order))


def _order(face: Typeface) -> tuple[int, str, str, int]:
    name = Path(face.file).name.lower()
    return sum(style in name for style in STYLES), name, face.file, face.index


def _listed() -> list[Typeface] | None:
    program = shutil.which("fc-list")
    if program is None:
        return None
    try:
        listing = subprocess.run(
            [program, "--format", "%{file}\t%{index}\n"], capture_output=True, check=True, timeout=60
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    rows = [line.rpartition("\t") for line in listing.decode(errors="surrogateescape").splitlines()]
    # The upper bits number the named instances of a variable font.
    faces = [Typeface(file, int(index) & 0xFFFF) for file, _, index in rows if index.isdigit()]
    return [face for face in faces if face.file.lower().endswith(SUFFIXES)]


def _in_folders(folders: Iterable[Path]) -> list[Typeface]:
    names = (file for folder in folders for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)
    return [Typeface(str(file), index) for file in names for index in range(_fonts_in(file))]


def _fonts_in(file: Path) -> int:
    """How many fonts a file holds; a collection says so behind its first eight bytes."""
    try:
        with file.open("rb") as opened:
            head = opened.read(12)
    except OSError:
        return 0
    return int.from_bytes(head[8:12], "big") if head.startswith(b"ttcf") else 1


@lru_cache(maxsize=200_000)
def has_glyph(face: Typeface, character: str) -> bool:
    """Whether an installed font has a glyph of its own for a character, one that shows."""
    mask = _mask(face, character)
    return mask is not None and any(mask) and mask not in {_mask(face, missing) for missing in MISSING}


@lru_cache(maxsize=20_000)
def is_plain(character: str) -> bool:
    """Whether the font of all text has the character, or it is one that shows nothing by itself."""
    if unicodedata.category(character) == "Cf":
        return True
    probe = font(PROBE_SIZE, PROBE_LAYOUT)
    return bytes(probe.getmask(character)) not in {bytes(probe.getmask(missing)) for missing in MISSING}


@lru_cache(maxsize=20_000)
def _mask(face: Typeface, character: str) -> bytes | None:
    probe = face_font(face, PROBE_SIZE, PROBE_LAYOUT)
    try:
        return None if probe is None else bytes(probe.getmask(character))
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=20_000)
def face_with(characters: str) -> Typeface | None:
    """The first of the installed fonts that has them all."""
    return next((face for face in installed() if all(has_glyph(face, character) for character in characters)), None)
