"""pixread.train.lines.detector_drawings: lines drawn over made-up pages."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pixread.records import Box
from pixread.train.lines.detector_drawings import Sheet, _ink


@settings(deadline=None, max_examples=200)
@given(
    seed=st.integers(0, 10**6),
    width=st.floats(0.5, 90),
    height=st.floats(4, 60),
    corner=st.tuples(st.floats(-30, 110), st.floats(-30, 110)),
)
def test_boxes_of_any_shape_get_a_ground(seed: int, width: float, height: float, corner: tuple[float, float]):
    """Round corners that met in a narrow box ended a training after an hour."""
    sheet = Sheet(Image.new("RGB", (128, 128), "white"), random.Random(seed), words=(), fonts=())
    colour = _ink(sheet, Box(*corner, width, height))
    assert len(colour) == 3
    assert all(0 <= part <= 255 for part in colour)
