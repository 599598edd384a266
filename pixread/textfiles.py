"""Text files as other systems write them: with a byte order mark or without, with any line ends."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from pixread.filenames import refuse_pipe

_MARKS = (  # the longer ones first: that of UTF-32 begins like that of UTF-16
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MARK = "\ufeff"
_END_OF_FILE = re.compile(r"\x1a\s*\Z")  # Ctrl-Z, with which DOS ended its files


def read_text(path: Path, *, newline: str | None = None) -> str:
    """The text of a file in UTF-8, or in UTF-16 or UTF-32 with a byte order mark; the mark is no part of it.

    newline: as in `open`; None makes every line end "\\n", "" leaves them. OSError for a file that cannot be
    read; ValueError, which does not name the file, for one that is no text in these encodings, a pipe or a device.
    """
    refuse_pipe(path)
    text = decoded(path.read_bytes())
    return re.sub("\r\n?", "\n", text) if newline is None else text


def read_lines(path: Path) -> list[str]:
    """The lines of a text file without their ends, and without the marks of files that were joined to it.

    They end at line feeds and carriage returns and at no other sign: a name or a text of JSON may hold those. Errors
    as in `read_text`.
    """
    return [line.removeprefix(_MARK) for line in read_text(path).split("\n")]


def decoded(content: bytes) -> str:
    """The text that the bytes of a file are. ValueError, which does not name the file, where they are none."""
    mark, encoding = next(((mark, name) for mark, name in _MARKS if content.startswith(mark)), (b"", "utf-8"))
    if encoding == "utf-8" and b"\0" in content[len(mark) :][:4]:
        raise ValueError("it begins with a NUL byte, as UTF-16 without a byte order mark does: save it as UTF-8")
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        where = f"byte 0x{content[len(mark) + error.start]:02x} in line {line}"
        raise ValueError(f"it is not {encoding.upper()} ({where}): save it as UTF-8") from error
    return _END_OF_FILE.sub("", text.lstrip(_MARK))
