"""Which fonts a rendered page may use: one fixed choice for every generic family, and the families installed here."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from xml.sax.saxutils import escape

# Generic or common family -> the free families that stand for it, best first, metric-compatible where such exist.
_CHOICES: dict[str, tuple[str, ...]] = {
    "sans-serif": ("Liberation Sans", "Arimo", "DejaVu Sans"),
    "serif": ("Liberation Serif", "Tinos", "DejaVu Serif"),
    "monospace": ("Liberation Mono", "Cousine", "DejaVu Sans Mono"),
    "system-ui": ("Liberation Sans", "Arimo", "DejaVu Sans"),
    "Arial": ("Liberation Sans", "Arimo"),
    "Helvetica": ("Liberation Sans", "Arimo"),
    "Times New Roman": ("Liberation Serif", "Tinos"),
    "Times": ("Liberation Serif", "Tinos"),
    "Courier New": ("Liberation Mono", "Cousine"),
    "Courier": ("Liberation Mono", "Cousine"),
}

# Families for letters that the chosen family lacks, best first: without an order, whichever font of a thousand comes
# first draws them, a brush script as likely as not. Those of the page's language go before all others.
_FALLBACKS = (
    "Noto Sans",
    "DejaVu Sans",
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Noto Sans CJK TC",
    "Noto Sans CJK KR",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "IPAGothic",
    "NanumGothic",
    "Droid Sans Fallback",
    *(
        f"Noto Sans {script}"
        for script in [
            "Arabic",
            "Hebrew",
            "Devanagari",
            "Bengali",
            "Tamil",
            "Telugu",
            "Kannada",
            "Malayalam",
            "Gujarati",
            "Gurmukhi",
            "Sinhala",
            "Thai",
            "Lao",
            "Khmer",
            "Myanmar",
            "Georgian",
            "Armenian",
            "Ethiopic",
            "Symbols",
            "Symbols2",
            "Math",
        ]
    ),
    "FreeSans",
    "Noto Color Emoji",
    "Symbola",
    "Unifont",
)

# Fonts that claim Latin letters and draw something else: signs, Greek letters, keys, or capitals for small letters.
_NO_LETTERS = re.compile(
    r"symbol|emoji|icon|dingbat|barcode|webdings|wingdings|\bmath\b|redacted|last resort|"
    r"d050000l|ellhnikh|alfa-beta|keyboard|small ?caps|\bcaps\b|bebas",
    re.IGNORECASE,
)


def fontconfig(*, antialias: bool = True) -> str:
    """A fontconfig file: the system's fonts, generic families fixed by our table, hinting off."""
    aliases = "\n".join(
        f'  <alias binding="strong"><family>{escape(name)}</family><prefer>'
        + "".join(f"<family>{escape(choice)}</family>" for choice in choices)
        + "</prefer></alias>"
        for name, choices in _CHOICES.items()
    )
    fallbacks = "".join(f"<string>{escape(name)}</string>" for name in _FALLBACKS)
    return f"""<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir>/usr/local/share/fonts</dir>
  <dir prefix="xdg">fonts</dir>
  <cachedir>/var/cache/fontconfig</cachedir>
  <cachedir prefix="xdg">fontconfig</cachedir>
  <match target="pattern">
    <edit name="family" mode="append_last"><string>sans-serif</string></edit>
    <edit name="family" mode="append_last" binding="weak">{fallbacks}</edit>
  </match>
{aliases}
  <match target="font">
    <edit name="antialias" mode="assign"><bool>{"true" if antialias else "false"}</bool></edit>
    <edit name="hinting" mode="assign"><bool>false</bool></edit>
    <edit name="autohint" mode="assign"><bool>false</bool></edit>
    <edit name="rgba" mode="assign"><const>none</const></edit>
    <edit name="embeddedbitmap" mode="assign"><bool>false</bool></edit>
  </match>
</fontconfig>
"""


@functools.cache
def text_families() -> tuple[str, ...]:
    """The installed font families that can write English, sorted; empty where the `fc-list` program is missing."""
    program = shutil.which("fc-list")
    if program is None:
        return ()
    command = [program, ":lang=en", "family"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout
    families = {line.split(",")[0].replace("\\", "").strip() for line in listed.splitlines()}
    return tuple(sorted(family for family in families if family and not _NO_LETTERS.search(family)))
