"""How a token is written: Penn Treebank names for brackets, ASCII for quotation marks, currencies and fractions.

What would become one of the punctuation marks that are dropped becomes nothing at once.
"""

from __future__ import annotations

from pixread.metrics.ptb.characters import SOFT_HYPHEN

BRACKETS = {"(": "-LRB-", ")": "-RRB-", "[": "-LSB-", "]": "-RSB-", "{": "-LCB-", "}": "-RCB-"}

QUOTATION_MARKS = {
    **dict.fromkeys("\x91\u2018\u201b\u2039", "`"),
    **dict.fromkeys("\x92\u2019\u203a", "'"),
    **dict.fromkeys("\x93\u201c\xab", "``"),
    **dict.fromkeys("\x94\u201d\xbb", "''"),
}

SYMBOLS = {
    **BRACKETS,
    # Half of these are gone from Unicode's own view of the world: the euro of Windows, and the one of before 1998.
    **dict.fromkeys("\x80\xa4\u20a0\u20ac", "$"),
    "\xa2": "cents",
    "\xa3": "#",
    "\xbc": "1/4",
    "\xbd": "1/2",
    "\xbe": "3/4",
    "\u2153": "1/3",
    "\u2154": "2/3",
    **dict.fromkeys(("&amp;", "&AMP;"), "&"),
    "&lt;": "<",
    "&gt;": ">",
    **dict.fromkeys(("\x96", "\x97", "\u2013", "\u2014", "\u2015", "\x85", "\u2026", '"', SOFT_HYPHEN), ""),
}


def same(token: str) -> str:
    return token


def nothing(_token: str) -> str:
    return ""


def plain(token: str) -> str:
    return token.replace(SOFT_HYPHEN, "")


def ampersand(token: str) -> str:
    return token.replace("&amp;", "&")


def quotation(token: str) -> str:
    """Also for apostrophes; two marks that stand together stay one token."""
    return "".join(QUOTATION_MARKS.get(character, character) for character in token.replace("&apos;", "'"))


def round_brackets(token: str) -> str:
    return token.replace("(", "-LRB-").replace(")", "-RRB-")


def symbol(token: str) -> str:
    return SYMBOLS.get(token, token)
