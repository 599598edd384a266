"""What is a token: patterns, of which the one that reaches furthest wins, and of those that reach as far the first.

A pattern's first group, where it has one, is the token; what it matches beyond that must follow, and counts for its
reach, but is read again. `spell` says what the token becomes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pixread.metrics.ptb import abbreviations
from pixread.metrics.ptb.characters import (
    ALPHANUMERIC,
    ANY_APOSTROPHE,
    APOSTROPHE,
    DIGIT,
    HYPHEN,
    LETTER,
    MARK,
    SOFT_HYPHEN,
    SPACE_OR_LINE_END,
    SYMBOL,
)
from pixread.metrics.ptb.spelling import ampersand, nothing, plain, quotation, round_brackets, same, symbol


@dataclass(frozen=True, slots=True)
class Rule:
    pattern: re.Pattern[str]
    spell: Callable[[str], str]


# Words.
LETTERS = rf"(?:[{LETTER}{MARK}{SOFT_HYPHEN}]|&[aeiouAEIOU](?:acute|grave|uml);)"
RUN = rf"{LETTERS}(?:{LETTERS}|[{DIGIT}])*"
WORD = rf"{RUN}(?:[.!?]{RUN})*"
# Of French and Irish: d'Artagnan, O'Neil, also within: parco-l'Aquila.
PREFIXED = rf"(?:[dDoOlL]{APOSTROPHE}{ALPHANUMERIC})?{ALPHANUMERIC}+"
HYPHENATED = rf"{PREFIXED}(?:{HYPHEN}{PREFIXED})*"
# Of ASCII only, but commas and full stops may stand in the first part: 2,000-strong.
# ... and initials in the others: non-U.S.
INITIALS = r"[A-Za-z](?:\.[A-Za-z])+\."
LIST_HYPHENATED = rf"[A-Za-z0-9][A-Za-z0-9.,{SOFT_HYPHEN}]*(?:-(?:{INITIALS}|[A-Za-z0-9{SOFT_HYPHEN}]+))+"
SLASHED_PART = "[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}"
ENDINGS = f"{APOSTROPHE}(?:[msdMSD]|[rR][eE]|[vV][eE]|[lL][lL])"

# Numbers.
NUMBER = rf"(?:[{DIGIT}]*(?:[.:,{SOFT_HYPHEN}\u066b\u066c][{DIGIT}]+)+|[{DIGIT}]+)"
DATE = rf"[{DIGIT}]{{1,2}}[-/][{DIGIT}]{{1,2}}[-/][{DIGIT}]{{2,4}}"
FRACTION = rf"(?:[{DIGIT}]{{1,4}}[- \xa0])?[{DIGIT}]{{1,4}}(?:\\?/|\u2044)[{DIGIT}]{{1,4}}"
AREA_CODE = r"(?:\([0-9]{2,3}\)[ \xa0]?|(?:\+\+?)?(?:[0-9]{2,4}[- \xa0])?[0-9]{2,4}[- \xa0])"
PHONE = rf"{AREA_CODE}[0-9]{{3,4}}[- \xa0]?[0-9]{{3,5}}"
DOTTED_PHONE = r"(?:\+\+?)?[0-9]{2,4}\.[0-9]{2,4}\.[0-9]{3,4}(?:\.[0-9]{3,5})?"

# Addresses. What may stand in them is said by what may not.
URL = r"https?://[^ \t\n\"<>|(){}]+[^ \t\n\"<>|.!?(){},-]"
WWW = r"www\.(?:[^ \t\n\"<>|.!?(){},]+\.)+[A-Za-z]{2,4}"
# "," to "_" are punctuation marks, digits and capitals: without a path behind it, no more than a word matches.
HOST = r"(?:[^ \t\n\"`'<>|!(){}$,-_]+\.)+(?:com|net|org|edu)"
PATH = r"/[^ \t\n\"<>|()]+[^ \t\n\"<>|.!?(){},-]"
MAIL_PART = r"[^ \t\n\"<>|().\u00a0{}]+"
MAIL = rf"(?:&lt;|<)?[A-Za-z0-9][^ \t\n\"<>|()\u00a0{{}}]*@{MAIL_PART}(?:\.{MAIL_PART})*(?:&gt;|>)?"
FILE_ENDINGS = (
    "bat bmp c cgi class cpp dll doc docx exe gif gz h htm html jar java jpeg jpg mov mp3 pdf php pl png ppt ps py "
    "sql tar txt wav x xml zip"
)

# Tags.
NAME = "[A-Za-z][A-Za-z0-9_:.-]*"
VALUE = r"(?:'[^'\n]*'|\"[^\"\n]*\")"
TAG = rf"<(?:[!?][A-Za-z-][^>\n]*|{NAME}(?: +(?:{NAME}(?: *= *{VALUE})?))* */?|/{NAME}) *>"

# Faces.
FACE = r"([<>]?[:;=][-o*']?[()DPdpO\\{@|\[\]])[^A-Za-z0-9]"
EYE = "[-^x=~<>']"
EAST_FACES = (rf"{EYE}_{EYE}", rf"\({EYE}[_.]?{EYE}\)", r"\([\^x=~<>']-[\^x=~<>'`]\)")


def _any(words: Iterable[str]) -> str:
    """One of the words, however they are capitalised; full stops are meant."""
    return f"(?i:{'|'.join(re.escape(word) for word in sorted(words, key=len, reverse=True))})"


def _split(first: str, second: str) -> str:
    """A word that is two tokens: the first, with the second following."""
    return f"((?i:{first}))(?i:{second})"


def _capitalised(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(f'{word[0].upper()}(?i:{word[1:]})' for word in words)})"


def _either_first(words: Iterable[str]) -> str:
    """The first letter may be a capital."""
    return f"(?:{'|'.join(f'[{word[0]}{word[0].upper()}]{word[1:]}' for word in words)})"


_AT_ENDS = "|".join(
    (
        _any(abbreviations.AT_ENDS),
        _capitalised(abbreviations.CAPITALISED),
        _either_first(abbreviations.PART_OF_NAMES_AT_ENDS),
    )
)
# What is taken apart.
DIVIDED = [
    _split("can", "not"),
    _split("gon", "na"),
    _split("got", "ta"),
    _split("lem", "me"),
    _split("gim", "me"),
    _split("wan", "na"),
    _split("'t", "is|was"),
    rf"([mM]ore){APOSTROPHE}n",
]

# The apostrophe is part of the word.
APOSTROPHISED = [
    rf"{APOSTROPHE}[nN]{APOSTROPHE}?",
    rf"[lLdDjJ]{APOSTROPHE}",
    rf"(?i:ol|dunkin|somethin){APOSTROPHE}",
    rf"{APOSTROPHE}(?i:em|cause|till?)",
    rf"{APOSTROPHE}[2-9]0[sS]",
    rf"({APOSTROPHE}[0-9]{{2}})[ \t\n\xa0]",
    rf"(?i:o{APOSTROPHE}o|ev{APOSTROPHE}ry|nat{APOSTROPHE}l|nor{APOSTROPHE}easter|c{APOSTROPHE}est|c'mon|e'er)",
    rf"([yY]{APOSTROPHE})[{LETTER}]",
    # Between vowels, or before a capital: ma'am, Hawai'i.
    rf"[{LETTER}]+[aeiouyAEIOUY]{ANY_APOSTROPHE}[aeiouA-Z][{LETTER}]*",
    rf"[A-HJ-XZn]{ANY_APOSTROPHE}[{LETTER}]{{2,}}",
]

ABBREVIATIONS = [
    rf"(?:{_any(abbreviations.ALWAYS)}|{_either_first(abbreviations.PART_OF_NAMES)})\.",
    rf"({_any(abbreviations.BEFORE_NUMBERS)}\.){SPACE_OR_LINE_END}?[{DIGIT}]",
    rf"([A-Za-z])\.{SPACE_OR_LINE_END}+{_capitalised(abbreviations.STARTERS)}{SPACE_OR_LINE_END}",
    # U.S., p.m., and initials.
    r"[A-Za-z](?:\.[A-Za-z])*\.",
]

RULES = [
    Rule(re.compile(pattern), spell)
    for pattern, spell in [
        *((pattern, same) for pattern in DIVIDED),
        (TAG, same),
        (WORD, plain),
        # Looks ahead two more characters, whatever they are: "jan.a" is divided and "jan.ab" is not.
        (rf"((?:{_AT_ENDS})\.)(?s:.{{0,2}})", same),
        (rf"([A-Za-z]+)[nN]{ANY_APOSTROPHE}[tT]", same),
        (rf"({WORD}){ENDINGS}", plain),
        (rf"[nN]{ANY_APOSTROPHE}[tT]", quotation),
        (rf"({ENDINGS})[^A-Za-z]", quotation),
        *((pattern, same) for pattern in APOSTROPHISED),
        # An apostrophe before two letters opens a quotation.
        (r"(')[A-Za-z][^ \t\n\xa0]", nothing),
        (ENDINGS, quotation),
        (HYPHENATED, plain),
        (LIST_HYPHENATED, plain),
        ("[A-Z]+(?:(?:[+&]|&amp;)[A-Z]+)+", ampersand),
        (rf"{SLASHED_PART}(?:\\?/{SLASHED_PART}){{1,2}}", same),
        # Before a comma every word keeps its full stop.
        *((rf"({word}\.)[,;:]", plain) for word in (WORD, HYPHENATED, LIST_HYPHENATED)),
        *((pattern, same) for pattern in ABBREVIATIONS),
        (DATE, same),
        (f"[-+]?{NUMBER}", plain),
        (FRACTION, same),
        (PHONE, round_brackets),
        (DOTTED_PHONE, same),
        (rf"([A-Za-z0-9]+(?:\.[A-Za-z0-9]+)*\.{_any(FILE_ENDINGS.split())})[ \t\n.,!?]", same),
        (URL, same),
        *((host + path, same) for host in (WWW, HOST) for path in ("", PATH)),
        (MAIL, same),
        ("@[A-Za-z_][A-Za-z_0-9]*|#[A-Za-z]+", same),
        (r"[cC]\+\+|[cCfF]#", same),
        (r"[A-Z]+\$", same),
        (FACE, round_brackets),
        *((pattern, round_brackets) for pattern in EAST_FACES),
        (r"\.{3,5}|\.[ \xa0]\.[ \xa0]\.|-{2,4}|''|``|&(?:MD|mdash|ndash|quot|apos|nbsp);", nothing),
        ("&(?:HT|TL|UR|LR|QC|QL|QR|odq|cdq|#[0-9]+);", same),
        (r"-{5,}|_{2,}|\*{2,}|(?:\\\*)+|#{2,}|[!?]{2,}|@{2,}|<<|>>|\\/", same),
        ("[`\x91-\x94\u2018-\u201f\u2039\u203a\xab\xbb]{1,2}", quotation),
        ("[\xb2\xb3\xb9\u2070\u2074-\u2079]+|[\u2080-\u2089]+", same),
        (f"&amp;|&AMP;|&lt;|&gt;|[{SYMBOL}]", symbol),
    ]
]
