"""Processes that hold something and are asked, over and over, what it does."""

import os
from pathlib import Path

import pytest

from pixread.bench.harness.worker_process import WorkerProcess, all_closed

MIB = 1 << 20
has_proc = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is read from /proc")


def counter(**options: int) -> WorkerProcess:
    """collections:Counter has methods that take and give what JSON knows."""
    return WorkerProcess("collections:Counter", threads=1, **options)


def test_state_is_kept_between_requests():
    with counter(a=2, b=1) as process:
        assert process.call("total").result == 3
        process.call("update", c=5)
        answer = process.call("total")
    assert answer.result == 8
    assert answer.seconds >= 0


@has_proc
def test_peak_is_that_of_one_request():
    """A request that holds 200 MiB for a moment shows them; the next one does not."""
    with WorkerProcess("tests.bench.harness.holder:Holder", threads=1) as process:
        quiet = process.call("hold", num_bytes=1).peak_mib["memory"]
        loud = process.call("hold", num_bytes=200 * MIB).peak_mib["memory"]
        after = process.call("hold", num_bytes=1).peak_mib["memory"]
    assert 195 <= loud - quiet < 260
    assert after - quiet < 50


def test_threads_are_told():
    with WorkerProcess("tests.bench.harness.holder:Holder", threads=3) as process:
        assert process.call("setting", name="OMP_NUM_THREADS").result == "3"


def test_what_is_printed_is_no_answer():
    with WorkerProcess("tests.bench.harness.holder:Holder", threads=1) as process:
        assert process.call("say", what="{}").result is None


def test_failures_say_their_last_words():
    with pytest.raises(RuntimeError, match=r"^a measured process failed: no such thing$"):
        WorkerProcess("tests.bench.harness.holder:refuse", threads=1, said="no such thing")
    process = counter()
    with pytest.raises(RuntimeError, match="AttributeError: 'Counter' object has no attribute 'fly'"):
        process.call("fly")


def test_all_are_closed_however_it_ends():
    processes: dict[str, WorkerProcess] = {}
    with pytest.raises(ZeroDivisionError), all_closed(processes):
        processes["one"] = WorkerProcess("tests.bench.harness.holder:Holder", threads=1)
        number = processes["one"].call("process").result
        raise ZeroDivisionError
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)
