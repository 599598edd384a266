"""How subject stands to peers and to the roofline, from figures that were measured in the same turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pixread.bench.harness.report import Figure
from pixread.bench.network.variants import Variant

AS_IT_COMES = "times transformers as it comes"
AT_ITS_BEST = "times transformers at its best"
LEAST = "parts of transformers in the same dtype"
SHARE_OF_ROOFLINE = "share of the roofline's speed"


def medians(figures: Sequence[Figure], name: str) -> dict[str, float]:
    """Variant -> median of a quantity, for the figures of one case."""
    return {figure.variant: figure.median for figure in figures if figure.name == name}


def speed_ratios(
    figures: Sequence[Figure], name: str, variants: Sequence[Variant], *, more_is_better: bool = False
) -> list[Figure]:
    """How many times as fast as transformers each of pixread's variants is, by one quantity of one case.

    "At its best" is the fastest of all that transformers was measured as. Nothing where it was not measured.
    """
    medians_by_variant = medians(figures, name)
    case = figures[0].case if figures else ""
    speeds = {
        variant: value if more_is_better else 1 / value for variant, value in medians_by_variant.items() if value > 0
    }
    peers = {
        variant.name: speeds[variant.name]
        for variant in variants
        if variant.side != "pixread" and variant.name in speeds
    }
    ratios = []
    for variant in variants:
        if variant.side != "pixread" or variant.name not in speeds or not peers:
            continue
        default = [peers[peer.name] for peer in variants if peer.side == "default" and peer.name in peers]
        references = {AS_IT_COMES: default, AT_ITS_BEST: list(peers.values())}
        ratios += [
            Figure(variant.name, f"{without_unit(name)}, {reference}", (speeds[variant.name] / max(speed),), case)
            for reference, speed in references.items()
            if speed
        ]
    return ratios


def memory_ratios(figures: Sequence[Figure], name: str, variants: Sequence[Variant]) -> list[Figure]:
    """Each of pixread's variants in parts of the least that transformers needs in its dtype.

    1 or less means no more than that. Where transformers was not measured in the dtype, the least of all that it was
    measured in counts.
    """
    medians_by_variant = medians(figures, name)
    peers = [
        variant for variant in variants if variant.side != "pixread" and medians_by_variant.get(variant.name, 0) > 0
    ]
    ratios = []
    for subject in variants:
        if subject.side == "pixread" and subject.name in medians_by_variant and peers:
            same_dtype = [variant for variant in peers if variant.stored == subject.stored] or peers
            ratio = medians_by_variant[subject.name] / min(medians_by_variant[variant.name] for variant in same_dtype)
            ratios.append(Figure(subject.name, f"{without_unit(name)}, {LEAST}", (ratio,), figures[0].case))
    return ratios


def roofline_figures(
    figures: Sequence[Figure], name: str, rooflines: Mapping[str, float | None], *, unit: float = 1.0
) -> list[Figure]:
    """The least time of each variant beside its measured one, and the share of the roofline's speed that it reaches.

    rooflines: seconds by variant, None where unknown. unit: how many units of the quantity make a second.
    """
    added = []
    for variant, value in medians(figures, name).items():
        roofline = rooflines.get(variant)
        if roofline is not None and value > 0:
            case = figures[0].case
            added.append(Figure(variant, f"roofline of {name}", (roofline * unit,), case))
            added.append(
                Figure(variant, f"{without_unit(name)}, {SHARE_OF_ROOFLINE}", (roofline * unit / value,), case)
            )
    return added


def without_unit(name: str) -> str:
    """The name of a quantity without its unit."""
    return name.partition(" (")[0]
