"""What is wrong with the words of a reading, by causes that follow from the texts and the boxes alone.

`word_score` compares two multisets of words; what is left over on either side is explained here. A true word and a read
one are paired where they are similar and, if boxes are known on both sides, their lines overlap. The most similar pairs
are taken first, each word once, and where several causes would do the first of `CAUSES` is named:

case only            equal but for capitals
accents only         equal but for accents and other marks above, below and in letters
punctuation only     equal but for punctuation and signs, missing ones included
blank missing        several true words were read as one
blank added          one true word was read as several
1 or 2 characters    so many characters are wrong, missing or too many, and at least half are right
more characters      more than that, and at least half are right
sign alone           a word without letters and digits, and nothing like it on the other side: bullets, bars, arrows
on one side only     the other side has a line there, but no word left that could be it: it was left out, or added
quite other          nothing like it is left on the other side, but other words are
nothing there        no line of the other side meets the word's line: it was not found, or there is nothing to be read

Words joined or cut may have wrong characters besides, up to one in five.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from pixread.records import Box

CASE, ACCENTS, PUNCTUATION = "case only", "accents only", "punctuation only"
JOINED, CUT, FEW, MORE = "blank missing", "blank added", "1 or 2 characters", "more characters"
SIGN, ONE_SIDED, OTHER, NOTHING = "sign alone", "on one side only", "quite other", "nothing there"
CAUSES = (CASE, ACCENTS, PUNCTUATION, JOINED, CUT, FEW, MORE, SIGN, ONE_SIDED, OTHER, NOTHING)

MIN_SIMILARITY = 0.5  # of two words
MIN_JOINED_SIMILARITY = 0.8  # of a word and several put together: words can be put together in many ways
FEW_CHARACTERS = 2
MIN_OVERLAP = 0.5  # share of a line's width that other lines take up, below which nothing is there

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """Words that stand on one line, and where it is, if that is known. words: the box of each, if those are."""

    text: str
    box: Box | None = None
    words: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class WordError:
    """Words of the truth that were missed, words that were read in their place (either may be none), and why."""

    cause: str
    truth: Words
    read: Words


def word_errors(prediction: Sequence[Line], truth: Sequence[Line]) -> list[WordError]:
    """Every word that is on one side only, in exactly one error.

    The errors hold as many true words as `word_score` counts as missed, and as many read ones as it counts as invented.
    """
    read_words, true_words = _words(prediction), _words(truth)
    extra, missed = read_words - true_words, true_words - read_words
    true = _Unmatched.of(truth, missed, longest=_longest(extra))
    read = _Unmatched.of(prediction, extra, longest=_longest(missed))
    errors = []
    for candidate in sorted(_candidates(true, read), key=lambda candidate: candidate.rank):
        true_counts, read_counts = Counter(candidate.truth), Counter(candidate.read)
        while true_counts <= missed and read_counts <= extra:
            missed, extra = missed - true_counts, extra - read_counts
            errors.append(WordError(candidate.cause, candidate.truth, candidate.read))
    errors += [WordError(cause, (word,), ()) for word, cause in _unexplained(missed, truth, extra, prediction)]
    return errors + [WordError(cause, (), (word,)) for word, cause in _unexplained(extra, prediction, missed, truth)]


def _words(lines: Sequence[Line]) -> Counter[str]:
    return Counter(word for line in lines for word in line.text.split())


def _longest(words: Counter[str]) -> float:
    """The most characters of words put together that may still be similar to one of these."""
    return max(map(len, words), default=0) / MIN_JOINED_SIMILARITY


LineBoxes = Mapping[Words, set[Box | None]]


@dataclass(frozen=True, slots=True)
class _Unmatched:
    """What one side has too many of: words, and runs of such words on a line, each with the boxes of its lines."""

    words: dict[Words, set[Box | None]] = field(default_factory=lambda: defaultdict(set))
    runs: dict[Words, set[Box | None]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def of(cls, lines: Sequence[Line], unmatched: Counter[str], *, longest: float) -> _Unmatched:
        """longest: characters of a run."""
        collected = cls()
        for line in lines:
            words = line.text.split()
            for start in range(len(words)):
                length = 0
                for stop, word in enumerate(words[start:], start + 1):
                    length += len(word)
                    if not unmatched[word] or (length > longest and stop > start + 1):
                        break
                    (collected.words if stop == start + 1 else collected.runs)[tuple(words[start:stop])].add(line.box)
        return collected


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An explanation that may be taken; that of the lowest rank is taken first."""

    rank: tuple[float, int, Words, Words]
    truth: Words
    read: Words

    @property
    def cause(self) -> str:
        return CAUSES[self.rank[1]]


def _candidates(true: _Unmatched, read: _Unmatched) -> Iterator[_Candidate]:
    for cause, form in ((CASE, str.casefold), (ACCENTS, _without_accents), (PUNCTUATION, _without_punctuation)):
        yield from _same(true.words, read.words, cause, form)
    yield from _similar(true.words, read.words, MIN_SIMILARITY, _character_cause)
    yield from _similar(true.runs, read.words, MIN_JOINED_SIMILARITY, lambda true, read: JOINED)
    yield from _similar(true.words, read.runs, MIN_JOINED_SIMILARITY, lambda true, read: CUT)


def _same(true: LineBoxes, read: LineBoxes, cause: str, form: Callable[[str], str]) -> Iterator[_Candidate]:
    """Words that are the same in a form."""
    by_form: dict[str, list[Words]] = defaultdict(list)
    for words in read:
        by_form[form(words[0])].append(words)
    for true_words in true:
        plain = form(true_words[0])
        for read_words in by_form.get(plain, []) if plain else []:
            if _may_overlap(true[true_words], read[read_words]):
                yield _Candidate((-1.0, CAUSES.index(cause), true_words, read_words), true_words, read_words)


def _similar(
    true: LineBoxes, read: LineBoxes, min_similarity: float, cause: Callable[[str, str], str]
) -> Iterator[_Candidate]:
    """Words, or runs of words put together, that are similar."""
    if not true or not read:
        return
    true_texts, read_texts = [{words: "".join(words) for words in boxes} for boxes in (true, read)]
    similarity = cdist(list(true_texts.values()), list(read_texts.values()), scorer=Levenshtein.normalized_similarity)
    all_true, all_read = list(true), list(read)
    rows, columns = (indices.tolist() for indices in (similarity >= min_similarity).nonzero())
    for row, column in zip(rows, columns, strict=True):
        true_words, read_words = all_true[row], all_read[column]
        if _may_overlap(true[true_words], read[read_words]):
            number = CAUSES.index(cause(true_texts[true_words], read_texts[read_words]))
            rank = (1.0 - float(similarity[row, column]), number, true_words, read_words)
            yield _Candidate(rank, true_words, read_words)


def _character_cause(true: str, read: str) -> str:
    return FEW if Levenshtein.distance(true, read) <= FEW_CHARACTERS else MORE


def _without_accents(word: str) -> str:
    characters = (char for char in unicodedata.normalize("NFD", word) if unicodedata.category(char) != "Mn")
    return unicodedata.normalize("NFC", "".join(characters))


def _without_punctuation(word: str) -> str:
    return "".join(char for char in word if unicodedata.category(char)[0] not in "PS")


def _may_overlap(boxes: set[Box | None], other_boxes: set[Box | None]) -> bool:
    """Whether any two lines overlap; lines without boxes may be anywhere."""
    if None in boxes or None in other_boxes:
        return True
    return any(_common_width(a, b) > 0 for a in boxes for b in other_boxes if a and b)


def _common_width(a: Box, b: Box) -> float:
    """How far two boxes stand above each other; 0 for boxes on different lines.

    They are on one line where the middle of either is within the height of the other: layout is higher than ink.
    """
    middles = (a.y + a.height / 2, b.y + b.height / 2)
    if not (a.y <= middles[1] <= a.bottom or b.y <= middles[0] <= b.bottom):
        return 0.0
    return max(0.0, min(a.right, b.right) - max(a.x, b.x))


def _unexplained(
    unmatched: Counter[str], lines: Sequence[Line], other_unmatched: Counter[str], other_lines: Sequence[Line]
) -> Iterator[tuple[str, str]]:
    """The words that no pair explains, each with its cause: of equal ones those that overlap nothing first."""
    has_boxes = all(line.box is not None for line in other_lines)
    at_causes: dict[str, Counter[str]] = {NOTHING: Counter(), ONE_SIDED: Counter()}
    for line in lines:
        words = [word for word in line.text.split() if unmatched[word]]
        overlapping = _overlapping(line.box, other_lines) if has_boxes and line.box is not None else other_lines
        if not words:
            continue
        if has_boxes and line.box is not None and _overlapped_share(line.box, overlapping) < MIN_OVERLAP:
            at_causes[NOTHING].update(words)
        elif not any(other_unmatched[word] for other in overlapping for word in other.text.split()):
            at_causes[ONE_SIDED].update(words)
    for word, count in unmatched.items():
        if not _without_punctuation(word):
            yield from [(word, SIGN)] * count
            continue
        for cause, cause_words in at_causes.items():
            number = min(count, cause_words[word])
            yield from [(word, cause)] * number
            count -= number
        yield from [(word, OTHER)] * count


def _overlapping(box: Box, lines: Sequence[Line]) -> list[Line]:
    """The lines that stand at the height of a box and overlap it along the line."""
    return [line for line in lines if line.box is not None and _common_width(box, line.box) > 0]


def _overlapped_share(box: Box, lines: Sequence[Line]) -> float:
    """The share of a box's width that these lines cover."""
    return sum(_common_width(box, line.box) for line in lines if line.box is not None) / max(box.width, 1.0)
