"""Processes that hold something and are asked, over and over, what it does."""

import os
from pathlib import Path

import pytest

from pixread.bench.live import LiveProcess, all_closed

MIB = 1 << 20
has_proc = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is read from /proc")


def counter(**options: int) -> LiveProcess:
    """collections:Counter has methods that take and give what JSON knows."""
    return LiveProcess("collections:Counter", threads=1, **options)


def test_state_is_kept_between_requests():
    with counter(a=2, b=1) as process:
        assert process.do("total").found == 3
        process.do("update", c=5)
        answer = process.do("total")
    assert answer.found == 8
    assert answer.seconds >= 0


@has_proc
def test_peak_is_that_of_one_request():
    """A request that holds 200 MiB for a moment shows them; the next one does not."""
    with LiveProcess("tests.bench.holder:Holder", threads=1) as process:
        quiet = process.do("hold", num_bytes=1).peak_mib["memory"]
        loud = process.do("hold", num_bytes=200 * MIB).peak_mib["memory"]
        after = process.do("hold", num_bytes=1).peak_mib["memory"]
    assert 195 <= loud - quiet < 260
    assert after - quiet < 50


def test_threads_are_told():
    with LiveProcess("tests.bench.holder:Holder", threads=3) as process:
        assert process.do("setting", name="OMP_NUM_THREADS").found == "3"


def test_what_is_printed_is_no_answer():
    with LiveProcess("tests.bench.holder:Holder", threads=1) as process:
        assert process.do("say", what="{}").found is None


def test_failures_say_their_last_words():
    with pytest.raises(RuntimeError, match=r"^a measured process failed: no such thing$"):
        LiveProcess("tests.bench.holder:refuse", threads=1, said="no such thing")
    process = counter()
    with pytest.raises(RuntimeError, match="AttributeError: 'Counter' object has no attribute 'fly'"):
        process.do("fly")


def test_all_are_closed_however_it_ends():
    processes: dict[str, LiveProcess] = {}
    with pytest.raises(ZeroDivisionError), all_closed(processes):
        processes["one"] = LiveProcess("tests.bench.holder:Holder", threads=1)
        number = processes["one"].do("process").found
        raise ZeroDivisionError
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)
