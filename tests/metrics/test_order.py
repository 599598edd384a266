"""Reading order: agreement of two orders, by hand."""

import pytest

from pixread.metrics.order import order_agreement


@pytest.mark.parametrize(
    ("prediction", "truth", "expected"),
    [
        ("a b c d", "a b c d", 1.0),
        ("d c b a", "a b c d", -1.0),
        ("a c b d", "a b c d", 2 / 3),  # one of six pairs is swapped
        ("c d a b", "a b c d", -1 / 3),  # two columns in the wrong order: four of six pairs
        ("b x a", "a b", -1.0),  # what was invented plays no part
        ("a d", "a b c d", 1.0),  # nor does what was missed
        ("a b a c", "a b c", 1.0),  # a stands twice, so only b and c are compared
        ("a b", "a c", None),
        ("a a b b", "a b", None),
        ("", "", None),
    ],
)
def test_agreement(prediction: str, truth: str, expected: float | None):
    found = order_agreement(prediction.split(), truth.split())
    assert found == (None if expected is None else pytest.approx(expected))
