"""Exact match."""

from __future__ import annotations

import pytest

from pixread.metrics.exact import exact_match


@pytest.mark.parametrize(
    ("prediction", "truth", "expected"),
    [
        ("<text>", "<text>", 1.0),  # the same
        ("<text>", "<text", 0.0),  # one character short
        ("Fox", "fox", 0.0),  # case counts
        ("fox ", "fox", 0.0),  # white space counts
        ("e\u0301", "é", 0.0),  # code points count, not looks
        ("", "", 1.0),  # both empty
        ("", "fox", 0.0),  # nothing read
    ],
)
def test_hand_checked(prediction, truth, expected):
    assert exact_match(prediction, truth) == expected
