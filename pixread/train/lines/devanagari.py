"""Invented text in Devanagari: words of any syllables, so that all vowel signs and most ligatures come up.

Hindi, Marathi, Nepali and Sanskrit share the script. What a syllable is: Unicode 16, section 12.1.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

# As often as they are written here; all others of the alphabet now and then.
CONSONANTS = "कखगघङचछजझञटठडढणतथदधनपफबभमयरलवशषसहळ" + "कतनमयरलवसह" * 4 + "गजदपबभशधणष" * 2
SIGNS = "ािीुूृेैोौॅॆॉॊॄ" + "ािीुे" * 5 + "ोूैृौॊ" * 2
VOWELS = "अआइईउऊऋएऐओऔऑॐ" + "अआइउए" * 3
VIRAMA, NUKTA, AVAGRAHA = "्", "़", "ऽ"
REPH = "र" + VIRAMA  # a hook above the letter that follows, much like some vowel signs
MARKS = "ंंंःःँ"
DIGITS = "०१२३४५६७८९"
STOPS = "।॥"
# Clusters with a shape of their own; any other two consonants join as well.
CLUSTERS = (
    *("क्ष", "ज्ञ", "त्र", "श्र", "प्र", "त्त", "न्त", "न्द", "स्य", "स्त", "स्म", "द्ध", "द्य", "द्व", "द्भ", "ह्म", "ह्न", "ह्य", "क्त"),
    *("क्र", "ग्र", "ब्र", "र्म", "र्य", "र्व", "र्थ", "र्ण", "र्त", "श्च", "श्व", "ष्ट", "ष्ठ", "ष्ण", "त्व", "त्य", "न्य", "ध्य", "म्य"),
    *("व्य", "च्छ", "ञ्च", "ङ्ग", "ङ्क", "ण्ड", "ट्ट", "ल्ल", "प्त", "त्स्य", "न्द्र", "स्त्र", "क्ष्म", "त्त्व", "र्ध्व", "ष्ट्र"),
)
ALPHABET = "".join(sorted({*CONSONANTS, *SIGNS, *VOWELS, *MARKS, *DIGITS, *STOPS, VIRAMA, NUKTA, AVAGRAHA, *"ऌॠऍऎऒॢॣ॰"}))
PROBE = "कतरमिी"  # letters that differ in every font of the script


def syllable(rng: random.Random) -> str:
    """Consonants with a vowel: a cluster now and then, a sign mostly."""
    if (roll := rng.random()) < 0.67:
        onset = rng.choice(CONSONANTS)
    elif roll < 0.72:
        onset = REPH + rng.choice(CONSONANTS)
    elif roll < 0.92:
        onset = rng.choice(CLUSTERS)
    else:
        onset = rng.choice(CONSONANTS) + VIRAMA + rng.choice(CONSONANTS)
    if rng.random() < 0.02:
        onset += NUKTA
    vowel = rng.choice(SIGNS) if rng.random() < 0.58 else ""
    return onset + vowel + (rng.choice(MARKS) if rng.random() < 0.1 else "")


def invented_word(rng: random.Random) -> str:
    """A word of one to five syllables; it may begin with a vowel and end without one."""
    word = "".join(syllable(rng) for _ in range(rng.choices((1, 2, 3, 4, 5), (3, 5, 5, 3, 1))[0]))
    if (roll := rng.random()) < 0.14:
        word = rng.choice(VOWELS) + word
    elif roll < 0.19:
        word = AVAGRAHA + word
    return word + VIRAMA if word[-1] in CONSONANTS and rng.random() < 0.15 else word


def random_word(rng: random.Random, vocabulary: Sequence[str] = ()) -> str:
    """A word, a number or a stop; half of the words out of the vocabulary, where there is one."""
    if (roll := rng.random()) < 0.06:
        return "".join(rng.choices(rng.choice((DIGITS, DIGITS, "0123456789")), k=rng.randint(1, 4)))
    if roll < 0.08:
        return rng.choice((*STOPS, "-", "–", "/"))
    if roll < 0.09:
        return rng.choice(CONSONANTS + VOWELS)
    word = rng.choice(vocabulary) if vocabulary and rng.random() < 0.5 else invented_word(rng)
    if (roll := rng.random()) < 0.1:
        return word + rng.choice((",", ".", ":", "?", "!", "।", ";"))
    if roll < 0.13:
        left, right = rng.choice(("()", "[]", "“”", "''", "‘’"))
        return left + word + right
    return word if roll > 0.15 else f"{word}-{invented_word(rng)}"
