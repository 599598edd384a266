"""Pages of invented words in the installed fonts, in which some words are bold, italic or monospaced."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

NON_LETTER_FONTS = ("emoji", "symbol", "barcode", "icon", "math", "dingbat", "music", "braille")
COMMON_FONTS = (
    "Liberation Sans",
    "DejaVu Sans",
    "Liberation Serif",
    "Noto Sans",
    "Roboto",
    "Open Sans",
    "Lato",
    "DejaVu Serif",
)
COMMON_MONOSPACED_FONTS = (
    "DejaVu Sans Mono",
    "Liberation Mono",
    "Noto Mono",
    "Cousine",
    "Hack",
    "FreeMono",
    "Inconsolata",
)
FONT_SIZES = (11, 12, 13, 14, 14, 15, 16, 16, 16, 17, 18, 20, 24, 28)  # pixels
NUM_PARAGRAPHS, MIN_WORDS = 26, 22  # of a page; of a paragraph
STYLE_CHANGES = ("b", "i", "m", "m", "bi", "bm", "im", "")  # of some words: bold, italic, monospaced
BOLD_WEIGHT = 600  # CSS font weights from here on are bold

StyleLabels = tuple[bool, bool, bool]  # bold, italic, monospaced, as `STYLES`


@dataclass(frozen=True, slots=True)
class StyledWords:
    """Words in one style."""

    text: str
    styles: StyleLabels


class PageGenerator:
    """Generates pages from a seed. Raises ValueError where no monospaced font with Latin letters is installed."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._fonts, self._monospaced = _font_families(":lang=en"), _font_families(":lang=en:spacing=100")
        if not self._monospaced:
            raise ValueError("no monospaced font with Latin letters is installed; at least one is needed")

    def page(self) -> tuple[str, list[StyledWords]]:
        """HTML, and its texts in document order."""
        paragraphs = [self._paragraph() for _ in range(NUM_PARAGRAPHS)]
        body = "\n".join(html for html, _ in paragraphs)
        html = f"<!doctype html><meta charset=utf-8><body style='margin:0'>{body}"
        return html, [text for _, texts in paragraphs for text in texts]

    def _paragraph(self) -> tuple[str, list[StyledWords]]:
        """Words of one style, and among them some of others."""
        rng = self._rng
        font = self._font(self._fonts, COMMON_FONTS, 0.6)
        monospaced = self._font(self._monospaced, COMMON_MONOSPACED_FONTS, 0.7)
        weight, italic = rng.choice([400, 400, 400, 400, 300, 700]), rng.random() < 0.06
        main_styles: StyleLabels = (weight >= BOLD_WEIGHT, italic, font in self._monospaced)
        texts, parts = list[StyledWords](), list[str]()
        while sum(len(text.text.split()) for text in texts) < MIN_WORDS:
            texts.append(StyledWords(self._words(rng.choice([1, 2, 3, 5, 8, 12])), main_styles))
            parts.append(escape(texts[-1].text))
            change = rng.choice(STYLE_CHANGES)
            span_weight = weight
            if "b" in change:
                span_weight = rng.choice([600, 700, 800]) if weight < BOLD_WEIGHT else 400
            span_italic, family = italic != ("i" in change), monospaced if "m" in change else font
            size = rng.choice([80, 85, 90, 95]) if "m" in change and rng.random() < 0.6 else 100
            words = self._words(rng.choice([1, 1, 1, 2, 2, 3, 4]))
            texts.append(StyledWords(words, (span_weight >= BOLD_WEIGHT, span_italic, family in self._monospaced)))
            css = f"{_font_css(span_weight, span_italic, family)};font-size:{size}%"
            parts.append(f'<span style="{css}">{escape(words)}</span>')
        css = f"{_font_css(weight, italic, font)};font-size:{rng.choice(FONT_SIZES)}px;{self._colour_css()}"
        return f'<p style="margin:0;padding:4px 12px;line-height:1.4;{css}">{" ".join(parts)}</p>', texts

    def _font(self, fonts: Sequence[str], common: Sequence[str], share: float) -> str:
        """With this probability one of the common fonts that are installed, else any."""
        installed = [name for name in common if name in fonts]
        return self._rng.choice(installed if installed and self._rng.random() < share else fonts)

    def _words(self, count: int) -> str:
        return " ".join(self._word() for _ in range(count))

    def _word(self) -> str:
        """Letters as frequent as in English or frequent ones only, a number, or something like code."""
        rng, kind = self._rng, self._rng.random()
        letters = [rng.choice("etaoinshrdlucmfwypvbgkjqxz" if rng.random() < 0.5 else "aeioutnsrl") for _ in range(12)]
        word = "".join(letters[: rng.choice([1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10, 12])])
        if kind < 0.03:
            return word + rng.choice(["()", "_" + word, "-" + word, "." + word, "=" + word])
        if kind < 0.07:
            return str(rng.randint(0, 9999))
        return word.upper() if kind < 0.11 else word.capitalize() if kind < 0.29 else word

    def _colour_css(self) -> str:
        """Dark on light, or one time in five light on dark."""
        rng = self._rng
        ink = [rng.randint(0, 110) for _ in range(3)] if rng.random() < 0.5 else [rng.randint(0, 60)] * 3
        if rng.random() < 0.2:
            ink, paper = [255 - value for value in ink], rng.randint(0, 50)
        else:
            paper = rng.randint(225, 255)
        return f"color:rgb({ink[0]},{ink[1]},{ink[2]});background:rgb({paper},{paper},{paper})"


def _font_families(pattern: str) -> list[str]:
    """Families of installed fonts with Latin letters that match fontconfig's pattern."""
    listed = subprocess.run(["fc-list", pattern, "family"], capture_output=True, text=True, check=True).stdout
    names = {line.split(",")[0].replace("\\", "").strip() for line in listed.splitlines()}
    return sorted(name for name in names if name and not any(part in name.lower() for part in NON_LETTER_FONTS))


def _font_css(weight: int, italic: bool, family: str) -> str:
    return f"font-weight:{weight};font-style:{'italic' if italic else 'normal'};font-family:'{family}'"
