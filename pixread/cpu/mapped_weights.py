"""Memory-mapped weights: while they are idle their pages go back to the system.

The pages stay in the system's page cache while nothing else needs the memory, and come back when they are read.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import mmap
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from torch import Tensor

MAPPINGS = Path("/proc/self/smaps")
Span = tuple[int, int]
"""The addresses of the first byte and of the first one behind."""


MIN_PATCHES = 1024
"""To encode so many takes a hundred times as long as to fetch again what was released meanwhile."""


class MappedWeights:
    """The weights of encoder and decoder, as far as they are memory-mapped and the same as on disk.

    Nobody may change them any more: what was changed would be lost.
    """

    def __init__(self, *, encoder: Sequence[Tensor] = (), decoder: Sequence[Tensor] = ()) -> None:
        clean = list(clean_file_mappings()) if encoder or decoder else []
        self._encoder, self._decoder = ([*_spans(weights, clean)] for weights in (encoder, decoder))

    @contextlib.contextmanager
    def released_while_idle(self, num_patches: int) -> Iterator[None]:
        """Releases the decoder's pages for as long as large pictures are encoded, and then the encoder's."""
        large = num_patches >= MIN_PATCHES
        release_pages([*self._decoder, *compiler_code_pages()] if large else [])
        yield
        if large and self._encoder:
            release_pages(self._encoder)
            trim_heap()  # what comes next is kept long


def release_pages(spans: Iterable[Span]) -> None:
    """Give pages back to the system; reading them fetches them again from the file."""
    for start, end in spans:
        ctypes.CDLL(None).madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED)


def trim_heap() -> None:
    """Give back what the C library keeps of memory that was freed, where it can."""
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):
        library.malloc_trim(0)


def compiler_code_pages() -> Sequence[Span]:
    """The code of numba's compiler, 70 MB that are idle once all loops are compiled; none before it is loaded."""
    return _compiler_code_pages() if "llvmlite.binding" in sys.modules else ()


@functools.cache
def _compiler_code_pages() -> Sequence[Span]:
    return tuple(clean_file_mappings(library="llvmlite"))


def clean_file_mappings(library: str | None = None) -> Iterator[Span]:
    """The parts of memory that are files, and were not written to; none where the system does not tell.

    library: a part of a file's path, of which those are given alone that never can be written to.
    """
    if not MAPPINGS.exists():
        return
    span, is_file = (0, 0), False
    for line in MAPPINGS.read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split()
        if words[0] == "Private_Dirty:":
            if is_file and words[1] == "0":
                yield span
        elif not words[0].endswith(":"):  # the head of the next one: addresses, rights, offset, device, inode, path
            start, _, end = words[0].partition("-")
            # A library goes on writing to its data, also after this was asked.
            wanted = library is None or (library in words[-1] and "w" not in words[1])
            span, is_file = (int(start, 16), int(end, 16)), words[4] != "0" and wanted


def _spans(weights: Iterable[Tensor], mappings: Sequence[Span]) -> Iterator[Span]:
    """The whole pages of each weight that lies in one of the mappings."""
    page = mmap.PAGESIZE
    for weight in weights:
        start, end = -(-weight.data_ptr() // page) * page, (weight.data_ptr() + weight.nbytes) // page * page
        if start < end and any(first <= start and end <= last for first, last in mappings):
            yield start, end
