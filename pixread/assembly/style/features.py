"""The style of the tokens of a line: ink, paper, weight, slant and size, from the pixels and the recognised text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixread.arrays import Bitmap, Floats, Ints, Pixels
from pixread.assembly.style.network import STYLES, load_style_network, prefix_sums, scale_line
from pixread.images.components import without_long_runs
from pixread.records import Box

TokenSums = Callable[[NDArray[np.float32]], Floats]  # (..., columns) -> (..., tokens), over the columns of each token

MIN_LINE_HEIGHT = 4  # pixels: lower lines show nothing of their letters
MIN_CONTRAST = 30  # of the sums of three channels: less is no ink
INK_THRESHOLD = 0.3  # of the contrast
UNDERLINE_MARGIN = 4  # pixels below a line that are searched for its underline
UNDERLINE_TOP = 0.75  # of the height of a line: underlines are below this
MIN_UNDERLINE = 0.8  # heights of a line: longer runs of ink down there are underlines, not letters
CONTEXT_TOKENS = 3  # tokens on one side of a boundary whose mean style is compared

MEASURES = ("stroke_width", "slant", "relative_width", "x_height", "density", "contrast", "brightness")
TEXT_FEATURES = (
    "length",
    "is_code",
    "is_punctuation",
    "is_list_number",
    "opens_bracket",
    "ends_in_colon",
    "ends_in_comma",
    "ends_in_period",
    "starts_in_upper_case",
    "starts_in_lower_case",
    "ends_in_lower_case",
)
# The columns of `style_differences`: first, second are the token before and the token behind a boundary.
DIFFERENCE_FEATURES = (
    "ink_hue_difference",
    "contrast_ratio",
    "ink_difference",
    "paper_difference",
    *(f"{measure}_difference" for measure in MEASURES[:5]),
    *(f"{measure}_difference_by_length" for measure in MEASURES[:5]),
    *(f"first_{measure}_from_median" for measure in MEASURES),
    *(f"second_{measure}_from_median" for measure in MEASURES),
    "first_hue_from_median",
    "second_hue_from_median",
    "first_underlined",
    "second_underlined",
    "underlined_difference",
    "gap_underlined",
    "gap_width",
    *(f"first_{feature}" for feature in TEXT_FEATURES),
    *(f"second_{feature}" for feature in TEXT_FEATURES),
    "is_code_difference",
    "no_space_between",
    "first_no_space_before",
    "is_line_break",
    "first_begins_line",
    "second_ends_line",
    "token_count",
    *(f"{style}_difference" for style in STYLES),
    *(f"first_{style}" for style in STYLES),
    *(f"second_{style}" for style in STYLES),
    *(f"context_{style}_difference" for style in STYLES),
)

# Widths of letters in ems, about those of common sans serifs.
LETTER_WIDTHS = {
    **dict.fromkeys("ijl'|", 0.22),
    **dict.fromkeys("!,./:;I[]ft\\", 0.28),
    **dict.fromkeys('()-r"`{}*', 0.34),
    **dict.fromkeys("mM%W@", 0.87),
    "w": 0.7,
}
LOWERCASE_WIDTH, CAPITAL_WIDTH, FULL_WIDTH = 0.54, 0.68, 1.0  # of all others; digits are as wide as small letters
FIRST_FULL_WIDTH = "\u2e80"  # from here on characters are as wide as high

_CODE = re.compile(r"[_(){}<>=/\\$@]|\w\.\w|[a-z][A-Z]|^--?\w|::")
_LIST_NUMBER = re.compile(r"^(\d+\.)*\d+\.?$")
_CONTRAST = MEASURES.index("contrast")
_LENGTH, _IS_CODE = TEXT_FEATURES.index("length"), TEXT_FEATURES.index("is_code")


@dataclass(frozen=True, slots=True)
class LineTokens:
    """The tokens of a line from left to right."""

    texts: list[str]
    no_space_before: list[bool]  # whether a token follows the previous one without a space
    starts: Ints  # (tokens,) first column
    ends: Ints  # (tokens,) behind the last column


@dataclass(frozen=True, slots=True)
class StyleFeatures:
    """The tokens of a line and their style, one row a token."""

    tokens: tuple[str, ...]
    no_space_before: Bitmap  # (tokens,) whether it follows the previous one without a space
    left: Ints  # (tokens,) first column in the picture
    right: Ints  # (tokens,) behind the last column
    height: float  # of the line, in pixels
    ink: Floats  # (tokens, 3) colour of the letters, 0 to 255
    paper: Floats  # (tokens, 3) colour of the background
    measures: Floats  # (tokens, len(MEASURES))
    from_median: Floats  # (tokens, len(MEASURES)) measures less their medians over the line
    styles: Floats  # (tokens, len(STYLES)) scores of the style network, -1 to 1
    hue_from_median: Floats  # (tokens,) cosine distance of the ink's colour to the line's median colour
    underlined: Floats  # (tokens,) share of the token's width that is underlined
    gap_underlined: Floats  # (tokens,) share of the gap behind the token that is underlined
    text_features: Floats  # (tokens, len(TEXT_FEATURES))


def measure_style(pixels: Pixels, box: Box, tokens: LineTokens) -> StyleFeatures | None:
    """The style of a line's tokens, whose positions are columns of the picture (H, W, 3); None where there is no ink.

    box: of whole numbers, from the top of capitals to the bottom of descenders. The tokens lie within it, each is at
    least a column wide, and none begins before the previous one ends.
    """
    if not tokens.texts or box.height < MIN_LINE_HEIGHT:
        return None
    core, ink, contrast, left = _crop_line(pixels, box)
    if contrast < MIN_CONTRAST:
        return None
    in_crop = LineTokens(tokens.texts, tokens.no_space_before, tokens.starts - left, tokens.ends - left)
    return _measure_tokens(core, ink, in_crop, left=left, height=int(box.height))


def line_ink(pixels: Pixels, box: Box) -> tuple[NDArray[np.float32], int]:
    """The ink of each pixel of a line, 0 to 1 (rows, columns), and the picture's column where it begins."""
    core, ink, _, left = _crop_line(pixels, box)
    return ink[: len(core)], left


def _crop_line(pixels: Pixels, box: Box) -> tuple[NDArray[np.float32], NDArray[np.float32], float, int]:
    """The pixels of a line with a margin of one; their ink and that of the rows below; contrast; first column."""
    x, y, width, height = (int(side) for side in box.as_list())
    left, top = max(0, x - 1), max(0, y - 1)
    window = pixels[top : y + height + UNDERLINE_MARGIN, left : x + width + 1].astype(np.float32)
    core = window[: y - top + height + 1]
    distance = np.abs(window - _dominant_colour(core)).sum(axis=2)
    contrast = float(np.percentile(distance[: len(core)], 98))
    return core, np.clip(distance / max(contrast, 1.0), 0, 1), contrast, left


def style_differences(first: StyleFeatures, first_at: Ints, second: StyleFeatures, second_at: Ints) -> Floats:
    """How tokens of a line differ from those of another line, or the same, that follow them. -> (N, features)

    The columns are `DIFFERENCE_FEATURES`.
    """
    same_line = first is second
    first_ink = first.ink[first_at] - first.paper[first_at]
    second_ink = second.ink[second_at] - second.paper[second_at]
    lengths = np.minimum(first.text_features[first_at, _LENGTH], second.text_features[second_at, _LENGTH])
    certainty = np.minimum(1.0, lengths * 2)  # short tokens are measured badly
    changes = np.abs(first.measures[first_at] - second.measures[second_at])
    first_contrast, second_contrast = first.measures[first_at, _CONTRAST], second.measures[second_at, _CONTRAST]
    ones = np.ones(len(first_at))
    columns = [
        _cosine_distance(first_ink, second_ink),
        changes[:, _CONTRAST] / np.maximum(np.maximum(first_contrast, second_contrast), 1e-6),
        np.abs(first.ink[first_at] - second.ink[second_at]).sum(axis=1) / 765,
        np.abs(first.paper[first_at] - second.paper[second_at]).sum(axis=1) / 765,
        *changes[:, :5].T,
        *(changes[:, :5] * certainty[:, None]).T,
        *np.abs(first.from_median[first_at]).T,
        *np.abs(second.from_median[second_at]).T,
        first.hue_from_median[first_at],
        second.hue_from_median[second_at],
        first.underlined[first_at],
        second.underlined[second_at],
        np.abs(first.underlined[first_at] - second.underlined[second_at]),
        first.gap_underlined[first_at] * same_line,
        (second.left[second_at] - first.right[first_at]) / first.height if same_line else 0.3 * ones,
        *first.text_features[first_at].T,
        *second.text_features[second_at].T,
        np.abs(first.text_features[first_at, _IS_CODE] - second.text_features[second_at, _IS_CODE]),
        second.no_space_before[second_at] & same_line,
        first.no_space_before[first_at],
        ones * (not same_line),
        ones * (first_at == 0) * same_line,
        ones * (second_at == len(second.tokens) - 1) * same_line,
        ones * min(len(first.tokens), 20) / 20,
        *np.abs(first.styles[first_at] - second.styles[second_at]).T,
        *first.styles[first_at].T,
        *second.styles[second_at].T,
        *np.abs(_mean_styles_until(first, first_at) - _mean_styles_from(second, second_at)).T,
    ]
    return np.clip(np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1), -3, 3)


def _mean_styles_until(style: StyleFeatures, at: Ints) -> Floats:
    """The mean styles of each token and the `CONTEXT_TOKENS` - 1 before it, weighted by their lengths."""
    sums, lengths = _style_sums(style)
    first = np.maximum(at + 1 - CONTEXT_TOKENS, 0)
    return np.asarray((sums[at + 1] - sums[first]) / (lengths[at + 1] - lengths[first])[:, None])


def _mean_styles_from(style: StyleFeatures, at: Ints) -> Floats:
    """The same of each token and the `CONTEXT_TOKENS` - 1 behind it."""
    sums, lengths = _style_sums(style)
    last = np.minimum(at + CONTEXT_TOKENS, len(style.tokens))
    return np.asarray((sums[last] - sums[at]) / (lengths[last] - lengths[at])[:, None])


def _style_sums(style: StyleFeatures) -> tuple[Floats, Floats]:
    """Prefix sums over the tokens: of the styles times their lengths, and of the lengths."""
    lengths = np.array([float(len(token)) for token in style.tokens])
    return prefix_sums(style.styles * lengths[:, None]), prefix_sums(lengths)


def _dominant_colour(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """The most frequent colour, that of the paper: the mean of the pixels in the fullest bin of 8 levels a channel."""
    flat = pixels.reshape(-1, 3)
    coarse = flat.astype(np.int64) >> 3
    codes = (coarse[:, 0] << 10) | (coarse[:, 1] << 5) | coarse[:, 2]
    return np.asarray(flat[codes == np.bincount(codes).argmax()].mean(axis=0), dtype=np.float32)


def _text_features(token: str, *, is_first: bool) -> list[float]:
    """The `TEXT_FEATURES` of a token."""
    return [
        min(len(token), 8) / 8,
        bool(_CODE.search(token)),
        not any(character.isalnum() for character in token),
        is_first and bool(_LIST_NUMBER.match(token)),
        token[:1] in {"[", "("},
        token[-1:] == ":",
        token[-1:] in {",", ";", ")"},
        token[-1:] == ".",
        token[:1].isupper(),
        token[:1].islower(),
        token[-1:].islower(),
    ]


def _measure_tokens(
    core: NDArray[np.float32],
    ink: NDArray[np.float32],
    tokens: LineTokens,
    *,
    left: int,
    height: int,
) -> StyleFeatures:
    """The style of the tokens of a cropped line. core: (rows, columns, 3); ink: (rows and those below, columns)."""
    starts, ends = tokens.starts, tokens.ends
    edges = np.stack([starts, ends], axis=1).ravel()
    edges = edges[:-1] if edges[-1] >= core.shape[1] else edges

    def sums(columns: NDArray[np.float32]) -> Floats:
        return np.asarray(np.add.reduceat(columns, edges, axis=-1)[..., ::2], dtype=np.float64)

    widths = ends - starts
    letters = ink[: len(core)]
    stroke_cores = letters**4  # the middle of strokes, where ink is not mixed with paper
    depth = sums(stroke_cores.sum(axis=0)) + 1e-6
    ink_colours = np.stack(
        [sums((stroke_cores * core[..., channel]).sum(axis=0)) / depth for channel in range(3)], axis=1
    )
    paper_colours = np.stack([sums(core[0, :, channel]) / widths for channel in range(3)], axis=1)
    area = sums(letters.sum(axis=0))
    rises = sums(np.maximum(0, np.diff(letters, axis=1, prepend=0)).sum(axis=0)) + 1e-6
    contrast = np.linalg.norm(ink_colours - paper_colours, axis=1) / 441
    usual_widths = np.array([estimate_width(token) for token in tokens.texts])
    stretch = np.log(widths / usual_widths / np.median(widths / usual_widths))
    measures = np.stack(
        [
            np.log(area / rises / height + 0.01),
            _slants(letters, sums),
            np.clip(stretch, -1, 1),
            _x_heights(sums(letters) / widths) / height,
            area / (widths * height),
            contrast,
            ink_colours.sum(axis=1) / 765,
        ],
        axis=1,
    )
    lengths = np.array([float(len(token)) for token in tokens.texts])
    median_colour = np.array(
        [_weighted_median((ink_colours - paper_colours)[:, channel], lengths) for channel in range(3)]
    )
    underlines = _underlines(ink, height)
    return StyleFeatures(
        tokens=tuple(tokens.texts),
        no_space_before=np.array(tokens.no_space_before),
        left=starts + left,
        right=ends + left,
        height=float(height),
        ink=ink_colours,
        paper=paper_colours,
        measures=measures,
        from_median=measures - np.array([_weighted_median(column, lengths) for column in measures.T]),
        styles=load_style_network().predict(*scale_line(letters, starts, ends)),
        hue_from_median=_cosine_distance(ink_colours - paper_colours, median_colour[None]),
        underlined=np.asarray((sums(underlines) / widths).max(axis=0)),
        gap_underlined=_gaps_underlined(underlines, starts, ends),
        text_features=np.array(
            [_text_features(token, is_first=number == 0) for number, token in enumerate(tokens.texts)],
            dtype=np.float64,
        ),
    )


def _underlines(ink: NDArray[np.float32], height: int) -> NDArray[np.float32]:
    """1 where there is an underline, else 0, in the lower part of a line and below it."""
    low = ink[int(UNDERLINE_TOP * height) :] > INK_THRESHOLD
    return (low & ~without_long_runs(low, int(MIN_UNDERLINE * height))).astype(np.float32)


def _gaps_underlined(underlines: NDArray[np.float32], starts: Ints, ends: Ints) -> Floats:
    """The share of the gap behind each token that is underlined; 0 behind the last."""
    gaps = zip(ends[:-1].tolist(), np.maximum(starts[1:], ends[:-1] + 1).tolist(), strict=True)
    return np.array([underlines[:, end:start].mean(axis=1).max() for end, start in gaps] + [0.0])


def _slants(letters: NDArray[np.float32], sums: TokenSums) -> Floats:
    """The tilt of steep edges: 0 for upright letters."""
    across = letters[1:-1, 2:] - letters[1:-1, :-2]
    down = letters[2:, 1:-1] - letters[:-2, 1:-1]
    edges = np.zeros((2, letters.shape[1]), letters.dtype)  # 0 in the first and the last column
    (across * down).sum(axis=0, out=edges[0, 1:-1])
    (across * across).sum(axis=0, out=edges[1, 1:-1])
    tilted, steep = sums(edges)
    return np.asarray(tilted / (steep + 1e-3))


def _x_heights(rows: Floats) -> Floats:
    """From where most ink of a token begins down to its baseline, in pixels. rows: mean ink (rows, tokens)"""
    jumps = np.diff(rows, axis=0, prepend=0)
    middle = len(rows) // 2 + 1
    return np.asarray(np.argmin(jumps[middle:], axis=0) + middle - np.argmax(jumps[:middle], axis=0), dtype=np.float64)


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    cumulative = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(cumulative, cumulative[-1] / 2)])


def _cosine_distance(first: Floats, second: Floats) -> Floats:
    """1 less the cosine between the rows: 0 for colours of one hue."""
    lengths = (np.linalg.norm(first, axis=1) + 1e-6) * (np.linalg.norm(second, axis=1) + 1e-6)
    return np.asarray(1 - (first * second).sum(axis=1) / lengths)


def estimate_width(word: str) -> float:
    """The usual width of a word in ems."""
    return sum(
        LETTER_WIDTHS.get(character)
        or (FULL_WIDTH if character >= FIRST_FULL_WIDTH else CAPITAL_WIDTH if character.isupper() else LOWERCASE_WIDTH)
        for character in word
    )
