import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw

from pixread.layout.learned import scales
from pixread.layout.learned.detector import LearnedDetector
from pixread.layout.learned.network import DetectorConfig, DetectorNetwork, Maps
from pixread.records import Box, Region

CORE = 0.54  # font sizes, height of a line's core


class BarNetwork(DetectorNetwork):
    """Takes black bars for the cores of lines and measures them, so that scales and tiles are tested without weights.

    A bar of t pixels stands for text of t / .54 px; bars lie more than 64 px apart, at the coarsest scale.
    """

    def __init__(self, *, smallest: float = 0.0, largest: float = 230.0) -> None:
        super().__init__(DetectorConfig(channels=(4, 4, 4, 4), blocks=(1, 1, 1, 1), pyramid=4))
        self.smallest, self.largest = smallest, largest  # px, font sizes beyond which nothing is seen

    def forward(self, pictures: torch.Tensor) -> Maps:
        ink = 1 - pictures.float().mean(dim=1, keepdim=True)
        thickness = F.avg_pool2d(ink, (127, 1), stride=1, padding=(63, 0)) * 127
        size = F.avg_pool2d(thickness, 4).clamp(min=1) / CORE
        seen = (F.avg_pool2d(ink, 2) - 0.5) * 20
        visible = F.interpolate(((size >= self.smallest) & (size <= self.largest)).float(), scale_factor=2)
        seen = torch.where(visible > 0, seen, -9)
        flat = torch.zeros_like(size)
        geometry = torch.cat([(size / 16).log(), flat, flat + 1, flat], dim=1)
        return Maps(seen, geometry, torch.cat([flat - 9] * 4, dim=1), torch.cat([flat - 9] * 4, dim=1))


def bars(size: tuple[int, int], places: list[tuple[int, int, int, float]]) -> Image.Image:
    """Bars on white: left, right, middle and font size of the text that each stands for."""
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    for left, right, middle, font in places:
        half = CORE * font / 2
        pen.rectangle((left, round(middle - half), right - 1, round(middle + half) - 1), fill="black")
    return image


def found(image: Image.Image, network: DetectorNetwork | None = None) -> list[Region]:
    (regions,) = LearnedDetector(network or BarNetwork(), precision="float32").detect([image])
    return sorted(regions, key=lambda region: region.box.y)


def check(regions: list[Region], places: list[tuple[int, int, int, float]], *, tolerance: float = 4.0) -> None:
    assert len(regions) == len(places)
    for region, (left, right, middle, font) in zip(regions, sorted(places, key=lambda place: place[2]), strict=True):
        assert region.height == pytest.approx(font, rel=0.15)
        top = middle - 0.62 * font
        assert (region.box.x, region.box.right) == pytest.approx((left, right), abs=tolerance + 0.12 * font)
        assert region.box.y == pytest.approx(top, abs=tolerance)


def test_lines_are_found_where_they_stand():
    places = [(40, 400, 100, 20.0), (60, 200, 200, 30.0), (300, 330, 300, 26.0)]
    check(found(bars((500, 400), places)), places)


def test_lines_over_several_tiles_are_one(monkeypatch: pytest.MonkeyPatch):
    """A line cut by a tile's edge came out in pieces; every line of a strip must be found once."""
    monkeypatch.setattr(scales, "TILE_PIXELS", 100_000)
    monkeypatch.setattr(scales, "TILE_SIDE", 256)
    places = [(30, 770, 100 + 300 * row, 24.0) for row in range(5)]
    check(found(bars((800, 1500), places)), places)


def test_small_text_beside_a_headline_is_looked_at_again():
    """With one scale for the whole picture either of them was lost."""
    places = [(40, 900, 150, 110.0), (60, 500, 420, 8.0), (60, 420, 520, 8.0)]
    check(found(bars((1000, 640), places), BarNetwork(smallest=7)), places)


def test_letters_too_large_for_the_network_are_found_at_a_coarser_scale():
    """Of a headline of 240 px, pieces of letters came out as lines."""
    places = [(60, 900, 300, 220.0), (60, 500, 620, 20.0)]
    check(found(bars((1000, 700), places), BarNetwork(largest=110)), places, tolerance=12)


def test_text_too_small_for_the_reduced_look_is_found_by_its_detail():
    """Hatched like letters: a first look at a reduced scale sees nothing there."""
    image = bars((3000, 2600), [(200, 2000, 300, 50.0)])
    pen = ImageDraw.Draw(image)
    for x in range(2200, 2800, 4):  # ink of one half, which the stand-in takes for a bar from half of black on
        pen.rectangle((x, 1501, x + 2, 1507), fill="black")
    regions = found(image, BarNetwork(smallest=9))
    assert regions[0].height == pytest.approx(50, abs=5)
    assert any(region.box.intersect(Box(2200, 1490, 600, 30)) for region in regions)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (31, 33)])
def test_tiny_pictures_are_no_error(size: tuple[int, int]):
    network = DetectorNetwork(DetectorConfig(channels=(4, 6, 8, 8), blocks=(1, 1, 1, 1), pyramid=8)).eval()
    assert isinstance(LearnedDetector(network).detect([Image.new("L", size, 128)])[0], list)


def test_blank_pictures_hold_no_lines():
    assert found(Image.new("RGB", (300, 300), "white")) == []


def test_regions_of_noise_lie_inside_the_picture():
    torch.manual_seed(0)
    network = DetectorNetwork(DetectorConfig(channels=(4, 6, 8, 8), blocks=(1, 1, 1, 1), pyramid=8)).eval()
    torch.nn.init.constant_(network.kinds.bias, 0.0)  # type: ignore[arg-type]
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    for region in LearnedDetector(network).detect([Image.fromarray(noise)])[0]:
        if region.kind != "line":
            assert region.box.intersect(Box(0, 0, 300, 200)) == region.box


def test_maps_cover_the_whole_picture(monkeypatch: pytest.MonkeyPatch):
    image = bars((500, 300), [(40, 400, 100, 20.0)])
    detector = LearnedDetector(BarNetwork(), precision="float32")
    whole = detector.maps(image)
    assert whole.core.shape == (150, 250)
    assert whole.kinds.shape == (4, 75, 125)
    monkeypatch.setattr(scales, "TILE_PIXELS", 10_000)
    monkeypatch.setattr(scales, "TILE_SIDE", 128)
    assert np.allclose(whole.core, detector.maps(image).core, atol=1e-3)
    assert math.isclose(detector.maps(image, scale=0.5).scale[0], 0.5)
