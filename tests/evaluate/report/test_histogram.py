"""The histogram of scores."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from pixread.evaluate.report.histogram import NUM_BARS, bin_counts, histogram


def test_edges_belong_to_the_bin_above_and_one_to_the_last():
    counts = bin_counts([0.0, 0.049, 0.05, 0.5, 0.999, 1.0])
    assert counts == [2, 1, *[0] * 7, 0, 1, *[0] * 8, 2]


def test_a_longer_axis_is_labelled_to_its_end():
    root = ET.fromstring(histogram([0.1, 2.5], end=2.5, unit=100))
    assert [text.text for text in root.findall("text")][-6:] == ["0", "50", "100", "150", "200", "250"]
    assert [float(bar.attrib["height"]) > 0 for bar in root.findall("rect")] == [True, *[False] * 18, True]


@pytest.mark.parametrize("scores", [[], [0.3], [0.0, 1.0, 1.0]])
def test_svg_is_well_formed_with_a_bar_for_each_bin(scores):
    root = ET.fromstring(histogram(scores))
    bars = root.findall("rect")
    assert len(bars) == NUM_BARS
    heights = [float(bar.attrib["height"]) for bar in bars]
    assert [height > 0 for height in heights] == [found > 0 for found in bin_counts(scores)]
