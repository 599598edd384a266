"""What the machine can do, and the least time that follows."""

import pytest

from pixread.bench.network.flops import Cost
from pixread.bench.network.roofline import PeakRates, RooflineProbe


@pytest.mark.parametrize(
    ("work", "dtype", "seconds"),
    [
        (Cost(200, 1), "float32", 2.0),  # reading takes longer
        (Cost(1, 50), "float32", 5.0),  # computing does
        (Cost(1, 50), "bfloat16", 2.5),
        (Cost(1, 50), "int8", None),  # was not measured
    ],
)
def test_least_seconds(work: Cost, dtype: str, seconds: float | None):
    assert PeakRates(100, {"float32": 10, "bfloat16": 20}).seconds({dtype: work}) == seconds


def test_work_of_two_kinds_is_read_and_computed_in_turn():
    rates = PeakRates(100, {"float32": 10, "bfloat16": 20})
    assert rates.seconds({"float32": Cost(10, 30), "bfloat16": Cost(10, 40)}) == 3.0 + 2.0
    assert rates.seconds({"float32": Cost(400, 30), "bfloat16": Cost(200, 40)}) == 6.0
    assert rates.seconds({"float32": Cost(10, 30), "int8": Cost(10, 40)}) is None


def test_measured_rates():
    rates = RooflineProbe(device="cpu", num_bytes=1 << 22, side=64).rates()
    assert rates["bandwidth"] > 0
    assert set(rates["matrix"]) >= {"float32", "bfloat16"}
    assert min(rates["matrix"].values()) > 0


def test_rates_in_words():
    said = str(PeakRates(32.1e9, {"float32": 220e9}))
    assert said == "reads 32.1 GB/s, multiplies matrices with 1e9 operations/s: 220 in float32"
