"""What conditions make of a picture, on one that is drawn here."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pixread.bench.reading.conditions import CAMERA_LIGHT, PIXEL_CONDITIONS, Condition, background_of
from pixread.bench.reading.rendered_conditions import RENDERED_CONDITIONS
from pixread.metrics.unscored import shares_within
from pixread.records import Box

BY_NAME = {condition.name: condition for condition in PIXEL_CONDITIONS}
GROUND, INK = (250, 240, 230), (20, 30, 90)


@pytest.fixture
def page() -> Image.Image:
    """Lines on coloured paper, wide and not square, so that mixed up sides show."""
    image = Image.new("RGB", (300, 200), GROUND)
    pen = ImageDraw.Draw(image)
    for y in range(30, 180, 20):
        pen.text((20, y), "the quick brown fox jumps over it", fill=INK)
    return image


def altered(name: str, image: Image.Image, seed: int = 1) -> Image.Image:
    return BY_NAME[name].picture(image, seed=seed)


@pytest.mark.parametrize("condition", PIXEL_CONDITIONS, ids=lambda condition: condition.name)
def test_pictures_stay_pictures_and_the_seed_decides(condition: Condition, page: Image.Image):
    before = page.tobytes()
    found = condition.picture(page, seed=3)
    assert found.mode == "RGB"
    assert found.tobytes() == condition.picture(page, seed=3).tobytes()
    assert page.tobytes() == before
    assert condition.picture(Image.new("RGB", (1, 1)), seed=0).mode == "RGB"


@pytest.mark.parametrize(("name", "size"), [("size-75", (225, 150)), ("size-50", (150, 100)), ("size-200", (600, 400))])
def test_sizes(name: str, size: tuple[int, int], page: Image.Image):
    assert altered(name, page).size == size


def test_worse_jpeg_is_farther_from_the_page(page: Image.Image):
    def away(name: str) -> float:
        return float(np.abs(np.asarray(altered(name, page), float) - np.asarray(page, float)).mean())

    assert 0 == away("as-rendered") < away("jpeg-60") < away("jpeg-30")


def test_a_turned_page_loses_nothing_and_gets_no_new_ground(page: Image.Image):
    found = altered("turned-3", page)
    assert found.width > page.width
    assert found.height > page.height
    assert found.getpixel((0, 0)) == GROUND
    darkness = [
        float((grey[0, 0] - grey).sum()) for grey in (np.asarray(one.convert("L"), float) for one in (page, found))
    ]
    assert darkness[1] == pytest.approx(darkness[0], rel=0.08)  # a line of eight is more
    # Clockwise: lines go down to the right.
    rows = np.asarray(found.convert("L"), float)
    tops = [int(np.argmax(rows[:, columns].min(axis=1) < 150)) for columns in (slice(0, 60), slice(150, 200))]
    assert tops[0] < tops[1]


def test_a_photograph_keeps_its_size_and_is_darker_on_one_side(page: Image.Image):
    found = np.asarray(altered("photographed", page), float)
    assert found.shape == (200, 300, 3)
    sides = [found[:, :30].mean(), found[:, -30:].mean(), found[:20].mean(), found[-20:].mean()]
    assert max(sides) - min(sides) > 0.1 * (CAMERA_LIGHT[1] - CAMERA_LIGHT[0]) * 255
    assert found.std(axis=1).min() > 2  # noise everywhere, along each row
    assert not np.array_equal(found, np.asarray(altered("photographed", page, seed=2), float))


def test_black_and_white_is_two_tones_that_part_ink_from_paper(page: Image.Image):
    found = np.asarray(altered("binarised", page))
    assert set(np.unique(found)) == {0, 255}
    assert (found[0] == 255).all()
    assert 0.01 < (found == 0).mean() < 0.3
    dark = altered("binarised", Image.eval(page, lambda level: 255 - level))
    assert (np.asarray(dark)[0] == 0).all()


def test_the_ground_is_the_commonest_colour_along_the_sides(page: Image.Image):
    page.paste((0, 0, 0), (40, 20, 280, 190))
    assert background_of(page) == GROUND


MARK = Box(210, 120, 50, 30)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    "condition", [*PIXEL_CONDITIONS, *(one.condition for one in RENDERED_CONDITIONS)], ids=lambda one: one.name
)
def test_a_condition_tells_where_a_drawn_mark_goes(condition: Condition, seed: int):
    clean = Image.new("RGB", (321, 200), "white")
    clean.paste((0, 0, 0), (210, 120, 260, 150))
    found = condition.picture(clean, seed=seed)
    (quad,) = condition.quads([MARK], before=clean.size, after=found.size, seed=seed)
    # The middle of the dark pixels is that of the mark, and as much of the picture is dark.
    dark = np.asarray(found.convert("L"), float) < 110
    y, x = (float(np.mean(at)) + 0.5 for at in np.nonzero(dark))
    assert np.mean(quad, axis=0) == pytest.approx((x, y), abs=0.5)
    sides = np.array(quad) - np.roll(quad, 1, axis=0)
    area = abs(sides[0, 0] * sides[1, 1] - sides[0, 1] * sides[1, 0]) / 2
    area += abs(sides[2, 0] * sides[3, 1] - sides[2, 1] * sides[3, 0]) / 2
    assert dark.sum() == pytest.approx(area, rel=0.05)
    assert shares_within([Box(x - 3, y - 3, 6, 6), Box(5, 5, 6, 6)], [quad]).tolist() == [1, 0]
