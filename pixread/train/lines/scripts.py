"""Scripts to learn: their letters, and invented words of them.

Latin, Cyrillic, Greek and Devanagari are described here; every other script comes from Unicode's names of its letters.
"""

from __future__ import annotations

import random
import string
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pixread.recognition.ctc.alphabet import Alphabet
from pixread.targets import words
from pixread.train.lines import devanagari

WordMaker = Callable[[random.Random, Sequence[str]], str]

SYMBOLS = (
    "‘’‚‛“”„‟–—―…•·‹›«»™←→↑↓↔↗↘↖↙⇒⇐⇔↩↪↵⟶✓✔✕✖✗✘×−±÷≤≥≠≈∞∑∂∫√∆∈№▶◀▼▲►◄▸▾◂▴▪▫●○◉◆◇■□☐☑☒★☆♥♦♠♣♪†‡‰′″⌘⌥⇧⏎⌃⌄⌫¬¦¶§"
    "◦‣∙⋮⋯☰❰❱▷▹◁➔➜➤✚✱✪⚠☎✉⚙"
    "❯❮│─└├┌┐┘┤║═█░ﬁﬂ⁄₀₁₂₃₄⁰¹²³⁴⁵⁶⁷⁸⁹ªº¼½¾⅓⅔⅛℃℉Ωπ"
)
CURRENCIES = "$€£¥¢₹₽₺₴₩₫₪₿₦₱₸₼₾₭₮₲₵ƒ"
_LATIN_1_SIGNS = "".join(chr(code) for code in range(0xA1, 0xC0) if code != 0xAD)  # less the soft hyphen
COMMON = (string.printable[:95], SYMBOLS, CURRENCIES, words.SYMBOLS, words.QUOTES, _LATIN_1_SIGNS)
"""In the alphabet whatever the scripts."""

# Letters of European languages beyond Latin-1 and Latin Extended-A, of Vietnamese, Azerbaijani, pinyin and Welsh.
_LATIN_RANGES = ((0xA1, 0x180), (0x1EA0, 0x1EFA))
_MORE_LATIN = "ƠơƯưȘșȚțƏəǍǎǏǐǑǒǓǔǕǖǗǘǙǚǛǜǦǧǨǩẀẁẂẃẄẅẞẽẼḂḃĊċḊḋḞḟṀṁṖṗṠṡṪṫʻ"
_VIETNAMESE_ONSETS = (*"bcdđghklmnrstvx", "ch", "gh", "gi", "kh", "ng", "ngh", "nh", "ph", "qu", "th", "tr")
_VIETNAMESE_VOWELS = "aăâeêioôơuưy"
_VIETNAMESE_CODAS = ("", "", "n", "ng", "nh", "t", "c", "ch", "m", "p", "i", "u", "o")
_VIETNAMESE_TONES = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
# Accented letters of languages, in place of the plain letters that they come from; the commonest on the web several
# times. Letters of all languages alike would teach that a-diaeresis is no likelier than a-tilde in a German word.
_LANGUAGES = (
    *({"a": "ä", "o": "ö", "u": "ü", "s": "ß"},) * 4,  # German
    *({"a": "á", "e": "é", "i": "í", "o": "ó", "u": "úü", "n": "ñ"},) * 3,  # Spanish
    *({"a": "àâ", "e": "éèêëéè", "i": "îï", "o": "ôœ", "u": "ùû", "c": "ç"},) * 3,  # French
    *({"a": "ãáâà", "e": "éê", "i": "í", "o": "õóô", "u": "ú", "c": "ç"},) * 2,  # Portuguese
    {"a": "åäæ", "o": "öø"},  # Nordic languages
    {"a": "ą", "c": "ć", "e": "ę", "l": "ł", "n": "ń", "o": "ó", "s": "ś", "z": "źż"},  # Polish
    {"a": "á", "c": "č", "e": "éě", "i": "í", "n": "ň", "r": "ř", "s": "š", "u": "úů", "y": "ý", "z": "ž"},  # Czech
    {"c": "ç", "g": "ğ", "i": "ı", "o": "ö", "s": "ş", "u": "ü"},  # Turkish
    {"a": "á", "e": "é", "i": "í", "o": "óöő", "u": "úüű"},  # Hungarian
    {"a": "ăâ", "i": "î", "s": "ș", "t": "ț"},  # Romanian
    {"a": "à", "e": "èé", "i": "ì", "o": "ò", "u": "ù"},  # Italian
)
_ACCENTED_SHARE = 0.35  # of the letters of a word that have an accented form
_CONFUSABLES = (
    "ilI1|/jtf!",
    "oO0QDCceGo",
    "rnmvuwnh",
    "S5s8B3Zz2",
    "cCkKoOpPsSuUvVwWxXzZ",
    "'’‘`´,.",
    "-–—_~",
    ".:;,•·",
)

_CYRILLIC_VOWELS = "о" * 11 + "е" * 9 + "а" * 9 + "и" * 8 + "у" * 3 + "ы" * 2 + "я" * 2 + "юэёіїєәөұү"
_CYRILLIC_CONSONANTS = (
    *("н" * 7 + "т" * 7 + "с" * 6 + "р" * 5 + "в" * 5 + "л" * 5 + "к" * 4 + "м" * 3 + "д" * 3 + "п" * 3),
    *("г" * 2 + "з" * 2 + "б" * 2 + "ч" * 2 + "й" * 2 + "х" * 2 + "ж" * 2 + "ш" * 2 + "цщфґђјљњћџғқңһў"),
)
_CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюяѐѓєѕіїјќѝўђљњћџґғҗҙқҝҟҡңҥүұҳҷҹһәөӑӗӣӥӧӯӱӳҫӝӟӵӹ"
_CYRILLIC_ENDINGS = ("", "", "ый", "ая", "ое", "ть", "ся", "ов", "ия", "ої", "ий", "ь", "ами", "ого", "ски", "ић")
_GREEK_VOWELS = ("α", "α", "α", "ο", "ο", "ο", "ι", "ι", "ε", "ε", "η", "ω", "υ", "ου", "αι", "ει", "οι")
_GREEK_CONSONANTS = "τ" * 5 + "σ" * 4 + "ν" * 5 + "ρ" * 3 + "κ" * 3 + "π" * 3 + "λ" * 2 + "μ" * 2 + "γγδδθφχβζξψ"
_GREEK = "αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋΐΰ"
_GREEK_ACCENTED = dict(zip("αεηιουω", "άέήίόύώ", strict=True))
_ACUTE = "\u0301"

MAX_LETTERS = 1500
"""Of a script; those with more (Chinese, Korean) need a larger network and other data."""
UNREAD_SCRIPTS = (
    *(
        "arabic",
        "hebrew",
        "syriac",
        "thai",
        "lao",
        "khmer",
        "myanmar",
        "tibetan",
        "hangul",
        "hiragana",
        "katakana",
        "cjk",
    ),
    *("bengali", "gujarati", "gurmukhi", "kannada", "malayalam", "oriya", "sinhala", "tamil", "telugu", "ethiopic"),
    *("georgian", "armenian", "devanagari", "greek", "cyrillic"),
)
"""Shown to the network as unknown script, where they are not learnt."""


@dataclass(frozen=True, slots=True)
class Script:
    """letters: all of the alphabet, beside what is common to all scripts. probe: letters that every font of the script
    has. word: makes an invented word, now and then one of the vocabulary."""

    name: str
    letters: str
    probe: str
    word: WordMaker


def alphabet_of(scripts: Sequence[Script]) -> Alphabet:
    """The characters of all scripts, and those common to all."""
    return Alphabet.of(
        char for part in (*COMMON, *(script.letters for script in scripts)) for char in part if _is_drawn(char)
    )


def read_scripts(names: str) -> list[Script]:
    """The scripts of a list such as "latin,greek,georgian". ValueError for one that cannot be learnt."""
    wanted = [name.strip().lower() for name in names.split(",") if name.strip()]
    if not wanted:
        raise ValueError("scripts must name at least one script, such as latin or cyrillic")
    scripts = [script_named(name) for name in dict.fromkeys(wanted)]
    for script in scripts:
        if any(unicodedata.bidirectional(char) in ("R", "AL") for char in script.letters):
            raise ValueError(f"scripts must be written from left to right, and {script.name} is not")
        if len(script.letters) > MAX_LETTERS:
            raise ValueError(
                f"scripts may have up to {MAX_LETTERS} letters each, and {script.name} has {len(script.letters)}"
            )
    return scripts


def script_named(name: str) -> Script:
    """A described script, or one of Unicode's by the first word of its letters' names."""
    if name in DESCRIBED:
        return DESCRIBED[name]
    letters = _letters_named(name)
    if not letters:
        raise ValueError(f"scripts must be names of scripts as in Unicode (latin, georgian, thai ...), got {name!r}")
    small = [char for char in letters if char.islower()] or [char for char in letters if char.isalpha()]
    marks = [char for char in letters if unicodedata.category(char)[0] == "M"]

    def word(rng: random.Random, vocabulary: Sequence[str]) -> str:
        length = rng.randint(1, 9)
        made = "".join(
            rng.choice(small) + (rng.choice(marks) if marks and rng.random() < 0.3 else "") for _ in range(length)
        )
        return _dressed(_in_alphabet(made, letters), rng)

    return Script(name, letters, "".join(small[:3]), word)


def _letters_named(name: str) -> str:
    letters = _letters_by_name().get(name, "")
    if name == "cjk":  # those of daily use
        return "".join(char for char in letters if _encodes(char, "gb2312") or _encodes(char, "shift_jis"))
    return letters


@lru_cache(maxsize=1)
def _letters_by_name() -> dict[str, str]:
    """Letters, marks, digits and points of the Basic Multilingual Plane behind Latin, by the first word of their names
    in small letters."""
    by_script: dict[str, list[str]] = defaultdict(list)
    for code in range(0x250, 0x10000):
        char = chr(code)
        if unicodedata.category(char) in ("Ll", "Lu", "Lo", "Mn", "Mc", "Nd", "Po") and _is_drawn(char):
            by_script[unicodedata.name(char, "").split(" ")[0].lower()].append(char)
    return {name: "".join(letters) for name, letters in by_script.items()}


def _encodes(char: str, encoding: str) -> bool:
    try:
        return bool(char.encode(encoding))
    except UnicodeEncodeError:
        return False


def _is_drawn(char: str) -> bool:
    """Whether clean text may hold the character."""
    return unicodedata.normalize("NFC", char) == char and (char == " " or not char.isspace())


def _in_alphabet(word: str, letters: str) -> str:
    """Composition (NFC) may make letters that the script's list lacks: then without the marks."""
    composed = unicodedata.normalize("NFC", word)
    return composed if set(composed) <= set(letters) else "".join(c for c in word if unicodedata.category(c)[0] != "M")


def _dressed(word: str, rng: random.Random) -> str:
    """A word in the case and punctuation that a page may give it."""
    if (roll := rng.random()) < 0.25:
        word = word[:1].upper() + word[1:]
    elif roll < 0.35:
        word = _upper(word, rng)
    if (roll := rng.random()) < 0.12:
        word += rng.choice(words.CLOSERS)
    elif roll < 0.16:
        left, right = rng.choice(('""', "()", "[]", "“”", "‘’", "«»", "„“"))
        word = left + word + right
    return word


def _upper(word: str, rng: random.Random) -> str:
    """Capitals; Greek ones mostly lose their accents."""
    upper = word.upper()
    if rng.random() < 0.8 and any("\u0370" <= char < "\u0400" for char in upper):
        bare = "".join(char for char in unicodedata.normalize("NFD", upper) if char != _ACUTE)
        return unicodedata.normalize("NFC", bare)
    return upper


def _latin_word(rng: random.Random, vocabulary: Sequence[str]) -> str:
    if (roll := rng.random()) < 0.45:
        return words.random_word(rng, vocabulary)
    if roll < 0.59:
        return _dressed(_accented_word(rng), rng)
    if roll < 0.64:
        return _identifier(rng, vocabulary)
    if roll < 0.72:
        return "".join(rng.choices(rng.choice(_CONFUSABLES), k=rng.randint(1, 6)))
    if roll < 0.79:
        pool = rng.choice((string.ascii_letters, string.ascii_uppercase, string.ascii_letters + string.digits))
        return "".join(rng.choices(pool, k=rng.randint(1, 10)))
    if roll < 0.86:
        word = list(rng.choice(vocabulary) if vocabulary and rng.random() < 0.5 else words.pseudo_word(rng))
        for _ in range(rng.randint(1, 3)):
            word[rng.randrange(len(word))] = rng.choice(_LATIN_LETTERS)
        return "".join(word)
    if roll < 0.91:
        return _dressed(_vietnamese_syllable(rng), rng)
    if roll < 0.96:
        return rng.choice(SYMBOLS + CURRENCIES + _LATIN_1_SIGNS)
    return "".join(rng.choices(string.punctuation, k=rng.randint(1, 4)))


def _identifier(rng: random.Random, vocabulary: Sequence[str]) -> str:
    """Words joined by underscores, which stand so low that they are easily taken for blanks."""
    parts = [
        "".join(char for char in rng.choice(vocabulary) if char.isalnum()) if vocabulary else words.pseudo_word(rng)
        for _ in range(rng.randint(2, 4))
    ]
    name = rng.choice(("", "", "_", "__")) + "_".join(parts)
    return name.upper() if rng.random() < 0.5 else name


def _accented_word(rng: random.Random) -> str:
    """A word with the accents of one language."""
    accents = rng.choice(_LANGUAGES)
    word = words.pseudo_word(rng)
    return "".join(
        rng.choice(accents[char]) if char in accents and rng.random() < _ACCENTED_SHARE else char for char in word
    )


def _vietnamese_syllable(rng: random.Random) -> str:
    vowel = unicodedata.normalize("NFC", rng.choice(_VIETNAMESE_VOWELS) + rng.choice(_VIETNAMESE_TONES))
    return rng.choice(_VIETNAMESE_ONSETS) + vowel + rng.choice(_VIETNAMESE_CODAS)


def _cyrillic_word(rng: random.Random, vocabulary: Sequence[str]) -> str:
    if rng.random() < 0.25:
        return _dressed("".join(rng.choices(_CYRILLIC, k=rng.randint(1, 9))), rng)
    syllables = rng.randint(1, 4)
    word = "".join(rng.choice(_CYRILLIC_CONSONANTS) + rng.choice(_CYRILLIC_VOWELS) for _ in range(syllables))
    if rng.random() < 0.3:
        spot = rng.randrange(len(word))
        word = word[:spot] + rng.choice((*_CYRILLIC_CONSONANTS, *_CYRILLIC_VOWELS)) + word[spot:]
    return _dressed(word + rng.choice(_CYRILLIC_ENDINGS), rng)


def _greek_word(rng: random.Random, vocabulary: Sequence[str]) -> str:
    if rng.random() < 0.2:
        return _dressed("".join(rng.choices(_GREEK, k=rng.randint(1, 9))), rng)
    parts = [rng.choice(_GREEK_CONSONANTS) + rng.choice(_GREEK_VOWELS) for _ in range(rng.randint(1, 4))]
    if rng.random() < 0.85:
        spot = rng.randrange(len(parts))
        parts[spot] = parts[spot][:-1] + _GREEK_ACCENTED[parts[spot][-1]]
    return _dressed("".join(parts) + rng.choice(("", "ς", "ς", "ν", "ξη", "τικό", "σμός")), rng)


_LATIN_LETTERS = "".join(
    char
    for char in (*(chr(code) for start, end in _LATIN_RANGES for code in range(start, end)), *_MORE_LATIN)
    if char.isalpha() and _is_drawn(char)
)
DESCRIBED = {
    script.name: script
    for script in (
        Script("latin", string.ascii_letters + _LATIN_LETTERS, "AagR7e", _latin_word),
        Script("cyrillic", _CYRILLIC + _CYRILLIC.upper(), "Жжюяд", _cyrillic_word),
        Script(
            "greek", _GREEK + "".join(char.upper() for char in _GREEK if len(char.upper()) == 1), "Ωωλξά", _greek_word
        ),
        Script("devanagari", devanagari.ALPHABET, devanagari.PROBE[:4], devanagari.random_word),
    )
}
