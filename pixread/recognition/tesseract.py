"""The program Tesseract as a source of words."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pixread.recognition.word_source import OcrWord, line_of_words
from pixread.records import Box, PageLine

if TYPE_CHECKING:
    from PIL import Image

PROGRAM = "tesseract"
TESSERACT_INSTALL_HINT = "it comes with the package tesseract-ocr of Debian and Ubuntu, and tesseract of Homebrew"
SPARSE_TEXT = ("--psm", "11")  # which pages and screens are
NO_LANGUAGES = {"osd", "equ"}  # models that tell scripts and formulas apart
WORD = "5"  # the level of words in the table


def tesseract_version() -> str | None:
    """As the program on the path says, None where there is none; ValueError for one that does not run."""
    if shutil.which(PROGRAM) is None:
        return None
    process = _run("--version")
    match = re.match(r"tesseract v?(\S+)", process.stdout + process.stderr)  # versions before 4 say it on stderr
    if process.returncode != 0 or match is None:
        raise ValueError(f"{PROGRAM} --version failed with exit code {process.returncode}: {process.stderr.strip()}")
    return match.group(1)


def installed_languages() -> tuple[str, ...]:
    """English first, where it is there: of languages that fit as well the program takes the first."""
    process = _run("--list-langs")
    named = [line.strip() for line in process.stdout.splitlines()[1:] if line.strip()]
    return tuple(sorted({*named} - NO_LANGUAGES, key=lambda name: (name != "eng", name)))


class Tesseract:
    """The program, started anew for every picture."""

    def __init__(self, *, num_threads: int | None = None, languages: Sequence[str] | None = None) -> None:
        """num_threads: None for as many as there are cores. languages: by Tesseract's names, None for all that are
        installed. ValueError where the program is not installed or does not run."""
        version = tesseract_version()
        if version is None:
            raise ValueError(f"Tesseract is not installed; {TESSERACT_INSTALL_HINT}")
        self.title = f"Tesseract {version}"
        self._languages = installed_languages() if languages is None else tuple(languages)
        self._num_threads = num_threads

    def read(self, image: Image.Image) -> list[PageLine]:
        """The lines of a picture. ValueError with the program's last words when it fails."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "picture.png"
            image.save(path, compress_level=1)
            return self.read_file(path)

    def read_file(self, path: str | Path) -> list[PageLine]:
        """The lines of a picture in a file."""
        languages = ("-l", "+".join(self._languages)) if self._languages else ()
        # `tsv` says the same words as the text output, and where they are.
        process = _run(str(path), "-", *SPARSE_TEXT, *languages, "tsv", num_threads=self._num_threads)
        if process.returncode != 0:
            messages = process.stderr.strip().splitlines()[-1:] or ["it messages nothing"]
            raise ValueError(f"{PROGRAM} failed with exit code {process.returncode}: {messages[0]}")
        return lines_of_table(process.stdout)


def _run(*arguments: str, num_threads: int | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ if num_threads is None else {**os.environ, "OMP_THREAD_LIMIT": str(num_threads)}
    try:
        return subprocess.run(
            [PROGRAM, *arguments], env=environment, capture_output=True, encoding="utf-8", errors="replace"
        )
    except OSError as error:
        raise ValueError(f"{PROGRAM} does not run: {error.strerror}") from error


def lines_of_table(table: str) -> list[PageLine]:
    """The lines of Tesseract's TSV: words that share page, block, paragraph and line."""
    lines: dict[tuple[str, ...], list[OcrWord]] = defaultdict(list)
    for row in table.split("\n")[1:]:
        level, *fields = row.split("\t", 11)
        if level == WORD and len(fields) == 11 and (text := fields[10].strip()):
            x, y, width, height, percent = (float(field) for field in fields[5:10])
            lines[tuple(fields[:4])].append((text, Box(x, y, width, height), max(percent, 0.0) / 100))
    return [line_of_words(words) for words in lines.values()]
