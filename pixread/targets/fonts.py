"""Which of the installed fonts can draw which characters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

from pixread.filenames import data_below

SUFFIXES = (".ttf", ".otf", ".ttc")
SHIPPED = Path(__file__).parent.parent / "assets" / "fonts"
FOLDERS = (
    *(str(SHIPPED), "/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts"),
    *("~/Library/Fonts", "/Library/Fonts", "C:/Windows/Fonts"),
)
PROBE = "AagR7e"  # letters that differ in every text font
MISSING = "\U0010fffd"  # a private character that fonts draw as their empty box


def find_fonts(folders: Iterable[str | Path] = FOLDERS, *, probe: str = PROBE) -> tuple[str, ...]:
    """The text fonts below the folders that draw the probe's letters, sorted by path; all others left out.

    Raises ValueError when there is none.
    """
    names = [Path(folder).expanduser() for folder in folders]
    files = sorted(str(file) for root in names for file in data_below(root, "**/*") if file.suffix.lower() in SUFFIXES)
    usable = tuple(file for file in files if _draws(file, probe))
    if not usable:
        raise ValueError(f"no text font with the letters {probe} found below {', '.join(map(str, names))}")
    return usable


# Families that browsers fall back to, or that pages ask for most often.
SCREEN_FAMILIES = (
    *("LiberationSans", "LiberationSerif", "LiberationMono", "DejaVuSans", "Arimo", "Tinos", "Cousine"),
    *("Roboto-", "OpenSans-", "Lato-", "NotoSans-", "NotoSerif-", "Inter-", "Montserrat-", "Carlito"),
    *("NotoSansDevanagari-", "Lohit-Devanagari", "Mangal", "Nirmala"),
)
PLAIN_STYLES = ("Regular", "Bold", "Medium", "Semibold", "SemiBold", "Italic", "DejaVuSans.", "DejaVuSans-")


def weigh_screen_fonts(files: Sequence[str]) -> tuple[str, ...]:
    """The fonts with the common screen fonts repeated until they make up about half of the draws."""
    names = {file: Path(file).name for file in files}
    common = [
        file
        for file, name in names.items()
        if name.startswith(SCREEN_FAMILIES) and any(style in name for style in PLAIN_STYLES)
    ]
    return (*files, *common * (len(files) // max(1, len(common))))


def _draws(file: str, probe: str) -> bool:
    try:
        font = ImageFont.truetype(file, 20)
        masks = [bytes(font.getmask(letter)) for letter in probe]
    except (OSError, ValueError):
        return False
    return all(any(mask) for mask in masks) and len({*masks, bytes(font.getmask(MISSING))}) == len(probe) + 1


@lru_cache(maxsize=4096)
def load_font(file: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(file, size)


@lru_cache(maxsize=200_000)
def can_draw(file: str, character: str) -> bool:
    """Whether the font has a glyph of its own for the character (blanks count as drawn)."""
    if character.isspace():
        return True
    font = load_font(file, 16)
    mask = bytes(font.getmask(character))
    return any(mask) and mask != bytes(font.getmask(MISSING))


def drawable(file: str, text: str) -> str:
    """The text with an "o" for every character that the font lacks."""
    return "".join(char if can_draw(file, char) else "o" for char in text)
