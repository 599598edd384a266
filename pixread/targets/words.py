"""High-entropy text: words, numbers, prices, dates, addresses and codes that cannot be learnt by heart.

A small reader that is fed text of few sources recites it; only text it cannot guess makes it look at the pixels.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Sequence

CONSONANTS = "bcdfghjklmnprstvwz" + "tnrsl" * 3
VOWELS = "aeiou" + "aeio" * 2
ACCENTED = "àáâäãåæçèéêëìíîïñòóôöõøœùúûüýÿßğışčćžšđńłąężźőűřě"
# Those of French, Spanish and German running text, which differ from each other by a pixel or two; the commonest twice.
COMMON_ACCENTS = "éèêàùçîôâëïûéèàüöäóíáñúã"
SYMBOLS = "&%#@*+=/\\|<>~^_$€£¥§©®™°•·→←×✓★…–—"
CLOSERS = ".,;:!?"
QUOTES = "“”‘’«»„‚"
# What a reader of Latin script meets on pages; all else is spelled in bytes.
ALPHABET = (
    string.printable[:95] + ACCENTED + ACCENTED.upper() + SYMBOLS + QUOTES + "¿¡½¼¾²³×÷±µ¶≤≥≈∞√▲▼►◄●○■□♥♦“”\u00a0"
)


def pseudo_word(rng: random.Random) -> str:
    """A pronounceable word that stands in no dictionary, or now and then a bare string of letters."""
    if rng.random() < 0.25:
        return "".join(rng.choices(string.ascii_lowercase, k=rng.randint(1, 10)))
    word = "".join(rng.choice(CONSONANTS) + rng.choice(VOWELS) for _ in range(rng.randint(1, 4)))
    word += rng.choice(("", rng.choice(CONSONANTS), rng.choice(CONSONANTS) + "s", "ing", "ed", "er", "tion", "ly"))
    if rng.random() < 0.12:
        spot = rng.randrange(len(word))
        word = word[:spot] + rng.choice(rng.choice((ACCENTED, COMMON_ACCENTS))) + word[spot + 1 :]
    return word


def number(rng: random.Random) -> str:
    digits = str(rng.randrange(10 ** rng.randint(1, 6)))
    return rng.choice(
        (
            digits,
            f"{rng.randrange(10**6):,}",
            f"{rng.random() * 10 ** rng.randint(0, 3):.{rng.randint(1, 3)}f}",
            f"{rng.choice('$€£')}{rng.randrange(5000)}.{rng.randrange(100):02}",
            f"{rng.randrange(101)}%",
            f"-{digits}",
            f"+{rng.randrange(1, 99)} {rng.randrange(100, 999)} {rng.randrange(1000, 9999)}",
            f"({digits})",
            f"#{digits}",
            f"v{rng.randrange(20)}.{rng.randrange(20)}.{rng.randrange(20)}",
        )
    )


def moment(rng: random.Random) -> str:
    year, month, day = rng.randint(1950, 2039), rng.randint(1, 12), rng.randint(1, 28)
    names = ("Jan", "Feb", "Mar", "April", "May", "June", "July", "Aug", "Sep", "October", "Nov", "December")
    return rng.choice(
        (
            f"{year}-{month:02}-{day:02}",
            f"{day}/{month}/{year}",
            f"{names[month - 1]} {day}, {year}",
            f"{rng.randrange(24)}:{rng.randrange(60):02}",
            f"{rng.randint(1, 12)}:{rng.randrange(60):02} {rng.choice(('am', 'pm', 'AM', 'PM'))}",
            f"{year}",
        )
    )


def address(rng: random.Random) -> str:
    host = f"{pseudo_word(rng)}.{rng.choice(('com', 'org', 'net', 'io', 'dev', 'de', 'co.uk', 'eu'))}"
    return rng.choice(
        (
            host,
            f"https://{host}/{pseudo_word(rng)}",
            f"www.{host}",
            f"{pseudo_word(rng)}@{host}",
            f"/{pseudo_word(rng)}/{pseudo_word(rng)}.{rng.choice(('html', 'js', 'py', 'png', 'css'))}",
        )
    )


def code(rng: random.Random) -> str:
    left, right = pseudo_word(rng), pseudo_word(rng)
    return rng.choice(
        (
            f"{left}_{right}",
            f"{left}_{right}".upper(),
            f"{left}_{right}_{pseudo_word(rng)}".upper(),
            f"{left.capitalize()}::{right.capitalize()}",
            f"{left}({rng.randrange(9)})",
            f"*|{left.upper()}:{right.upper()}|*",
            f"${{{left}}}",
            f"{left}-{right}-{pseudo_word(rng)}",
            f"?{left}({right})",
            f"[{left}...]",
            f"&{left};",
            f"{left}|{right}",
            f"~/{left}/{right}",
            f"{left}.{right}()",
            f"{left}{right.capitalize()}",
            f"--{left}-{right}",
            f"<{left}>",
            f"{{{left}: {right};}}",
            f'{left}="{right}"',
            f"[{left}]",
            f"{left}({right}, {rng.randrange(100)})",
            f".{left}",
            f"{left} = {right}",
            "".join(rng.choices(string.ascii_letters + string.digits, k=rng.randint(3, 9))),
        )
    )


TOKEN_MAKERS: tuple[Callable[[random.Random], str], ...] = (number, number, number, moment, moment, address, code, code)


def _with_case_and_punctuation(word: str, rng: random.Random) -> str:
    """A word in the case and punctuation that a page may give it."""
    if (roll := rng.random()) < 0.25:
        word = word[:1].upper() + word[1:]
    elif roll < 0.33:
        word = word.upper()
    if (roll := rng.random()) < 0.13:
        word += rng.choice(CLOSERS)
    elif roll < 0.16:
        left, right = rng.choice(('""', "''", "()", "[]", "“”", "‘’", "«»"))
        word = left + word + right
    elif roll < 0.18:
        word += rng.choice(("'s", "’s", "n't", "-" + pseudo_word(rng)))
    elif roll < 0.2:
        word = rng.choice(("l'", "d'", "qu'", "l’", "d’", "n'", "s'", "O'")) + word
    return word


def random_word(rng: random.Random, vocabulary: Sequence[str] = ()) -> str:
    """One "word" of any kind, half of the plain ones out of the vocabulary (drawn evenly, not by frequency)."""
    roll = rng.random()
    if roll < 0.16:
        return rng.choice(TOKEN_MAKERS)(rng)
    if roll < 0.18:
        return rng.choice(SYMBOLS)
    plain = rng.choice(vocabulary) if vocabulary and roll < 0.7 else pseudo_word(rng)
    return _with_case_and_punctuation(plain, rng)


def random_text(rng: random.Random, *, max_chars: int, vocabulary: Sequence[str] = ()) -> str:
    """Words up to `max_chars` characters; a first word that is longer is cut."""
    text = random_word(rng, vocabulary)[:max_chars].strip() or "a"
    min_chars = rng.randint(1, max_chars)
    while len(text) < min_chars:
        longer = f"{text} {random_word(rng, vocabulary)}"
        if len(longer) > max_chars:
            break
        text = longer
    return text
