"""The readers that ours is compared with: which there are, and whether they are on this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from pixread.bench.machine import version_of
from pixread.bench.read_readers import TESSERACT

NONE = "none"


@dataclass(frozen=True, slots=True)
class Peer:
    """A reader to compare with. make: what holds it in a process. version: None where it is not installed."""

    name: str
    title: str
    make: str
    version: Callable[[], str | None]
    install: str

    @property
    def missing(self) -> str:
        return f"{self.title} is not installed; {self.install}"


def tesseract_version() -> str | None:
    """As the program on the path says; ValueError for one that does not run."""
    if shutil.which(TESSERACT) is None:
        return None
    try:
        run = subprocess.run([TESSERACT, "--version"], capture_output=True, encoding="utf-8", errors="replace")
    except OSError as error:
        raise ValueError(f"{TESSERACT} does not run: {error.strerror}") from error
    found = re.match(r"tesseract v?(\S+)", run.stdout + run.stderr)  # versions before 4 say it on stderr
    if run.returncode != 0 or found is None:
        raise ValueError(f"{TESSERACT} --version failed with exit code {run.returncode}: {run.stderr.strip()}")
    return found.group(1)


def rapidocr_version() -> str | None:
    return version_of("rapidocr-onnxruntime") if find_spec("rapidocr_onnxruntime") else None


PEERS = (
    Peer(
        "tesseract",
        "Tesseract",
        "pixread.bench.read_readers:Tesseract",
        tesseract_version,
        "it comes with the package tesseract-ocr of Debian and Ubuntu, and tesseract of Homebrew",
    ),
    Peer(
        "rapidocr",
        "RapidOCR",
        "pixread.bench.read_readers:RapidOcr",
        rapidocr_version,
        "pip install 'pixread[peers]' installs it (Python 3.11 and 3.12)",
    ),
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The peers that take part with their versions, and what is to be said of the others."""

    versions: tuple[tuple[Peer, str], ...]
    notes: tuple[str, ...] = ()


def chosen_peers(names: Sequence[str] | None) -> Chosen:
    """The named ones, or for None those that are there. ValueError for a name that is unknown or not installed."""
    known = [peer.name for peer in PEERS]
    wrong = [name for name in names or () if name not in {*known, NONE}]
    if wrong or (names is not None and NONE in names and len(names) > 1):
        said = ", ".join(names or ())
        raise ValueError(f"pages can be read against {' and '.join(known)}, or {NONE} of them, got {said!r}")
    found = [(peer, peer.version()) for peer in PEERS if names is None or peer.name in names]
    missing = tuple(peer.missing for peer, version in found if version is None)
    if missing and names is not None:
        raise ValueError(missing[0])
    return Chosen(tuple((peer, version) for peer, version in found if version is not None), missing)
