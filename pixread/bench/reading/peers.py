"""The readers that pixread is compared with: which there are, and whether they are on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pixread.recognition import rapidocr, tesseract

NONE = "none"


@dataclass(frozen=True, slots=True)
class Peer:
    """A reader to compare with."""

    name: str  # on the command line
    title: str  # in tables
    make: str  # "module:class" that holds it in a process
    version: Callable[[], str | None]  # None where it is not installed
    install: str  # how to install it, as half a sentence

    @property
    def missing(self) -> str:
        return f"{self.title} is not installed; {self.install}"


PEERS = (
    Peer(
        "tesseract",
        "Tesseract",
        "pixread.bench.reading.readers:Tesseract",
        tesseract.tesseract_version,
        tesseract.TESSERACT_INSTALL_HINT,
    ),
    Peer(
        "rapidocr",
        "RapidOCR",
        "pixread.bench.reading.readers:RapidOcr",
        rapidocr.rapidocr_version,
        rapidocr.RAPIDOCR_INSTALL_HINT,
    ),
)


@dataclass(frozen=True, slots=True)
class ChosenPeers:
    """The peers that take part with their versions, and what is to be said of the others."""

    versions: tuple[tuple[Peer, str], ...]
    notes: tuple[str, ...] = ()


def chosen_peers(names: Sequence[str] | None) -> ChosenPeers:
    """The named ones, or for None those that are there. ValueError for a name that is unknown or not installed."""
    known = [peer.name for peer in PEERS]
    unknown = [name for name in names or () if name not in {*known, NONE}]
    if unknown or (names is not None and NONE in names and len(names) > 1):
        listed = ", ".join(names or ())
        raise ValueError(f"pages can be read against {' and '.join(known)}, or {NONE} of them, got {listed!r}")
    versions = [(peer, peer.version()) for peer in PEERS if names is None or peer.name in names]
    missing = tuple(peer.missing for peer, version in versions if version is None)
    if missing and names is not None:
        raise ValueError(missing[0])
    return ChosenPeers(tuple((peer, version) for peer, version in versions if version is not None), missing)
