"""Pages made by hand: a picture on which each word is a box of its own colour, and the tree that tells where it is."""

import io

import numpy as np
from PIL import Image, ImageDraw

from pixread.records import Box, Node, Screenshot, Word

CHAR_WIDTH, WORD_HEIGHT, LINE_STEP = 8, 14, 20


def text_leaf(text: str, *, x: float = 10, y: float = 10, line: int = 0, width: float = 10_000) -> Node:
    """A text whose words stand one after the other from (x, y), and on the next lines where `width` is used up."""
    words, left = [], x
    for word in text.split():
        if left > x and left + len(word) * CHAR_WIDTH > x + width:
            left, y, line = x, y + LINE_STEP, line + 1
        words.append(Word(word, Box(left, y, len(word) * CHAR_WIDTH, WORD_HEIGHT), line))
        left += (len(word) + 1) * CHAR_WIDTH
    return Node(text=text, words=tuple(words), box=Box(x, words[0].box.y, width, y + WORD_HEIGHT - words[0].box.y))


def screenshot(root: Node, *, width: int = 400, height: int = 300, source: str = "site/page.html") -> Screenshot:
    """The page: word n is filled with the colour (n, 100, 200) on white."""
    picture = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(picture)
    for number, word in enumerate(word for node in root.walk() for word in node.words):
        pen.rectangle((word.box.x, word.box.y, word.box.right - 1, word.box.bottom - 1), fill=(number % 256, 100, 200))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return Screenshot(buffer.getvalue(), width, height, root, source)


def article(paragraphs: int = 6, words: int = 30) -> Screenshot:
    """A heading, an image and paragraphs of several lines, in sections of two."""
    leaves, line, y = [], 1, 60
    for number in range(paragraphs):
        text = " ".join(f"word{number}x{index}" for index in range(words - 3 * number))
        leaf = text_leaf(text, y=y, line=line, width=380)
        leaves.append(leaf)
        line, y = leaf.words[-1].line + 1, int(leaf.words[-1].box.bottom) + LINE_STEP
    sections = [Node(children=tuple(leaves[index : index + 2])) for index in range(0, paragraphs, 2)]
    head = Node(children=(text_leaf("A heading here"), Node(image="logo", alt="Logo", box=Box(300, 10, 40, 30))))
    return screenshot(Node(children=(head, *sections)), height=y + 20)


def colours(picture: Image.Image | bytes) -> set[int]:
    """The numbers of the words that are seen in a picture."""
    if isinstance(picture, bytes):
        picture = Image.open(io.BytesIO(picture))
    pixels = np.asarray(picture.convert("RGB"))
    return {int(number) for number in np.unique(pixels[(pixels[..., 1:] == (100, 200)).all(axis=-1), 0])}
