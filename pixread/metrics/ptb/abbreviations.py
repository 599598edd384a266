"""The words whose full stop belongs to them."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Wherever they stand, however they are capitalised.
ALWAYS = _words("""
    adj adm adv alex assoc asst atty attys ave brig capt cf cie cmdr col comdr cpl dept det dr drs elec ens ft gen
    gov govs hon insp invt jos lieut lt maj messrs mlle mme mr mrs ms msgr mt natl pfc pres prof profs pvt rep reps
    rev sen sens sfc sgt spc st ste supt supts treas vs wm
""")

# These too, and also before one letter without a space ("jan.a"), where those above make one word ("mr.a").
AT_ENDS = _words("""
    al ala apr ariz assn aug bancorp bhd bldg blvd bros calif co colo conn corp cos ct dak dec ed.d esq est etc ext feb
    fla fri ga inc ind intl jan jr jul jun kan kans ky ltd mar md mich minn mo mon mont neb nev nov oct okla penn ph.d
    plc rd rt sep sept seq sq sr sys tel tenn thu thurs tue tues univ va vt wed wis wisc wyo
""")

# Those that are words as well: the first letter must be a capital.
CAPITALISED = _words("ark az del ill la mass miss ore pa tex wash")

# Not in capitals only.
PART_OF_NAMES_AT_ENDS = ("ppte", "pptes", "ppty", "pptys", "pte", "ptes", "pty", "ptys")
PART_OF_NAMES = ("mfg", "mtg")

# Only before a number.
BEFORE_NUMBERS = _words("art ca fig figs no nos op pp prop")

# After a single letter and a full stop these begin a sentence, so that the full stop is not the letter's.
STARTERS = _words("""
    a about according additionally after an as at but earlier he her here however if in it last many more now once one
    other our she since so some such that the their then there these they this we what when while yet you
""")
