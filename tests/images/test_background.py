"""What transparent pictures are laid on: white text on nothing was read as nothing."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter

from pixread.images.background import BLACK, GREY, WHITE
from pixread.images.open import open_picture
from pixread.images.typefaces import font
from tests.images.memory import peak

Colour = tuple[int, int, int, int]
CLEAR: Colour = (0, 0, 0, 0)
INK: Colour = (0, 0, 0, 255)
LIGHT: Colour = (255, 255, 255, 255)
SHADE: Colour = (0, 0, 0, 120)
SIZE = (300, 120)


def words(fill: Colour, *, on: Image.Image | None = None, at: tuple[int, int] = (15, 20)) -> Image.Image:
    image = Image.new("RGBA", SIZE, CLEAR) if on is None else on.copy()
    ImageDraw.Draw(image).text(at, "Invoice 2024", font=font(24), fill=fill)
    return image


def shadow() -> Image.Image:
    return words(SHADE, at=(17, 22)).filter(ImageFilter.GaussianBlur(2))


def card() -> Image.Image:
    image = Image.new("RGBA", SIZE, CLEAR)
    ImageDraw.Draw(image).rounded_rectangle((5, 5, 295, 115), 12, fill=LIGHT)
    return image


def glow() -> Image.Image:
    image = Image.new("RGBA", SIZE, CLEAR)
    ImageDraw.Draw(image).text((15, 20), "Invoice 2024", font=font(24), fill=LIGHT, stroke_width=3, stroke_fill=LIGHT)
    return image


def outlined(size: int, stroke: int) -> Image.Image:
    image = Image.new("RGBA", SIZE, CLEAR)
    pen = ImageDraw.Draw(image)
    pen.text((15, 20), "Invoice 2024", font=font(size), fill=LIGHT, stroke_width=stroke, stroke_fill=INK)
    return image


def keyed() -> Image.Image:
    """White letters smoothed on black, one level of which is then see-through, as in GIF files."""
    image = Image.new("L", SIZE, 0)
    ImageDraw.Draw(image).text((15, 20), "Invoice 2024", font=font(24), fill=255)
    image.info["transparency"] = 0
    return image.convert("RGBA")


def headed(title: Colour) -> Image.Image:
    """A few words above a large picture."""
    image = Image.new("RGBA", (900, 700), CLEAR)
    ImageDraw.Draw(image).rectangle((0, 100, 899, 699), fill=(30, 120, 60, 255))
    return words(title, on=image)


def recoloured(image: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    """With another colour where nothing is seen."""
    pixels = np.array(image)
    pixels[pixels[:, :, 3] == 0] = (*colour, 0)
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    ("image", "ground"),
    [
        (words(INK), WHITE),
        (words(LIGHT), BLACK),
        (words((240, 240, 245, 255)), BLACK),
        (words((255, 255, 255, 90)), BLACK),
        (words((200, 40, 40, 255)), WHITE),
        (words((255, 255, 0, 255)), WHITE),
        (words((255, 255, 120, 255)), BLACK),
        (words((200, 255, 200, 255)), BLACK),
        (outlined(24, 1), BLACK),
        (outlined(24, 2), BLACK),
        (outlined(40, 3), BLACK),
        (keyed(), BLACK),
        (words(INK, on=words(INK, on=outlined(12, 1), at=(15, 55)), at=(15, 85)), WHITE),
        (headed(LIGHT), BLACK),
        (headed(INK), WHITE),
        (words(LIGHT, on=words(INK, at=(15, 70))), GREY),
        (words(LIGHT, on=words((0, 90, 200, 255), at=(15, 70))), BLACK),
        (words(LIGHT, on=shadow()), BLACK),
        (words(INK, on=shadow()), WHITE),
        (words(INK, on=card()), WHITE),
        (words(INK, on=glow()), WHITE),
        (recoloured(words(LIGHT), (90, 200, 10)), BLACK),
        (recoloured(words(INK), (255, 255, 255)), WHITE),
        (Image.new("RGBA", SIZE, CLEAR), WHITE),
        (Image.new("RGBA", SIZE, (255, 255, 255, 0)), WHITE),
        (Image.new("RGBA", SIZE, LIGHT), WHITE),
    ],
    ids=[
        "black",
        "white",
        "nearly white",
        "faint white",
        "red",
        "yellow",
        "pale yellow",
        "pale green",
        "thin outline",
        "outline",
        "large outline",
        "smoothed on black",
        "outline and black",
        "white above a picture",
        "black above a picture",
        "white and black",
        "white and blue",
        "shadow below white",
        "shadow below black",
        "card",
        "glow",
        "hidden colour below white",
        "hidden white below black",
        "nothing",
        "white nothing",
        "opaque",
    ],
)
def test_the_ground_shows_what_is_drawn(image: Image.Image, ground: int) -> None:
    """Subtitles (white with a black outline), pale letters and a white title above a picture were read as nothing."""
    shown = open_picture(image)
    below = Image.new("RGBA", image.size, (ground, ground, ground, 255))
    assert shown.tobytes() == Image.alpha_composite(below, image).convert("RGB").tobytes()


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    target = BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def deep_png(samples: np.ndarray, colour_type: int, *, clear: bytes = b"") -> bytes:
    """A PNG of 16 bits a sample. samples: (H, W, channels) uint16; clear: what tRNS holds."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    height, width, _ = samples.shape
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0))
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    see_through = chunk(b"tRNS", clear) if clear else b""
    return b"\x89PNG\r\n\x1a\n" + head + see_through + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def deep(channels: int) -> np.ndarray:
    """White letters on nothing, of so many 16-bit channels, the last of which is alpha."""
    alpha = np.asarray(words(LIGHT).getchannel("A")).astype(np.uint16) * 257
    return np.dstack([*[np.full_like(alpha, 65535)] * (channels - 1), alpha])


@pytest.mark.parametrize(
    "data",
    [
        encoded(words(LIGHT), "PNG"),
        encoded(words(LIGHT).convert("LA"), "PNG"),
        encoded(words(LIGHT).quantize(16), "PNG"),
        encoded(words(LIGHT), "WEBP"),
        encoded(words(LIGHT), "WEBP", lossless=True),
        encoded(words(LIGHT), "GIF"),
        encoded(words(LIGHT), "TIFF"),
        deep_png(deep(2), 4),
        deep_png(deep(4), 6),
        # One level that is see-through, and letters without a seam.
        deep_png(np.where(deep(2)[:, :, 1:] > 30000, 65535, 7), 0, clear=struct.pack(">H", 7)),
    ],
    ids=["png", "la", "palette", "webp", "lossless webp", "gif", "tiff", "la16", "rgba16", "level16"],
)
def test_white_letters_show_from_every_kind_of_file(data: bytes) -> None:
    shown = np.asarray(open_picture(data).convert("L"))
    assert shown[0, 0] == 0
    assert shown.max() > 240


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 255), st.integers(60, 255), st.tuples(*[st.integers(0, 255)] * 3), st.sampled_from([1, 7, 255, 3000])
)
def test_letters_of_any_shade_never_vanish(level: int, alpha: int, hidden: tuple[int, int, int], width: int) -> None:
    image = Image.new("RGBA", (width, 40), (*hidden, 0))
    image.paste((level, level, level, alpha), (width // 3, 10, width // 3 + max(1, width // 4), 30))
    shown = np.asarray(open_picture(image).convert("L")).astype(int)
    assert np.ptp(shown) >= 20


def test_a_large_picture_takes_little_more_than_its_own_memory() -> None:
    before = """
from PIL import Image
from pixread.images.open import open_picture
image = Image.new("RGBA", (8000, 5000))
image.paste("white", (100, 100, 7000, 3000))
open_picture(image.crop((0, 0, 300, 300)))
"""
    # 114 MB are the picture as RGB, and 153 the copy that may have to be turned; it was 800.
    assert peak("assert open_picture(image).getpixel((0, 0)) == (0, 0, 0)", before=before) < 400
