"""Cuts regions out of pictures, in whole pixels."""

from __future__ import annotations

import math

from PIL import Image

from pixread.records import Box


def check_inside(image: Image.Image, region: Box) -> None:
    """Raises ValueError for a region that is not wholly inside the picture, or smaller than a pixel."""
    # Comparisons with NaN are false, so that it lies nowhere.
    inside = region.x >= 0 and region.y >= 0 and region.right <= image.width and region.bottom <= image.height
    if not (inside and region.width >= 1 and region.height >= 1):
        given = ",".join(f"{number:g}" for number in region.as_list())
        raise ValueError(
            f"the region {given} (x,y,width,height) must lie inside the picture of {image.width} x {image.height} "
            "pixels and be at least 1 x 1"
        )


def cut_out(image: Image.Image, region: Box, *, margin: int = 0) -> Image.Image:
    """The pixels that the region touches, with a margin where the picture has one. Raises ValueError as above."""
    check_inside(image, region)
    left, top = max(math.floor(region.x) - margin, 0), max(math.floor(region.y) - margin, 0)
    right, bottom = math.ceil(region.right) + margin, math.ceil(region.bottom) + margin
    return image.crop((left, top, min(right, image.width), min(bottom, image.height)))
