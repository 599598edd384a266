"""What is wrong with the words of a reading, by causes that can be told from the texts and the boxes alone.

`word_score` compares two multisets of words; what is left over on either side is explained here. A true word and a read
one belong together where they are alike and, if boxes are known on both sides, where their lines meet. The likest pairs
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

LEAST_ALIKE = 0.5  # of two words
LEAST_ALIKE_JOINED = 0.8  # of a word and several put together: words can be put together in many ways
FEW_CHARACTERS = 2
LEAST_MET = 0.5  # share of a line's width that other lines take up, below which nothing is there

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
    true, read = _Left.of(truth, missed, longest=_longest(extra)), _Left.of(prediction, extra, longest=_longest(missed))
    errors = []
    for one in sorted(_candidates(true, read), key=lambda one: one.rank):
        true_counts, read_counts = Counter(one.truth), Counter(one.read)
        while true_counts <= missed and read_counts <= extra:
            missed, extra = missed - true_counts, extra - read_counts
            errors.append(WordError(one.cause, one.truth, one.read))
    errors += [WordError(cause, (word,), ()) for word, cause in _unpaired(missed, truth, extra, prediction)]
    return errors + [WordError(cause, (), (word,)) for word, cause in _unpaired(extra, prediction, missed, truth)]


def _words(lines: Sequence[Line]) -> Counter[str]:
    return Counter(word for line in lines for word in line.text.split())


def _longest(words: Counter[str]) -> float:
    """The most characters of words put together that may still be like one of these."""
    return max(map(len, words), default=0) / LEAST_ALIKE_JOINED


Places = Mapping[Words, set[Box | None]]


@dataclass(frozen=True, slots=True)
class _Left:
    """What one side has too many of: words, and runs of such words on a line, each with the boxes of its lines."""

    words: dict[Words, set[Box | None]] = field(default_factory=lambda: defaultdict(set))
    runs: dict[Words, set[Box | None]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def of(cls, lines: Sequence[Line], left: Counter[str], *, longest: float) -> _Left:
        """longest: characters of a run."""
        found = cls()
        for line in lines:
            words = line.text.split()
            for start in range(len(words)):
                length = 0
                for stop, word in enumerate(words[start:], start + 1):
                    length += len(word)
                    if not left[word] or (length > longest and stop > start + 1):
                        break
                    (found.words if stop == start + 1 else found.runs)[tuple(words[start:stop])].add(line.box)
        return found


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An explanation that may be taken; that of the lowest rank is taken first."""

    rank: tuple[float, int, Words, Words]
    truth: Words
    read: Words

    @property
    def cause(self) -> str:
        return CAUSES[self.rank[1]]


def _candidates(true: _Left, read: _Left) -> Iterator[_Candidate]:
    for cause, form in ((CASE, str.casefold), (ACCENTS, _without_accents), (PUNCTUATION, _without_punctuation)):
        yield from _same(true.words, read.words, cause, form)
    yield from _alike(true.words, read.words, LEAST_ALIKE, _how_far)
    yield from _alike(true.runs, read.words, LEAST_ALIKE_JOINED, lambda true, read: JOINED)
    yield from _alike(true.words, read.runs, LEAST_ALIKE_JOINED, lambda true, read: CUT)


def _same(true: Places, read: Places, cause: str, form: Callable[[str], str]) -> Iterator[_Candidate]:
    """Words that are the same in a form."""
    by_form: dict[str, list[Words]] = defaultdict(list)
    for words in read:
        by_form[form(words[0])].append(words)
    for words in true:
        plain = form(words[0])
        for other in by_form.get(plain, []) if plain else []:
            if _may_meet(true[words], read[other]):
                yield _Candidate((-1.0, CAUSES.index(cause), words, other), words, other)


def _alike(true: Places, read: Places, least: float, cause: Callable[[str, str], str]) -> Iterator[_Candidate]:
    """Words, or runs of words put together, that are alike."""
    if not true or not read:
        return
    true_texts, read_texts = [{words: "".join(words) for words in places} for places in (true, read)]
    similarity = cdist(list(true_texts.values()), list(read_texts.values()), scorer=Levenshtein.normalized_similarity)
    true_words, read_words = list(true), list(read)
    for at, place in zip(*(found.tolist() for found in (similarity >= least).nonzero()), strict=True):
        words, other = true_words[at], read_words[place]
        if _may_meet(true[words], read[other]):
            number = CAUSES.index(cause(true_texts[words], read_texts[other]))
            yield _Candidate((1.0 - float(similarity[at, place]), number, words, other), words, other)


def _how_far(true: str, read: str) -> str:
    return FEW if Levenshtein.distance(true, read) <= FEW_CHARACTERS else MORE


def _without_accents(word: str) -> str:
    kept = (char for char in unicodedata.normalize("NFD", word) if unicodedata.category(char) != "Mn")
    return unicodedata.normalize("NFC", "".join(kept))


def _without_punctuation(word: str) -> str:
    return "".join(char for char in word if unicodedata.category(char)[0] not in "PS")


def _may_meet(some: set[Box | None], others: set[Box | None]) -> bool:
    """Whether any two lines meet; unknown places may be anywhere."""
    if None in some or None in others:
        return True
    return any(_common_width(one, other) > 0 for one in some for other in others if one and other)


def _common_width(one: Box, other: Box) -> float:
    """How far two boxes stand above each other; 0 for boxes on different lines.

    They are on one line where the middle of either is within the height of the other: layout is higher than ink.
    """
    middles = (one.y + one.height / 2, other.y + other.height / 2)
    if not (one.y <= middles[1] <= one.bottom or other.y <= middles[0] <= other.bottom):
        return 0.0
    return max(0.0, min(one.right, other.right) - max(one.x, other.x))


def _unpaired(
    left: Counter[str], here: Sequence[Line], left_there: Counter[str], there: Sequence[Line]
) -> Iterator[tuple[str, str]]:
    """The words that no pair explains, each with its cause: of equal ones those with nothing beside them first."""
    is_placed = all(line.box is not None for line in there)
    at_causes: dict[str, Counter[str]] = {NOTHING: Counter(), ONE_SIDED: Counter()}
    for line in here:
        words = [word for word in line.text.split() if left[word]]
        beside = _beside(line.box, there) if is_placed and line.box is not None else there
        if not words:
            continue
        if is_placed and line.box is not None and _met(line.box, beside) < LEAST_MET:
            at_causes[NOTHING].update(words)
        elif not any(left_there[word] for other in beside for word in other.text.split()):
            at_causes[ONE_SIDED].update(words)
    for word, count in left.items():
        if not _without_punctuation(word):
            yield from [(word, SIGN)] * count
            continue
        for cause, words_there in at_causes.items():
            number = min(count, words_there[word])
            yield from [(word, cause)] * number
            count -= number
        yield from [(word, OTHER)] * count


def _beside(box: Box, others: Sequence[Line]) -> list[Line]:
    """The lines that stand where a line does."""
    return [line for line in others if line.box is not None and _common_width(box, line.box) > 0]


def _met(box: Box, others: Sequence[Line]) -> float:
    """The share of a line's width at which lines beside it stand."""
    return sum(_common_width(box, line.box) for line in others if line.box is not None) / max(box.width, 1.0)
