"""Shards of pages that are written here, in letters large enough for any reader, with the truth about them."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import pixread
from pixread.records import Box, DrawnBox, Example, Mark, Node, Screenshot, Word
from pixread.shards import write_shards
from pixread.targets.lines import LinesSettings
from pixread.targets.lines import examples as lines_of_page
from tests.photos import photo

FONT = Path(pixread.__file__).parent / "assets" / "fonts" / "LiberationSans-Regular.ttf"
SIZE, WIDTH, HEIGHT = 22, 420, 300
PHOTO = Box(250, 150, 120, 100)


def page(source: str, *texts: str, with_photo: bool = True) -> Screenshot:
    """Lines of text below each other, and a photograph."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.truetype(str(FONT), SIZE)
    leaves = []
    for number, text in enumerate(texts):
        x, y, words = 20.0, 20.0 + 40 * number, []
        for word in text.split():
            pen.text((x, y), word, fill="black", font=font)
            words.append(Word(word, Box(x, y, font.getlength(word), SIZE + 4), number))
            x += font.getlength(word + " ")
        leaves.append(Node(text=text, words=tuple(words)))
    if with_photo:
        image.paste(photo(int(PHOTO.width), int(PHOTO.height)), (int(PHOTO.x), int(PHOTO.y)))
        leaves.append(Node(image="photo", alt="Blobs", box=PHOTO))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return Screenshot(stream.getvalue(), WIDTH, HEIGHT, Node(children=tuple(leaves)), source)


def with_sign(shown: Screenshot) -> Screenshot:
    """The page with a picture at its foot that shows two words, which its tree does not have."""
    image = Image.open(io.BytesIO(shown.png))
    font = ImageFont.truetype(str(FONT), SIZE)
    ImageDraw.Draw(image).text((30, 250), "NO ENTRY", fill="black", font=font)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return replace(shown, png=stream.getvalue(), marks=(Mark("picture", Box(20, 240, 200, 50)),))


def example_of(shown: Screenshot) -> Example:
    (example,) = lines_of_page(shown, settings=LinesSettings(), seed=0)
    return example


def first_line(shown: Screenshot) -> Example:
    """The first line of a page as a region."""
    leaf = shown.root.children[0]
    box = Box.around([word.box for word in leaf.words])
    outline = Box(box.x - 4, box.y - 4, box.width + 8, box.height + 8)
    return Example(
        id=f"{shown.source}#region",
        image=shown.png,
        targets=(f"<{leaf.text}>",),
        boxes=(DrawnBox(outline, "region"),),
        group_id=shown.source,
        source=shown.source,
    )


def write_pages(folder: Path, *pages: Screenshot, regions: bool = True) -> Path:
    """The two shard sets as `pixread render` writes them."""
    write_shards([example_of(one) for one in pages], folder / "lines", seed=0, about={"target": "lines"})
    if regions:
        write_shards([first_line(one) for one in pages], folder / "parse", seed=0, about={"target": "parse"})
    return folder
