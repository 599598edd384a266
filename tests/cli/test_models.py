"""pixread.cli.models: models by the names that users type."""

from pathlib import Path

import pytest

from pixread.cli.models import COMPILING, load_reader
from pixread.cpu.compiler import decoder_kernels


def test_users_are_told_what_they_wait_for(tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]):
    if decoder_kernels() is None:
        pytest.skip("nothing to compile with")
    import numba

    for _ in range(2):
        load_reader(str(tiny_checkpoint), device="cpu", dtype="float32")
    assert capsys.readouterr().err == ""
    assert numba.njit(lambda number: number + 1)(1) == 2
    assert capsys.readouterr().err == f"{COMPILING}\n"
