"""A drawn page and its true tree, as a render gives both."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from pixread.records import Box, Lettering, Node, Word
from tests.drawn import FONT

SIZE, PITCH = 16, 22  # pixels


def drawn_page(sections: Sequence[Sequence[str]]) -> tuple[Image.Image, Node]:
    """Sections of paragraphs, whose lines are divided by line feeds; sections are 60 pixels apart."""
    image = Image.new("RGB", (700, 700), "white")
    font, pen = ImageFont.truetype(str(FONT), SIZE), ImageDraw.Draw(image)
    y, line, nodes = 30, 0, []
    for paragraphs in sections:
        leaves = []
        for paragraph in paragraphs:
            words = []
            for text in paragraph.split("\n"):
                x = 40.0
                pen.text((x, y), text, font=font, fill="#222222")
                for word in text.split():
                    width = font.getlength(word)
                    lettering = Lettering(SIZE, y + font.getmetrics()[0])
                    words.append(Word(word, Box(round(x), y, round(width), PITCH), line, lettering))
                    x += width + font.getlength(" ")
                y, line = y + PITCH, line + 1
            leaves.append(Node(text=" ".join(word.text for word in words), words=tuple(words)))
            y += 14
        nodes.append(Node(children=tuple(leaves)))
        y += 60
    return image, Node(children=tuple(nodes))
