"""Which characters a font has."""

from pathlib import Path

import pytest

from pixread.targets.fonts import SHIPPED, can_draw, find_fonts
from pixread.train.lines.coverage import coverage

FONT = find_fonts((SHIPPED,))[0]


def test_coverage_agrees_with_what_is_drawn():
    """A font of Noto's families lacks digits or Latin letters, and would draw empty boxes for them."""
    covered = coverage(FONT)
    letters = [chr(code) for start in (0x21, 0xA1, 0x400, 0x900, 0x4E00) for code in range(start, start + 0x50)]
    shown = [char for char in letters if char.isalnum()]
    assert [covered.has(char) for char in shown] == [can_draw(FONT, char) for char in shown]
    assert covered.has("Latin") and not covered.has("Latin漢")


def test_what_is_no_font_is_refused(tmp_path: Path):
    for content in (b"", b"text", b"\0\1\0\0\0\1", b"ttcf"):
        (tmp_path / "file.ttf").write_bytes(content)
        coverage.cache_clear()
        with pytest.raises(ValueError, match="is no TrueType or OpenType font"):
            coverage(str(tmp_path / "file.ttf"))
