"""Pages drawn with PIL, with the truth about them, as `layout` shards for the trainings of lines."""

from __future__ import annotations

import io
import random
from pathlib import Path

from PIL import Image, ImageDraw

from pixread.records import Example
from pixread.shards import write_shards
from pixread.targets.fonts import SHIPPED, find_fonts, load_font

FONTS = find_fonts((SHIPPED,))
WORDS = ("the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "while", "seven", "wizards", "mix")


def drawn_page(number: int, *, size: tuple[int, int] = (500, 420)) -> Example:
    """Lines of words of several sizes, one picture, one button and one rule."""
    rng = random.Random(number)
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    words: list[list[object]] = []
    baseline = 0.0
    for line in range(9):
        font = load_font(FONTS[0], rng.choice((10, 13, 16, 22)))
        baseline += 1.5 * font.size
        x = 20.0
        for text in rng.choices(WORDS, k=rng.randint(1, 6)):
            width = font.getlength(text)
            pen.text((x, baseline), text, font=font, fill="black", anchor="ls")
            words.append([text, x, baseline - font.size, width, 1.2 * font.size, line, 0, font.size, baseline, 0.0, 1])
            x += width + font.getlength(" ")
    top = baseline + 20
    pen.rectangle((20, top, 120, top + 60), fill=(200, 80, rng.randrange(256)))
    marks = [["picture", 20, top, 100, 60], ["control", 200, top, 80, 24], ["edge", 20, top + 80, 300, 1]]
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return Example(
        id=f"page{number}",
        image=stream.getvalue(),
        targets=(" ".join(str(word[0]) for word in words),),
        source=f"site{number % 3}/page{number}.html",
        meta={"size": list(size), "seed": 0, "words": words, "marks": marks},
    )


def write_pages(folder: Path, *, count: int = 6) -> Path:
    write_shards(map(drawn_page, range(count)), folder, seed=0, about={"target": "layout"})
    return folder
