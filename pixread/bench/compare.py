"""How ours stands to theirs and to the floor, from figures that were measured in the same turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pixread.bench.report import Figure
from pixread.bench.variants import Variant

AS_IT_COMES = "times transformers as it comes"
AT_ITS_BEST = "times transformers at its best"
LEAST = "parts of transformers in the same dtype"
SHARE_OF_FLOOR = "share of the floor's speed"


def medians(figures: Sequence[Figure], name: str) -> dict[str, float]:
    """Variant -> median of a quantity, for the figures of one case."""
    return {figure.variant: figure.median for figure in figures if figure.name == name}


def speed_ratios(
    figures: Sequence[Figure], name: str, variants: Sequence[Variant], *, more_is_better: bool = False
) -> list[Figure]:
    """How many times as fast as transformers each of ours is, by one quantity of one case.

    "At its best" is the fastest of all that transformers was measured as. Nothing where it was not measured.
    """
    found = medians(figures, name)
    case = figures[0].case if figures else ""
    speeds = {variant: value if more_is_better else 1 / value for variant, value in found.items() if value > 0}
    theirs = {one.name: speeds[one.name] for one in variants if one.side != "ours" and one.name in speeds}
    ratios = []
    for one in variants:
        if one.side != "ours" or one.name not in speeds or not theirs:
            continue
        default = [theirs[peer.name] for peer in variants if peer.side == "default" and peer.name in theirs]
        peers = {AS_IT_COMES: default, AT_ITS_BEST: list(theirs.values())}
        ratios += [
            Figure(one.name, f"{bare(name)}, {peer}", (speeds[one.name] / max(speed),), case)
            for peer, speed in peers.items()
            if speed
        ]
    return ratios


def least_ratios(figures: Sequence[Figure], name: str, variants: Sequence[Variant]) -> list[Figure]:
    """Each of ours in parts of the least that transformers needs in its dtype: 1 or less means no more than that.

    Where transformers was not measured in the dtype, the least of all it was measured in counts.
    """
    found = medians(figures, name)
    theirs = [one for one in variants if one.side != "ours" and found.get(one.name, 0) > 0]
    ratios = []
    for ours in variants:
        if ours.side == "ours" and ours.name in found and theirs:
            like = [one for one in theirs if one.stored == ours.stored] or theirs
            ratio = found[ours.name] / min(found[one.name] for one in like)
            ratios.append(Figure(ours.name, f"{bare(name)}, {LEAST}", (ratio,), figures[0].case))
    return ratios


def floor_figures(
    figures: Sequence[Figure], name: str, floors: Mapping[str, float | None], *, unit: float = 1.0
) -> list[Figure]:
    """The least time of each variant beside its measured one, and the share of the floor's speed that it reaches.

    floors: seconds by variant, None where unknown. unit: how many units of the quantity make a second.
    """
    added = []
    for variant, value in medians(figures, name).items():
        floor = floors.get(variant)
        if floor is not None and value > 0:
            case = figures[0].case
            added.append(Figure(variant, f"floor of {name}", (floor * unit,), case))
            added.append(Figure(variant, f"{bare(name)}, {SHARE_OF_FLOOR}", (floor * unit / value,), case))
    return added


def bare(name: str) -> str:
    """The name of a quantity without its unit."""
    return name.partition(" (")[0]
