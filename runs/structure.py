"""Fits the small networks that put a page together (`pixread/assembly/classifier.py`) to rendered pages.

Usage: python runs/structure.py LIST OUT.json [NAME ...]

LIST is a text file with one HTML file a line, from the folder of the list. Each page is rendered; its lines are the
true ones, a little off as a detector's are, and their words those of the page. The networks are fitted in the order
below, since each sees what those before it make of a page; NAMEs fit only some of them anew. The others are those in
OUT.json or, where that is missing, the shipped ones, which saw the first 1024 pixels of 636 pages, at most sixteen
of a site.
"""

from __future__ import annotations

import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pixread.assembly import classifier, grouping, paragraphs, reading_order, spans
from pixread.assembly.lines import ContentFilter, make_styled_line
from pixread.assembly.page_tree import order_elements, picture_element
from pixread.assembly.paragraphs import StyledLine
from pixread.assembly.rotation import Rotation
from pixread.assembly.style.features import StyleFeatures
from pixread.records import LINE_ASCENT, LINE_DESCENT, Box, Character, Lettering, Node, RecognisedLine, Region, Word
from pixread.render.browser import Browser
from pixread.render.errors import RenderError
from pixread.render.page import RenderSettings, render_page
from pixread.targets.lines import seen_part

HEIGHT = 1024
WIDEST_GAP = 1.5  # font sizes between two words of one line; beyond, columns and cells begin
# Font sizes, one standard deviation: how far a detector's line is off at its ends, and above and below.
END_JITTER, SIDE_JITTER = 0.06, 0.02
GLUED = 0.12  # font sizes between words without a blank, at most
MOST_PAIRS = 150  # of things in another order that count for one decision about columns
# Units of the hidden layer, passes over the data, decay of the weights.
SHAPES = {
    "leaves": (24, 12, 0.3),
    "texts": (24, 12, 0.3),
    "paragraphs": (12, 30, 0.3),
    "columns": (6, 60, 0.3),
    "groups": (24, 20, 1.0),
}

Numbers = NDArray[np.float64]
Samples = Iterator[tuple[Numbers, bool, int]]  # features, the truth, and how often it counts


@dataclass(frozen=True, slots=True)
class Told:
    """A true word, the number of its leaf and its place in the document."""

    word: Word
    leaf: int
    place: int


@dataclass(frozen=True)
class Page:
    """The lines as found, the true words of each from left to right, the boxes of pictures, and the true tree."""

    regions: list[Region]
    lines: list[StyledLine]
    told: list[list[Told]]
    pictures: list[reading_order.Zone]
    root: Node

    @cached_property
    def parents(self) -> list[Node | None]:
        """Of each text leaf the node right above."""
        found: list[Node | None] = []

        def visit(node: Node, above: Node | None) -> None:
            if node.is_text:
                found.append(above)
            for child in node.children:
                visit(child, node)

        visit(self.root, None)
        return found

    def go_on(self, one: Told, other: Told) -> bool:
        """Whether two words are of one text, or of texts of one paragraph: some of its texts share lines."""
        above = self.parents[one.leaf]
        if one.leaf == other.leaf:
            return True
        if above is None or above is not self.parents[other.leaf]:
            return False
        lines = [{word.line for word in child.words} for child in above.children if child.is_text]
        return len(set[int]().union(*lines)) < sum(map(len, lines))


def pages_of(listing: Path) -> Iterator[Page]:
    """Every page of a list that renders; its site's folder is the one below that of the list."""
    with Browser() as browser:
        for name in filter(None, listing.read_text(encoding="utf-8").split("\n")):
            root = listing.parent / Path(name).parts[0]
            try:
                source = str(listing.parent / name)
                shot = render_page(browser, source, settings=RenderSettings(height=HEIGHT), root=root)
            except RenderError as error:
                sys.stderr.write(f"{error}\n")
                continue
            tree = seen_part(shot.root, within=Box(0, 0, shot.width, shot.height))
            if tree is not None:
                yield page_of(Image.open(BytesIO(shot.png)).convert("RGB"), tree)


def page_of(image: Image.Image, root: Node, *, seed: int = 0) -> Page:
    """The lines of a page as they are when it is read, from the truth of its render."""
    leaves = [leaf for leaf in root.walk() if leaf.is_text]
    words = [(word, number) for number, leaf in enumerate(leaves) for word in leaf.words]
    rows: dict[int, list[Told]] = defaultdict(list)
    for place, (word, leaf) in enumerate(words):
        if word.lettering is not None and word.lettering.baseline is not None:
            rows[word.line].append(Told(word, leaf, place))
    chance, rotation, keep = random.Random(seed), Rotation.of(0.0, image.size), ContentFilter(0.0, None)
    regions, lines, told = [], [], []
    for run in (run for row in rows.values() for run in runs_of(sorted(row, key=lambda one: one.word.box.x))):
        region, read = as_read(run, chance)
        line = make_styled_line(image, region, read, rotation=rotation, content_filter=keep)
        if line is not None:
            regions.append(region)
            lines.append(line)
            told.append(run)
    pictures = [
        reading_order.Zone(node.box, "picture") for node in root.walk() if node.is_image and node.box is not None
    ]
    return Page(regions, lines, told, pictures, root)


def runs_of(row: Sequence[Told]) -> Iterator[list[Told]]:
    """The words of a visual line, parted at wide gaps."""
    run: list[Told] = []
    for one in row:
        if run and one.word.box.x - run[-1].word.box.right > WIDEST_GAP * lettering(one).size:
            yield run
            run = []
        run.append(one)
    if run:
        yield run


def as_read(run: Sequence[Told], chance: random.Random) -> tuple[Region, RecognisedLine]:
    """A line as a detector finds it, and what a recogniser says of it; the letters of a word are equally wide."""
    size, baseline = max((lettering(one).size, lettering(one).baseline or 0.0) for one in run)
    left, right = run[0].word.box.x, max(one.word.box.right for one in run)
    off = [chance.gauss(0, sigma * size) for sigma in (END_JITTER, SIDE_JITTER, END_JITTER, SIDE_JITTER)]
    x, y = left + off[0], baseline - LINE_ASCENT * size + off[1]
    width, bottom = max(right + off[2] - x, 1.0), baseline + LINE_DESCENT * size + off[3]

    def along(place: float) -> float:
        return min(max((place - x) / width, 0.0), 1.0)

    text, characters = "", list[Character]()
    for number, one in enumerate(run):
        box, letters = one.word.box, one.word.text
        if number and box.x - run[number - 1].word.box.right >= GLUED * size:
            text += " "
            characters.append(Character(characters[-1].end, along(box.x), 1.0))
        text += letters
        steps = [along(box.x + box.width * at / len(letters)) for at in range(len(letters) + 1)]
        characters += [Character(start, end, 1.0) for start, end in pairwise(steps)]
    region = Region(
        Box(x, y, width, bottom - y).corners, "line", 1.0, height=(bottom - y) / (LINE_ASCENT + LINE_DESCENT)
    )
    return region, RecognisedLine(text, tuple(characters), 1.0)


def lettering(one: Told) -> Lettering:
    assert one.word.lettering is not None, "words without it are left out"
    return one.word.lettering


def leaf_samples(page: Page) -> Samples:
    """Whether a text ends between one token and the next, of the lines of one paragraph."""
    for lines, leaves in told_paragraphs(page):
        yield from _at_ends(spans.token_differences(lines), leaves)


def text_samples(page: Page) -> Samples:
    """The same, seen from the division that the network for pairs of tokens makes."""
    for lines, leaves in told_paragraphs(page):
        pairs = spans.token_differences(lines)
        yield from _at_ends(
            spans.span_features(lines, pairs, classifier.load_classifier("leaves").logits(pairs)), leaves
        )


def told_paragraphs(page: Page) -> Iterator[tuple[list[StyleFeatures], list[int | None]]]:
    """The looks of the lines of each paragraph, and the leaf of each of their tokens."""
    looks = [line.style for line in page.lines]
    following = {
        one: other
        for one, other in paragraphs.vertical_neighbours([line.box for line in page.lines])
        if looks[one] and looks[other] and page.go_on(page.told[one][-1], page.told[other][0])
    }
    for first in set(range(len(looks))) - set(following.values()):
        lines, leaves = [], []
        at: int | None = first
        while at is not None and (line := looks[at]) is not None:
            lines.append(line)
            leaves += token_leaves(page.lines[at], page.told[at])
            at = following.get(at)
        if len(leaves) > 1:
            yield lines, leaves


def _at_ends(features: Numbers, leaves: Sequence[int | None]) -> Samples:
    for row, (one, other) in zip(features, pairwise(leaves), strict=True):
        if one is not None and other is not None:
            yield row, one != other, 1


def token_leaves(line: StyledLine, told: Sequence[Told]) -> list[int | None]:
    """The leaf of the true word that covers most of each token."""
    found: list[int | None] = []
    for token in line.tokens:
        left, right = token.box.x, token.box.right
        shared = [min(right, one.word.box.right) - max(left, one.word.box.x) for one in told]
        best = int(np.argmax(shared))
        found.append(told[best].leaf if shared[best] > 0.5 else None)
    return found


def paragraph_samples(page: Page) -> Samples:
    """Whether one line goes on with another."""
    pairs = paragraphs.vertical_neighbours([line.box for line in page.lines])
    for features, (one, other) in zip(paragraphs.wrap_features(page.lines, pairs), pairs, strict=True):
        yield features, page.go_on(page.told[one][-1], page.told[other][0]), 1


def column_samples(page: Page) -> Samples:
    """Whether what could be cut both ways is read by columns; below each such place the truth decides."""
    parts, _ = order_elements(page.lines)
    numbers = {line.box: number for number, line in enumerate(page.lines)}
    places = {
        part.zone: float(median(told.place for box in part.lines for told in page.told[numbers[box]])) for part in parts
    }
    found: list[tuple[Numbers, bool, int]] = []

    def decide(
        rows: list[list[reading_order.CutBox]], columns: list[list[reading_order.CutBox]], height: float
    ) -> bool:
        row = {id(span): number for number, band in enumerate(rows) for span in band}
        column = {id(span): number for number, band in enumerate(columns) for span in band}
        votes: dict[int, list[bool]] = {-1: [], 1: []}  # of pairs up to the right, and down: is the left one first?
        for one in (span for band in rows for span in band):
            for other in (span for band in columns[column[id(one)] + 1 :] for span in band):
                if row[id(one)] != row[id(other)]:
                    downward = 1 if row[id(one)] < row[id(other)] else -1
                    votes[downward].append(places[one.zone] < places[other.zone])
        up, down = votes[-1], votes[1]
        if not up:
            return reading_order.reads_by_columns(rows, columns, height)
        # Columns are also read one by one where the right one comes first.
        truth = 2 * sum(up) > len(up) or 2 * sum(down) < len(down)
        times = max(1, round(min(len(up), MOST_PAIRS) ** 0.5))
        found.append((reading_order.cut_features(rows, columns, height), truth, times))
        return truth

    reading_order.xy_cut(
        [part.zone for part in parts], {part.zone: part.item.line_height for part in parts}, decide_columns=decide
    )
    yield from found


def group_samples(page: Page) -> Samples:
    """Whether what stands beside each other is a node of the true tree."""
    parts, cuts = order_elements(page.lines, [picture_element(one, one.box) for one in page.pictures])
    numbers = {line.box: number for number, line in enumerate(page.lines)}
    leaves = [[told.leaf for box in part.lines for told in page.told[numbers[box]]] for part in parts]
    true: set[grouping.ItemRun] = set()
    count = 0

    def visit(node: Node) -> set[int]:
        nonlocal count
        if node.is_text:
            count += 1
            return {count - 1}
        below = set[int]().union(*map(visit, node.children))
        held = [at for at, own in enumerate(leaves) if own and 2 * sum(leaf in below for leaf in own) > len(own)]
        if len(held) > 1 and len(held) == sum(bool(own) for own in leaves[held[0] : held[-1] + 1]):
            true.add((held[0], held[-1]))
        return below

    visit(page.root)
    runs, features = grouping.candidate_runs([part.item for part in parts], cuts)
    for run, row in zip(runs, features, strict=True):
        yield row, run in true, 1


SAMPLES = {
    "leaves": leaf_samples,
    "texts": text_samples,
    "paragraphs": paragraph_samples,
    "columns": column_samples,
    "groups": group_samples,
}


def fitted(features: Numbers, truth: NDArray[np.bool_], *, units: int, passes: int, decay: float) -> dict[str, list]:
    """The weights of one network, as `load_classifier` reads them."""
    torch.manual_seed(0)
    mean, deviation = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-3)
    scaled = np.clip((features - mean) / deviation, -classifier.MAX_DEVIATIONS, classifier.MAX_DEVIATIONS)
    inputs, wanted = (torch.tensor(one, dtype=torch.float32) for one in (scaled, truth))
    network = torch.nn.Sequential(torch.nn.Linear(features.shape[1], units), torch.nn.Tanh(), torch.nn.Linear(units, 1))
    optimiser = torch.optim.AdamW(network.parameters(), lr=4e-3, weight_decay=decay)
    for number in range(passes):
        for group in optimiser.param_groups:
            group["lr"] = 4e-3 * (1 - number / passes) + 1e-5
        for batch in torch.randperm(len(inputs)).split(512):
            optimiser.zero_grad()
            odds = network(inputs[batch])[:, 0]
            torch.nn.functional.binary_cross_entropy_with_logits(odds, wanted[batch]).backward()
            optimiser.step()
    (hidden, bias), (output, last) = ([part.detach().numpy() for part in network[at].parameters()] for at in (0, 2))
    weights = {
        "mean": mean,
        "deviation": deviation,
        "hidden": np.concatenate([hidden.T, bias[None]]),
        "output": np.concatenate([output[0], last]),
    }
    return {name: np.round(values.astype(float), 5).tolist() for name, values in weights.items()}


def main(listing: Path, out: Path, names: Sequence[str]) -> None:
    """Fits networks one after the other; each is in use as soon as it is there."""
    weights = json.loads((out if out.exists() else classifier.STRUCTURE_WEIGHTS).read_text(encoding="utf-8"))
    out.write_text(json.dumps(weights) + "\n", encoding="utf-8")
    classifier.STRUCTURE_WEIGHTS = out
    pages = list(pages_of(listing))
    for name in names:
        samples = [sample for page in pages for sample in SAMPLES[name](page)]
        times = np.array([times for _, _, times in samples])
        features = np.repeat(np.array([row for row, _, _ in samples]), times, axis=0)
        truth = np.repeat(np.array([is_so for _, is_so, _ in samples]), times)
        units, passes, decay = SHAPES[name]
        weights[name] = fitted(features, truth, units=units, passes=passes, decay=decay)
        out.write_text(json.dumps(weights) + "\n", encoding="utf-8")
        classifier.load_classifier.cache_clear()
        right = ((classifier.load_classifier(name).logits(features) > 0) == truth).mean()
        sys.stdout.write(f"{name}: {len(samples)} samples of {len(pages)} pages, {right:.1%} right\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:] or list(SHAPES))
