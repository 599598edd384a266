"""Words as `pycocoevalcap` counts them: the tokens of Stanford's PTBTokenizer 3.4.1, lower-cased, punctuation dropped.

Written from what that tokenizer does; docs/metrics.md says how the two were compared, and where they still differ. Its
words are not a reader's: brackets stay, as `-lrb-`; `can't` is `ca` and `n't`; a pound sign is `#`; `colour-blind` is
one word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pixread.metrics.ptb.characters import LINE_ENDS
from pixread.metrics.ptb.rules import RULES

# What `pycocoevalcap` removes. It means to remove brackets too, but spells them in capitals, after lower-casing.
DROPPED = frozenset(["''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";"])

# Most words are letters up to a space. No rule reaches further, and of the rules that reach as far the first that
# does anything else than keep the word is one of those that divide it.
_SIMPLE = re.compile(r"[A-Za-z]+(?= )")
_DIVIDED = frozenset(["cannot", "gonna", "gotta", "lemme", "gimme", "wanna"])


def ptb_tokenize(text: str) -> list[str]:
    """The tokens of one caption; no text gives none. Line ends are spaces. A token holds no white space."""
    return _tokenize(_line(text) + "\n")[0]


def ptb_tokenize_all(texts: Sequence[str]) -> list[list[str]]:
    """The tokens of each caption, as `pycocoevalcap` has them, which tokenises all captions as the lines of one file.

    That differs from each by itself in two rare cases: a single letter that ends a caption ("vitamin C.") loses its
    full stop where the next begins with a word like "The", and the last caption has no line end, without which a face,
    a year ('98) or the name of a file that ends it is overlooked.
    """
    return _tokenize("\n".join(map(_line, texts)))[: len(texts)]


def _line(text: str) -> str:
    return LINE_ENDS.sub(" ", text)


def _tokenize(lines: str) -> list[list[str]]:
    """The tokens of each line."""
    tokens: list[list[str]] = [[]]
    position = 0
    while position < len(lines):
        if (simple := _SIMPLE.match(lines, position)) and (word := simple[0].lower()) not in _DIVIDED:
            tokens[-1].append(word)
            position = simple.end() + 1
        elif lines[position] == "\n":
            tokens.append([])
            position += 1
        else:
            token, position = _next(lines, position)
            if (token := token.lower()) not in DROPPED:
                # A tag or a number may hold spaces; `pycocoevalcap` counts what stands between them.
                tokens[-1].extend(token.split())
    return tokens


def _next(lines: str, position: int) -> tuple[str, int]:
    """The token that starts here, and where the next one may; no token where no rule applies."""
    reach, token, after = position, "", position + 1
    for rule in RULES:
        match = rule.pattern.match(lines, position)
        if match and match.end() > reach:
            group = 1 if match.re.groups else 0
            reach, token, after = match.end(), rule.spell(match[group]), match.end(group)
    return token, after
