"""How the words of a line look: their ink, paper, weight, slant and size, from the pixels and the text that was read.

The text says how many words there are and how wide each should be; the white between the letters says where they are.
Punctuation at the ends of a word is a token of its own, since a link mostly ends before the comma behind it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pixread.inputs.style import scaled, style_net
from pixread.records import Box

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]
Sums = Callable[[NDArray[np.float32]], Numbers]  # over the columns of each token

# Widths of letters in ems, about those of common sans serifs; other small letters and digits, and capitals.
WIDTHS = {
    **dict.fromkeys("ijl'|", 0.22),
    **dict.fromkeys("!,./:;I[]ft\\", 0.28),
    **dict.fromkeys('()-r"`{}*', 0.34),
    **dict.fromkeys("mM%W@", 0.87),
    "w": 0.7,
}
SMALL, CAPITAL, FULL, BLANK = 0.54, 0.68, 1.0, 0.28
FIRST_FULL = "\u2e80"  # from here on characters are as wide as high

LOWEST = 4  # pixels: lower lines show nothing of their letters
LEAST_CONTRAST = 30  # of the sums of three channels: less is no ink
INK = 0.3  # of the contrast
BELOW = 4  # pixels below a line that are looked at for its underline
UNDERLINED = 0.85  # of a token's width
CLEARLY = 1.5  # gaps between words are so much wider than those between letters, where nothing is doubtful
FAR = 12  # runs of ink in a word, at most
NEAR = 3  # tokens on one side of a place that tell how words there look
LEAST_GAP = 0.1  # of an em: narrower ones part no words

_ENDS = re.compile(r"^([(\[\u201c\"\u00ab]*)(.*?)([.,;:!?)\]\u201d\"\u00bb\u2026]*)$", re.DOTALL)
_CODE = re.compile(r"[_(){}<>=/\\$@]|\w\.\w|[a-z][A-Z]|^--?\w|::")
_NUMBER = re.compile(r"^(\d+\.)*\d+\.?$")


@dataclass(frozen=True, slots=True)
class Looks:
    """The tokens of a line and what is seen of each, one row a token.

    glued: whether a token follows the one before without a blank. left, right: columns of the picture. measures:
    stroke, slant, width beside the usual, height of small letters, blackness, contrast, brightness; odd: the same, less
    those of most of the line. styles: bold, slanted, monospaced (see `style`). hue: how far the ink's colour is from
    that of most of the line. traits: what the text says.
    """

    tokens: tuple[str, ...]
    glued: NDArray[np.bool_]
    left: Places
    right: Places
    height: float
    ink: Numbers
    paper: Numbers
    measures: Numbers
    odd: Numbers
    styles: Numbers
    hue: Numbers
    underlined: Numbers
    traits: Numbers

    def box(self, token: int, line: Box) -> Box:
        """The part of the line's box that a token takes, up to the next one if that is glued to it."""
        following = token + 1
        is_joined = following < len(self.tokens) and self.glued[following]
        end = self.left[following] if is_joined else self.right[token]
        left, right = max(line.x, float(self.left[token])), min(line.right, float(end))
        return Box(left, line.y, max(right - left, 0.0), line.height)


def looks_of(pixels: NDArray[np.uint8], box: Box, text: str) -> Looks | None:
    """The looks of a line whose box has whole numbers, or None where the words cannot be found in the picture."""
    words = text.split()
    if not words or box.height < LOWEST:
        return None
    core, alpha, contrast, left = _cut_out(pixels, box)
    if contrast < LEAST_CONTRAST:
        return None
    # A background of a few words alone is no ink: a pixel must differ from the one above the line as well.
    differs = np.abs(core - core[:1]).sum(axis=2) > INK * contrast
    ink = ((alpha[: len(core)] > INK) & differs).any(axis=0)
    found = _words_in(ink, words)
    if found is None:
        return None
    tokens, glued, starts, ends = _tokens(ink, words, *found)
    return _measured(core, alpha, tokens, glued, starts, ends, left=left, height=int(box.height))


def letters_of(pixels: NDArray[np.uint8], box: Box) -> tuple[NDArray[np.float32], int]:
    """How much ink each pixel of a line has, from 0 to 1 (rows, columns), and the picture's column where it begins."""
    core, alpha, _, left = _cut_out(pixels, box)
    return alpha[: len(core)], left


def _cut_out(pixels: NDArray[np.uint8], box: Box) -> tuple[NDArray[np.float32], NDArray[np.float32], float, int]:
    """The pixels of a line, a little more than its box; how much ink they and those below have; the contrast of ink and
    paper; the first column."""
    x, y, width, height = (int(side) for side in box.as_list())
    left, top = max(0, x - 1), max(0, y - 1)
    part = pixels[top : y + height + BELOW, left : x + width + 1].astype(np.float32)
    core = part[: y - top + height + 1]
    away = np.abs(part - _commonest(core)).sum(axis=2)
    contrast = float(np.percentile(away[: len(core)], 98))
    return core, np.clip(away / max(contrast, 1.0), 0, 1), contrast, left


def differences(one: Looks, at: Places, other: Looks, other_at: Places) -> Numbers:
    """What tells tokens of one line from tokens of the other (or the same) that follow them. -> (number, features)"""
    same = one is other
    ink_one, ink_other = one.ink[at] - one.paper[at], other.ink[other_at] - other.paper[other_at]
    short = np.minimum(1.0, np.minimum(one.traits[at, _LENGTH], other.traits[other_at, _LENGTH]) * 2)
    steps = np.abs(one.measures[at] - other.measures[other_at])
    contrast, other_contrast = one.measures[at, 5], other.measures[other_at, 5]
    line = np.ones(len(at))
    columns = [
        _angle(ink_one, ink_other),
        steps[:, 5] / np.maximum(np.maximum(contrast, other_contrast), 1e-6),
        np.abs(one.ink[at] - other.ink[other_at]).sum(axis=1) / 765,
        np.abs(one.paper[at] - other.paper[other_at]).sum(axis=1) / 765,
        *steps[:, :5].T,
        *(steps[:, :5] * short[:, None]).T,
        *np.abs(one.odd[at]).T,
        *np.abs(other.odd[other_at]).T,
        one.hue[at],
        other.hue[other_at],
        one.underlined[at],
        other.underlined[other_at],
        np.abs(one.underlined[at] - other.underlined[other_at]),
        (other.left[other_at] - one.right[at]) / one.height if same else 0.3 * line,
        *one.traits[at].T,
        *other.traits[other_at].T,
        np.abs(one.traits[at, _IS_CODE] - other.traits[other_at, _IS_CODE]),
        other.glued[other_at] & same,
        one.glued[at],
        line * (not same),
        line * (at == 0) * same,
        line * (other_at == len(other.tokens) - 1) * same,
        line * min(len(one.tokens), 20) / 20,
        *np.abs(one.styles[at] - other.styles[other_at]).T,
        *one.styles[at].T,
        *other.styles[other_at].T,
        *np.abs(_styles_before(one, at) - _styles_behind(other, other_at)).T,
    ]
    return np.clip(np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1), -3, 3)


def _styles_before(looks: Looks, at: Places) -> Numbers:
    """The mean styles of each token and the `NEAR` - 1 before it, by their lengths."""
    sums, lengths = _style_sums(looks)
    first = np.maximum(at + 1 - NEAR, 0)
    return np.asarray((sums[at + 1] - sums[first]) / (lengths[at + 1] - lengths[first])[:, None])


def _styles_behind(looks: Looks, at: Places) -> Numbers:
    """The same of each token and the `NEAR` - 1 behind it."""
    sums, lengths = _style_sums(looks)
    last = np.minimum(at + NEAR, len(looks.tokens))
    return np.asarray((sums[last] - sums[at]) / (lengths[last] - lengths[at])[:, None])


def _style_sums(looks: Looks) -> tuple[Numbers, Numbers]:
    """Of the styles by length, and of the lengths, of all tokens before each place."""
    lengths = np.array([float(len(token)) for token in looks.tokens])
    sums = np.cumsum(looks.styles * lengths[:, None], axis=0)
    return np.pad(sums, ((1, 0), (0, 0))), np.pad(np.cumsum(lengths), (1, 0))


def _commonest(part: NDArray[np.float32]) -> NDArray[np.float32]:
    """The commonest colour, that of the paper, as the mean of the pixels that are nearly of it."""
    flat = part.reshape(-1, 3)
    coarse = flat.astype(np.int64) >> 3
    codes = (coarse[:, 0] << 10) | (coarse[:, 1] << 5) | coarse[:, 2]
    return np.asarray(flat[codes == np.bincount(codes).argmax()].mean(axis=0), dtype=np.float32)


def _runs(ink: NDArray[np.bool_]) -> tuple[Places, Places]:
    """Starts and ends of the runs of columns with ink."""
    edges = np.flatnonzero(np.diff(ink.astype(np.int8), prepend=0, append=0))
    return edges[::2], edges[1::2]


def _width(word: str) -> float:
    """The usual width of a word in ems."""
    return sum(
        WIDTHS.get(sign) or (FULL if sign >= FIRST_FULL else CAPITAL if sign.isupper() else SMALL) for sign in word
    )


def _words_in(ink: NDArray[np.bool_], words: list[str]) -> tuple[Places, Places] | None:
    """Where each word starts and ends: at the widest gaps if they stand out, else where the widths fit best."""
    starts, ends = _runs(ink)
    number = len(words)
    if len(starts) < number:
        return None
    if number == 1:
        return starts[:1], ends[-1:]
    widths = np.array([_width(word) for word in words])
    gaps = starts[1:] - ends[:-1]
    by_width = np.argsort(-gaps, kind="stable")
    cuts = np.sort(by_width[: number - 1])
    first, last = starts[np.append(0, cuts + 1)], ends[np.append(cuts, len(ends) - 1)]
    em = float(np.median((last - first) / widths))
    narrower = gaps[by_width[number - 1 :]].max(initial=0)
    fits = np.abs(last - first - widths * em) < np.maximum(0.35 * widths * em, 0.6 * em)
    if gaps[by_width[number - 2]] > CLEARLY * narrower or fits.all():
        return first, last
    return _fitted(starts, ends, widths)


def _fitted(starts: Places, ends: Places, widths: Numbers) -> tuple[Places, Places] | None:
    """The division into words of about these widths that costs least; two runs at each end may be bullets."""
    em = (ends[-1] - starts[0]) / (widths.sum() + BLANK * (len(widths) - 1))
    may_part = np.flatnonzero(starts[1:] - ends[:-1] >= max(1.0, LEAST_GAP * em))
    starts, ends = starts[np.append(0, may_part + 1)], ends[np.append(may_part, len(ends) - 1)]
    number, runs = len(widths), len(starts)
    if runs < number:
        return None
    spare = min(2, runs - number)
    gap = np.append(0, starts[1:] - ends[:-1]) / em
    cost = np.full((number + 1, runs + 1), np.inf)
    cost[0, : spare + 1] = np.arange(spare + 1)
    come_from = np.zeros((number + 1, runs + 1), dtype=np.int64)
    for word in range(1, number + 1):
        for end in range(word, runs - number + word + 1):
            begin = np.arange(max(word - 1, end - FAR), end)
            misfit = np.abs((ends[end - 1] - starts[begin]) / em - widths[word - 1]) - np.minimum(gap[begin], 0.4)
            total = cost[word - 1, begin] + misfit
            best = int(total.argmin())
            cost[word, end], come_from[word, end] = total[best], begin[best]
    end = runs - int(np.argmin([cost[number, runs - left] + left for left in range(spare + 1)]))
    if not np.isfinite(cost[number, end]):
        return None
    begins, stops = [], []
    for word in range(number, 0, -1):
        stops.append(end - 1)
        end = int(come_from[word, end])
        begins.append(end)
    return starts[begins[::-1]], ends[stops[::-1]]


def _tokens(
    ink: NDArray[np.bool_], words: list[str], starts: Places, ends: Places
) -> tuple[list[str], list[bool], Places, Places]:
    """Words with the punctuation at their ends apart, where it has runs of ink of its own."""
    tokens: list[str] = []
    glued: list[bool] = []
    places: list[tuple[int, int]] = []
    for word, start, end in zip(words, starts.tolist(), ends.tolist(), strict=True):
        before, inner, behind = (part or "" for part in _ENDS.match(word).groups())  # type: ignore[union-attr]
        begins, stops = _runs(ink[start:end])
        parts = [part for part in (before, inner, behind) if part]
        if not inner or len(parts) == 1 or len(begins) <= len(before) + len(behind):
            parts, edges = [word], [(start, end)]
        else:
            cuts = [0, len(before), len(begins) - len(behind), len(begins)]
            edges = [
                (start + int(begins[first]), start + int(stops[last - 1]))
                for first, last in pairwise(cuts)
                if last > first
            ]
        tokens += parts
        glued += [place > 0 for place in range(len(parts))]
        places += edges
    return tokens, glued, np.array([start for start, _ in places]), np.array([end for _, end in places])


_LENGTH, _IS_CODE = 0, 1


def _traits(token: str, *, is_first: bool) -> list[float]:
    """What the text alone says of a token: its length first, then whether it looks like code."""
    return [
        min(len(token), 8) / 8,
        bool(_CODE.search(token)),
        not any(sign.isalnum() for sign in token),
        is_first and bool(_NUMBER.match(token)),
        token[:1] in {"[", "("},
        token[-1:] == ":",
        token[-1:] in {",", ";", ")"},
        token[-1:] == ".",
        token[:1].isupper(),
        token[:1].islower(),
        token[-1:].islower(),
    ]


def _measured(
    core: NDArray[np.float32],
    alpha: NDArray[np.float32],
    tokens: list[str],
    glued: list[bool],
    starts: Places,
    ends: Places,
    *,
    left: int,
    height: int,
) -> Looks:
    """The looks of tokens from column `starts` up to before `ends` of the cut out line."""
    edges = np.stack([starts, ends], axis=1).ravel()
    edges = edges[:-1] if edges[-1] >= core.shape[1] else edges

    def sums(columns: NDArray[np.float32]) -> Numbers:
        return np.asarray(np.add.reduceat(columns, edges, axis=-1)[..., ::2], dtype=np.float64)

    wide = ends - starts
    letters = alpha[: len(core)]
    deep = letters**4  # the middle of strokes, where ink is not mixed with paper
    depth = sums(deep.sum(axis=0)) + 1e-6
    ink = np.stack([sums((deep * core[..., channel]).sum(axis=0)) / depth for channel in range(3)], axis=1)
    paper = np.stack([sums(core[0, :, channel]) / wide for channel in range(3)], axis=1)
    area = sums(letters.sum(axis=0))
    rises = sums(np.maximum(0, np.diff(letters, axis=1, prepend=0)).sum(axis=0)) + 1e-6
    contrast = np.linalg.norm(ink - paper, axis=1) / 441
    usual = np.array([_width(token) for token in tokens])
    stretch = np.log(wide / usual / np.median(wide / usual))
    measures = np.stack(
        [
            np.log(area / rises / height + 0.01),
            _slant(letters, sums),
            np.clip(stretch, -1, 1),
            _small_letters(sums(letters) / wide) / height,
            area / (wide * height),
            contrast,
            ink.sum(axis=1) / 765,
        ],
        axis=1,
    )
    weights = np.array([float(len(token)) for token in tokens])
    usual_vector = np.array([_median((ink - paper)[:, channel], weights) for channel in range(3)])
    return Looks(
        tokens=tuple(tokens),
        glued=np.array(glued),
        left=starts + left,
        right=ends + left,
        height=float(height),
        ink=ink,
        paper=paper,
        measures=measures,
        odd=measures - np.array([_median(column, weights) for column in measures.T]),
        styles=style_net().styles(*scaled(letters, starts, ends)),
        hue=_angle(ink - paper, usual_vector[None]),
        underlined=((sums(alpha[int(0.6 * height) :]) / wide).max(axis=0) > UNDERLINED).astype(np.float64),
        traits=np.array([_traits(token, is_first=place == 0) for place, token in enumerate(tokens)], dtype=np.float64),
    )


def _slant(letters: NDArray[np.float32], sums: Sums) -> Numbers:
    """The tilt of steep edges: 0 for upright letters."""
    across = letters[1:-1, 2:] - letters[1:-1, :-2]
    down = letters[2:, 1:-1] - letters[:-2, 1:-1]
    beside = ((0, 0), (1, 1))
    tilted, steep = np.pad(across * down, beside), np.pad(across * across, beside)
    return sums(tilted.sum(axis=0)) / (sums(steep.sum(axis=0)) + 1e-3)


def _small_letters(rows: Numbers) -> Numbers:
    """From where most ink of a token begins down to its base line, in pixels. rows: (rows, tokens)"""
    jumps = np.diff(rows, axis=0, prepend=0)
    middle = len(rows) // 2 + 1
    return np.asarray(np.argmin(jumps[middle:], axis=0) + middle - np.argmax(jumps[:middle], axis=0), dtype=np.float64)


def _median(values: Numbers, weights: Numbers) -> float:
    """The weighted median."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])


def _angle(one: Numbers, other: Numbers) -> Numbers:
    """1 less the cosine between vectors: 0 for one direction of colours."""
    lengths = (np.linalg.norm(one, axis=1) + 1e-6) * (np.linalg.norm(other, axis=1) + 1e-6)
    return np.asarray(1 - (one * other).sum(axis=1) / lengths)
