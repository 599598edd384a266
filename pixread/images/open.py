"""Opens whatever a user calls a picture as 8-bit RGB, or refuses it in one sentence.

Taken as they are meant: orientation from EXIF, transparency laid on a ground that shows what is drawn (white where it
does, see `ground`), palettes resolved, CMYK and 16 bits converted, the first frame of an animation, and with a warning
the first page of a TIFF file. The size is read from the header, so that a decompression bomb is refused before it is
decoded.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from pixread.filenames import find_path, refuse_pipe
from pixread.images.background import STRIP, laid_on_ground

MAX_PIXELS = 40_000_000  # width x height; a 40-megapixel picture takes 120 MB as RGB
MAX_SIDE = 65_535  # pixels; the longest side of a JPEG file
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "ICO")  # none of them runs another program

# What the decoders of Pillow raise for damaged files, besides its own errors, which are OSErrors.
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error, zlib.error)

NEW_SUBFILE_TYPE, REDUCED = 254, 1  # a tag of TIFF files, and its bit for a small copy of another page

PictureSource = str | Path | bytes | Image.Image | NDArray[Any]


class InputError(ValueError):
    """A picture or a question that a model cannot be given."""


class PictureError(InputError):
    """A picture that cannot be read, with a sentence that names it and says why."""


class OtherPagesWarning(UserWarning):
    """A file has several pages, of which the first is read."""


def open_picture(source: PictureSource, *, name: str | None = None) -> Image.Image:
    """The picture as RGB, ready to be read; `name` stands for it in messages (default: its path).

    Arrays are (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), of bool, uint8, uint16, or floats from 0 to 1.
    Raises PictureError for what is not a picture, is damaged, empty, or larger than MAX_SIDE or MAX_PIXELS.
    """
    if isinstance(source, str | Path):
        return _from_file(Path(source), name or str(source))
    name = name or "the picture"
    if isinstance(source, bytes | bytearray | memoryview):
        return _from_bytes(bytes(source), name)
    if isinstance(source, np.ndarray):
        return _from_array(source, name)
    if isinstance(source, Image.Image):
        return _converted(source, name)
    raise PictureError(f"{name} must be a path, bytes, a PIL image or an array, got {type(source).__name__}")


def _from_file(path: Path, name: str) -> Image.Image:
    try:
        file = find_path(path) or path
        refuse_pipe(file)
        data = file.read_bytes()
    except (OSError, ValueError) as error:
        raise PictureError(f"cannot read {name}: {getattr(error, 'strerror', None) or error}") from error
    return _from_bytes(data, name)


def picture_format(data: bytes, *, name: str = "the picture") -> str:
    """What kind of file a picture is (PNG, JPEG, WEBP, ...), for pictures that `open_picture` opens.

    Raises PictureError for the others. Pixels are decoded no further than it takes to see whether a file is whole; what
    looks damaged is opened, and that decides. So a PNG whose checksums are right passes with whatever is in it.
    """
    image = _identified(data, name)
    kind = image.format or ""
    _check_size(image.width, image.height, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind == "PNG":
                image.verify()  # the checksums of all chunks, and that none is missing
            else:
                image.draft("L", (1, 1))  # JPEG: all coded data is gone through, an eighth of each side made of it
                image.load()
    except DAMAGED:
        open_picture(data, name=name)
    return kind


def _from_bytes(data: bytes, name: str) -> Image.Image:
    image = _identified(data, name)
    pages = _pages(image)
    if pages > 1:
        warnings.warn(f"{name} has {pages} pages, of which the first is read", OtherPagesWarning, stacklevel=2)
    return _converted(image, name)


def _pages(image: Image.Image) -> int:
    """How many pages a TIFF file holds, without small copies of them; 1 for all other pictures."""
    if image.format != "TIFF":
        return 1
    file: Any = image  # of a class that takes 20 ms to import, and is there only now
    try:
        count = 0
        for number in range(file.n_frames):
            file.seek(number)
            count += not file.tag_v2.get(NEW_SUBFILE_TYPE, 0) & REDUCED
        file.seek(0)
    except DAMAGED:
        return 1
    return count


def _identified(data: bytes, name: str) -> Image.Image:
    """The picture with its header read."""
    if not data:
        raise PictureError(f"{name} is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures, which are refused below
            return Image.open(BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        if data.lstrip().startswith(b"%PDF"):
            raise PictureError(
                f"{name} is a PDF, which pixread does not read yet; save its pages as pictures"
            ) from error
        raise PictureError(f"{name} is not a picture of a known kind ({', '.join(FORMATS)})") from error
    except Image.DecompressionBombError as error:
        raise PictureError(f"{name} is larger than the limit of {_megapixels(MAX_PIXELS)}") from error
    except DAMAGED as error:
        raise PictureError(f"{name} is cut off or damaged: {error}") from error


def _converted(image: Image.Image, name: str) -> Image.Image:
    """Checks the size, then decodes."""
    _check_size(image.width, image.height, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of metadata that does not matter here
            image.load()
            _check_size(image.width, image.height, name)  # an icon may hold a larger picture than it says
            upright = _upright(image)
            return _as_rgb(upright)
    except PictureError:
        raise
    except Image.DecompressionBombError as error:
        raise PictureError(f"{name} is larger than the limit of {_megapixels(MAX_PIXELS)}") from error
    except DAMAGED as error:
        raise PictureError(f"{name} is cut off or damaged: {error}") from error


def _check_size(width: int, height: int, name: str) -> None:
    if width < 1 or height < 1:
        raise PictureError(f"{name} is {width} x {height} pixels, at least 1 x 1 is needed")
    if max(width, height) > MAX_SIDE:
        raise PictureError(f"{name} is {width} x {height} pixels, a side may have at most {MAX_SIDE}")
    if width * height > MAX_PIXELS:
        size = f"{width} x {height} pixels ({_megapixels(width * height)})"
        raise PictureError(f"{name} is {size}, the limit is {_megapixels(MAX_PIXELS)}")


def _megapixels(pixels: int) -> str:
    return f"{pixels / 1e6:g} megapixels" if pixels < 1e9 else f"{pixels / 1e6:.0f} megapixels"


def _upright(image: Image.Image) -> Image.Image:
    """Turned as EXIF says; a damaged EXIF block is no reason to refuse a good picture."""
    try:
        return ImageOps.exif_transpose(image)
    except DAMAGED:
        return image


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image if type(image) is Image.Image else image.copy()
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        return _from_deep_grey(image)
    if image.mode == "La":
        return laid_on_ground(image.convert("LA"))
    if image.has_transparency_data:
        return laid_on_ground(image)
    return image.convert("RGB")


def _from_deep_grey(image: Image.Image) -> Image.Image:
    """From 16 bits and more a level; PNG files may name one level that is see-through."""
    levels, clear = np.asarray(image), image.info.get("transparency")
    grey = Image.fromarray(_eight_bits(levels))
    if not isinstance(clear, int):
        return grey.convert("RGB")
    alpha = Image.fromarray(np.where(levels == clear, 0, 255).astype(np.uint8))
    return laid_on_ground(Image.merge("LA", (grey, alpha)))


def _eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Deep grey levels as 0..255: 16-bit values run to 65535, floats to 1 unless one of them is larger."""
    eight_bits = np.empty(values.shape, dtype=np.uint8)
    if values.dtype == np.uint16:
        for part, levels in zip(_parts(eight_bits), _parts(values), strict=True):
            part[:] = (levels.astype(np.uint32) + 128) // 257
        return eight_bits
    top = max((float(_finite(levels).max(initial=0.0)) for levels in _parts(values)), default=0.0)
    scale = 255.0 if values.dtype.kind == "f" and top <= 1 else 1.0
    if values.dtype.kind != "f" and top > 255:
        scale = 1 / 257  # older versions of Pillow open 16-bit PNG files with 32 bits
    for part, levels in zip(_parts(eight_bits), _parts(values), strict=True):
        part[:] = np.clip(np.round(_finite(levels) * scale), 0, 255)
    return eight_bits


def _parts(values: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """A picture in strips: all of a large one as float64 would take gigabytes."""
    rows = max(1, STRIP // max(values.shape[1], 1))
    return (values[start : start + rows] for start in range(0, len(values), rows))


def _finite(levels: NDArray[Any]) -> NDArray[np.float64]:
    return np.nan_to_num(levels.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)


def _from_array(array: NDArray[Any], name: str) -> Image.Image:
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in {2, 3} or channels not in {1, 3, 4}:
        raise PictureError(f"{name} must be an array (H, W) or (H, W, 1, 3 or 4), got shape {array.shape}")
    _check_size(array.shape[1], array.shape[0], name)
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    elif array.dtype == np.uint16 or array.dtype.kind == "f":
        array = _eight_bits(array)
    elif array.dtype != np.uint8:
        raise PictureError(f"{name} must be an array of bool, uint8, uint16 or floats, got {array.dtype}")
    return _as_rgb(
        Image.fromarray(np.ascontiguousarray(array[:, :, 0] if array.ndim == 3 and channels == 1 else array))
    )
