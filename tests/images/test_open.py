"""Opening pictures: every kind is read as it is meant, or refused in one sentence that names it."""

import struct
import warnings
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pixread.images.open import (
    MAX_PIXELS,
    MAX_SIDE,
    OtherPagesWarning,
    PictureError,
    open_picture,
    picture_format,
)

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def two_halves(width: int = 6, height: int = 4) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    target = BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


def near(image: Image.Image, where: tuple[int, int], colour: tuple[int, int, int], tolerance: int = 3) -> bool:
    pixel = image.getpixel(where)
    assert isinstance(pixel, tuple)
    return all(abs(a - b) <= tolerance for a, b in zip(pixel, colour, strict=True))


def cmyk() -> bytes:
    return encoded(two_halves(64, 64).convert("CMYK"), "JPEG", quality=95)


def palette() -> bytes:
    return encoded(two_halves().convert("P", palette=Image.Palette.ADAPTIVE))


def animation() -> bytes:
    later = [Image.new("RGB", (6, 4), WHITE) for _ in range(3)]
    return encoded(two_halves(), "GIF", save_all=True, append_images=later)


def turned() -> bytes:
    """Stored upside down, with the note that it is."""
    image = two_halves(64, 64).rotate(180)
    exif = Image.Exif()
    exif[0x0112] = 3
    return encoded(image, "JPEG", exif=exif, quality=95)


def half_transparent() -> bytes:
    image = two_halves().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 6, 2))
    return encoded(image)


@pytest.mark.parametrize(
    ("data", "tolerance"),
    [
        (encoded(two_halves()), 0),
        (encoded(two_halves(), "BMP"), 0),
        (encoded(two_halves(), "TIFF"), 0),
        (encoded(two_halves(), "WEBP", lossless=True), 0),
        (encoded(two_halves(), "PPM"), 0),
        (encoded(two_halves(64, 64), "JPEG", quality=95), 8),
        (palette(), 0),
        (animation(), 0),
        (cmyk(), 8),
        (turned(), 8),
        (encoded(two_halves().convert("RGBA")), 0),
    ],
    ids=["png", "bmp", "tiff", "webp", "ppm", "jpeg", "palette", "animation", "cmyk", "exif", "alpha"],
)
def test_all_kinds_show_the_same_picture(data: bytes, tolerance: int):
    image = open_picture(data)
    assert image.mode == "RGB"
    assert near(image, (0, 0), RED, tolerance)
    assert near(image, (image.width - 1, image.height - 1), BLUE, tolerance)


def test_transparency_is_laid_on_white():
    image = open_picture(half_transparent())
    assert image.getpixel((0, 0)) == WHITE
    assert image.getpixel((0, 3)) == RED


@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_a_transparent_colour_is_laid_on_white(mode: str):
    image = Image.new(mode, (2, 1), 0)
    data = encoded(image, transparency=(0, 0, 0) if mode == "RGB" else 0)
    assert open_picture(data).getpixel((0, 0)) == WHITE


def test_a_quarter_turn_swaps_width_and_height():
    exif = Image.Exif()
    exif[0x0112] = 6
    image = open_picture(encoded(two_halves(32, 16), "JPEG", exif=exif, quality=95))
    assert image.size == (16, 32)
    assert near(image, (8, 2), RED, 8)


def test_damaged_exif_does_not_matter():
    data = encoded(two_halves(32, 16), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\0\0")
    assert open_picture(data).size == (32, 16)


@pytest.mark.parametrize(("level", "expected"), [(0, 0), (65535, 255), (32896, 128), (257, 1)])
def test_sixteen_bits_are_scaled_not_cut(level: int, expected: int):
    data = encoded(Image.fromarray(np.full((2, 3), level, dtype=np.uint16)))
    assert open_picture(data).getpixel((0, 0)) == (expected,) * 3


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", "I", "F", "I;16"])
def test_every_mode_of_an_open_image(mode: str):
    image = open_picture(Image.new(mode, (3, 2)))
    assert (image.mode, image.size) == ("RGB", (3, 2))


@pytest.mark.parametrize(
    ("array", "colour"),
    [
        (np.full((2, 3), 7, np.uint8), (7, 7, 7)),
        (np.full((2, 3, 1), 7, np.uint8), (7, 7, 7)),
        (np.full((2, 3, 3), 7, np.uint8), (7, 7, 7)),
        (np.zeros((2, 3, 4), np.uint8), WHITE),
        (np.ones((2, 3), np.bool_), WHITE),
        (np.full((2, 3), 65535, np.uint16), WHITE),
        (np.full((2, 3, 3), 0.5, np.float32), (128, 128, 128)),
        (np.full((2, 3), np.nan), (0, 0, 0)),
        (np.full((4, 6), 7, np.uint8)[::2, ::2], (7, 7, 7)),
    ],
)
def test_arrays(array: np.ndarray, colour: tuple[int, int, int]):
    image = open_picture(array)
    assert image.size == (3, 2)
    assert image.getpixel((1, 1)) == colour


def test_large_pictures_within_the_limit_are_read():
    assert open_picture(encoded(Image.new("L", (5000, 4000)))).size == (5000, 4000)


def refuse(source: object, name: str | None = None) -> str:
    with pytest.raises(PictureError) as caught:
        open_picture(source, name=name)  # type: ignore[arg-type]
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "x.png is empty"),
        (b"%PDF-1.7 and so on", "x.png is a PDF, which pixread does not read yet"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "x.png is not a picture of a known kind"),
        (png_header(1, 70000), f"x.png is 1 x 70000 pixels, a side may have at most {MAX_SIDE}"),
        (png_header(8000, 6000), "x.png is 8000 x 6000 pixels (48 megapixels), the limit is 40 megapixels"),
        (png_header(16000, 16000), "x.png is larger than the limit of 40 megapixels"),
        (png_header(0, 0), "x.png is"),
        (encoded(two_halves(200, 200))[:200], "x.png is cut off or damaged"),
        (encoded(two_halves(200, 200), "JPEG")[:500], "x.png is cut off or damaged"),
        (encoded(two_halves(200, 200), "BMP")[:500], "x.png is cut off or damaged"),
    ],
)
def test_refusals_name_the_file_and_the_limit(tmp_path: Path, data: bytes, sentence: str):
    path = tmp_path / "x.png"
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert refuse(path, "x.png").startswith(sentence)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (np.zeros((0, 0), np.uint8), "the picture is 0 x 0 pixels, at least 1 x 1 is needed"),
        (
            np.zeros((2, 2, 2), np.uint8),
            "the picture must be an array (H, W) or (H, W, 1, 3 or 4), got shape (2, 2, 2)",
        ),
        (np.zeros((2, 2), np.int64), "the picture must be an array of bool, uint8, uint16 or floats, got int64"),
        (Image.new("RGB", (0, 5)), "the picture is 0 x 5 pixels, at least 1 x 1 is needed"),
        (Image.new("1", (1, MAX_SIDE + 1)), f"the picture is 1 x 65536 pixels, a side may have at most {MAX_SIDE}"),
        (5, "the picture must be a path, bytes, a PIL image or an array, got int"),
        ("nowhere.png", "cannot read nowhere.png: No such file or directory"),
        ("/", "cannot read /: Is a directory"),
        ("a\0b", "cannot read a\0b: embedded null byte"),
    ],
)
def test_refusals_of_other_sources(source: object, sentence: str):
    assert refuse(source) == sentence


def test_a_bomb_is_refused_without_being_decoded(monkeypatch: pytest.MonkeyPatch):
    def decode(self: Image.Image) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decode)
    side = int(MAX_PIXELS**0.5) + 1
    assert "the limit is 40 megapixels" in refuse(png_header(side, side))


SAMPLES: list[Callable[[], bytes]] = [
    lambda: encoded(two_halves(40, 30)),
    lambda: encoded(two_halves(40, 30), "JPEG"),
    lambda: encoded(two_halves(40, 30), "TIFF", compression="tiff_lzw"),
    lambda: encoded(two_halves(40, 30), "WEBP"),
    animation,
    palette,
    turned,
]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SAMPLES), st.data())
def test_damage_is_refused_or_read_but_never_anything_else(sample: Callable[[], bytes], data: st.DataObject):
    damaged = bytearray(sample())
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    damaged = damaged[: data.draw(st.integers(1, len(damaged)))]
    try:
        image = open_picture(bytes(damaged))
    except PictureError as error:
        assert str(error).startswith("the picture is")
    else:
        assert image.mode == "RGB"


def opens(data: bytes) -> bool:
    try:
        open_picture(data)
    except PictureError:
        return False
    return True


def has_format(data: bytes) -> bool:
    try:
        picture_format(data)
    except PictureError as error:
        assert str(error).startswith("the picture is")
        return False
    return True


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("JPEG", {}), ("WEBP", {}), ("GIF", {}), ("TIFF", {})])
def test_the_kind_of_a_whole_picture(kind: str, options: dict[str, object]):
    assert picture_format(encoded(two_halves(40, 30), kind, **options)) == kind


@pytest.mark.parametrize(
    ("kind", "options"), [("PNG", {}), ("JPEG", {}), ("JPEG", {"progressive": True}), ("WEBP", {})]
)
def test_a_picture_cut_anywhere_has_a_kind_if_it_opens(kind: str, options: dict[str, object]):
    whole = encoded(two_halves(40, 30), kind, **options)
    cuts = [whole[:length] for length in range(len(whole) + 1)]
    assert [has_format(data) for data in cuts] == [opens(data) for data in cuts]
    assert has_format(whole)
    assert not has_format(whole[: len(whole) // 2])


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SAMPLES), st.data())
def test_a_damaged_picture_that_has_a_kind_opens(sample: Callable[[], bytes], data: st.DataObject):
    damaged = bytearray(sample())
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    assert has_format(bytes(damaged)) == opens(bytes(damaged))


def test_the_kind_of_a_sound_png_is_said_without_decoding_it(monkeypatch: pytest.MonkeyPatch):
    def decode(self: Image.Image) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decode)
    assert picture_format(encoded(two_halves())) == "PNG"
    with pytest.raises(PictureError, match="the limit is 40 megapixels"):
        picture_format(png_header(8000, 8000))


def test_the_pages_of_a_tiff_that_are_not_read_are_said(tmp_path: Path) -> None:
    """A scan of three pages was read as one, without a word."""
    pages = [Image.new("L", (30, 20), level) for level in (255, 120, 0)]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:])
    with pytest.warns(OtherPagesWarning, match=r"scan\.tif has 3 pages, of which the first is read$"):
        shown = open_picture(tmp_path / "scan.tif")
    assert shown.getpixel((5, 5)) == (255, 255, 255)
    small = pages[1].resize((15, 10))
    small.encoderinfo = {"tiffinfo": {254: 1}}
    pages[0].save(tmp_path / "preview.tif", save_all=True, append_images=[small])
    pages[0].save(tmp_path / "single.tif")
    pages[0].save(tmp_path / "moves.gif", save_all=True, append_images=pages[1:])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("preview.tif", "single.tif", "moves.gif"):
            assert open_picture(tmp_path / name).size == (30, 20)
