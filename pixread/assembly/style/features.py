"""How the words of a line look: their ink, paper, weight, slant and size, from the pixels and what was read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixread.assembly.classifier import Numbers
from pixread.assembly.style.network import scaled, style_net, sums_before
from pixread.assembly.tokens import Positions, Tokens, width_of
from pixread.images.components import without_long_runs
from pixread.records import Box

Sums = Callable[[NDArray[np.float32]], Numbers]  # over the columns of each token

LOWEST = 4  # pixels: lower lines show nothing of their letters
LEAST_CONTRAST = 30  # of the sums of three channels: less is no ink
INK = 0.3  # of the contrast
BELOW = 4  # pixels below a line that are looked at for its underline
UNDERLINE_TOP = 0.75  # of the height of a line: underlines are below this
RULE = 0.8  # heights of a line: longer runs of ink down there are underlines, not letters
NEAR = 3  # tokens on one side of a place that tell how words there look

_CODE = re.compile(r"[_(){}<>=/\\$@]|\w\.\w|[a-z][A-Z]|^--?\w|::")
_NUMBER = re.compile(r"^(\d+\.)*\d+\.?$")


@dataclass(frozen=True, slots=True)
class Looks:
    """The tokens of a line and what is seen of each, one row a token.

    glued: whether a token follows the one before without a blank. left, right: columns of the picture. measures:
    stroke, slant, width beside the usual, height of small letters, blackness, contrast, brightness; odd: the same, less
    those of most of the line. styles: bold, slanted, monospaced (see `style`). hue: how far the ink's colour is from
    that of most of the line. underlined: how much of the token is; goes_on: how much of the blank behind it. traits:
    what the text says.
    """

    tokens: tuple[str, ...]
    glued: NDArray[np.bool_]
    left: Positions
    right: Positions
    height: float
    ink: Numbers
    paper: Numbers
    measures: Numbers
    odd: Numbers
    styles: Numbers
    hue: Numbers
    underlined: Numbers
    goes_on: Numbers
    traits: Numbers


def looks_at(pixels: NDArray[np.uint8], box: Box, tokens: Tokens) -> Looks | None:
    """The looks of a line whose tokens' places are known, as columns of the picture, or None where there is no ink.

    box: of whole numbers, from the top of capitals to the bottom of descenders. The tokens lie within it, each is at
    least a column wide, and none begins before the one to its left ends.
    """
    if not tokens.texts or box.height < LOWEST:
        return None
    core, alpha, contrast, left = _cut_out(pixels, box)
    if contrast < LEAST_CONTRAST:
        return None
    here = Tokens(tokens.texts, tokens.glued, tokens.starts - left, tokens.ends - left)
    return _measured(core, alpha, here, left=left, height=int(box.height))


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


def differences(one: Looks, at: Positions, other: Looks, other_at: Positions) -> Numbers:
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
        one.goes_on[at] * same,
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


def _styles_before(looks: Looks, at: Positions) -> Numbers:
    """The mean styles of each token and the `NEAR` - 1 before it, by their lengths."""
    sums, lengths = _style_sums(looks)
    first = np.maximum(at + 1 - NEAR, 0)
    return np.asarray((sums[at + 1] - sums[first]) / (lengths[at + 1] - lengths[first])[:, None])


def _styles_behind(looks: Looks, at: Positions) -> Numbers:
    """The same of each token and the `NEAR` - 1 behind it."""
    sums, lengths = _style_sums(looks)
    last = np.minimum(at + NEAR, len(looks.tokens))
    return np.asarray((sums[last] - sums[at]) / (lengths[last] - lengths[at])[:, None])


def _style_sums(looks: Looks) -> tuple[Numbers, Numbers]:
    """Of the styles by length, and of the lengths, of all tokens before each place."""
    lengths = np.array([float(len(token)) for token in looks.tokens])
    return sums_before(looks.styles * lengths[:, None]), sums_before(lengths)


def _commonest(part: NDArray[np.float32]) -> NDArray[np.float32]:
    """The commonest colour, that of the paper, as the mean of the pixels that are nearly of it."""
    flat = part.reshape(-1, 3)
    coarse = flat.astype(np.int64) >> 3
    codes = (coarse[:, 0] << 10) | (coarse[:, 1] << 5) | coarse[:, 2]
    return np.asarray(flat[codes == np.bincount(codes).argmax()].mean(axis=0), dtype=np.float32)


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
    tokens: Tokens,
    *,
    left: int,
    height: int,
) -> Looks:
    """The looks of the tokens of a line that is cut out."""
    starts, ends = tokens.starts, tokens.ends
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
    usual = np.array([width_of(token) for token in tokens.texts])
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
    weights = np.array([float(len(token)) for token in tokens.texts])
    usual_vector = np.array([_median((ink - paper)[:, channel], weights) for channel in range(3)])
    rules = _rules(alpha, height)
    return Looks(
        tokens=tuple(tokens.texts),
        glued=np.array(tokens.glued),
        left=starts + left,
        right=ends + left,
        height=float(height),
        ink=ink,
        paper=paper,
        measures=measures,
        odd=measures - np.array([_median(column, weights) for column in measures.T]),
        styles=style_net().styles(*scaled(letters, starts, ends)),
        hue=_angle(ink - paper, usual_vector[None]),
        underlined=np.asarray((sums(rules) / wide).max(axis=0)),
        goes_on=_goes_on(rules, starts, ends),
        traits=np.array(
            [_traits(token, is_first=place == 0) for place, token in enumerate(tokens.texts)], dtype=np.float64
        ),
    )


def _rules(alpha: NDArray[np.float32], height: int) -> NDArray[np.float32]:
    """Where there is an underline, 1, else 0, in the lower part of a line and below it."""
    low = alpha[int(UNDERLINE_TOP * height) :] > INK
    return (low & ~without_long_runs(low, int(RULE * height))).astype(np.float32)


def _goes_on(rules: NDArray[np.float32], starts: Positions, ends: Positions) -> Numbers:
    """How much of the blank behind each token is underlined; of none behind the last."""
    blanks = zip(ends[:-1].tolist(), np.maximum(starts[1:], ends[:-1] + 1).tolist(), strict=True)
    return np.array([rules[:, end:start].mean(axis=1).max() for end, start in blanks] + [0.0])


def _slant(letters: NDArray[np.float32], sums: Sums) -> Numbers:
    """The tilt of steep edges: 0 for upright letters."""
    across = letters[1:-1, 2:] - letters[1:-1, :-2]
    down = letters[2:, 1:-1] - letters[:-2, 1:-1]
    edges = np.zeros((2, letters.shape[1]), letters.dtype)  # 0 in the first and the last column
    (across * down).sum(axis=0, out=edges[0, 1:-1])
    (across * across).sum(axis=0, out=edges[1, 1:-1])
    tilted, steep = sums(edges)
    return np.asarray(tilted / (steep + 1e-3))


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
