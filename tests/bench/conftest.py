"""Benches small enough for a test: a tiny model, a tiny probe of the machine, and few variants."""

import sys
from collections.abc import Callable

import pytest

from pixread.bench.network import roofline, variants
from pixread.bench.network.bench_config import BenchConfig

Keep = Callable[..., None]


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> BenchConfig:
    """A config whose model is made below a temporary folder, and a roofline that is measured at once."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr(roofline, "NUM_BYTES", 1 << 22)
    monkeypatch.setattr(roofline, "SIDE", 64)
    return BenchConfig(size="tiny", repeats=2, threads=1)


@pytest.fixture
def keep(monkeypatch: pytest.MonkeyPatch) -> Keep:
    """Leaves only the named variants: each takes seconds to import what it needs."""

    def only(*names: str) -> None:
        monkeypatch.setattr(variants, "VARIANTS", [one for one in variants.VARIANTS if one.name in names])

    return only


@pytest.fixture
def no_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine where it is not installed."""
    monkeypatch.setitem(sys.modules, "transformers", None)
