"""pixread.cpu.compiler: who waits for the compiler is told why."""

import pytest

from pixread.cpu.compiler import decoder_kernels, on_compile


def test_callbacks_are_called_once_when_something_is_compiled():
    if decoder_kernels() is None:
        pytest.skip("nothing to compile with")
    import numba

    called: list[str] = []
    on_compile(lambda: called.append("first"))
    first, second = (numba.njit(lambda number: number + 1) for _ in range(2))
    assert called == []
    assert [first(1), first(2), second(3)] == [2, 3, 4]
    assert called == ["first"]
