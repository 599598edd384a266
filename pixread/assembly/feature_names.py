"""The names of features, stored with the weights of what is fitted to them."""

from __future__ import annotations

from collections.abc import Sequence


def check_names(stored: Sequence[str], computed: Sequence[str], *, owner: str) -> None:
    """Raises ValueError, in one sentence, where the names stored with the weights of `owner` are not those computed."""
    if list(stored) == list(computed):
        return
    only_stored = [name for name in stored if name not in set(computed)]
    only_computed = [name for name in computed if name not in set(stored)]
    if only_stored or only_computed:
        difference = f"only in the weights: {_listed(only_stored)}; only computed: {_listed(only_computed)}"
    elif len(stored) != len(computed):
        difference = f"{len(stored)} names in the weights, {len(computed)} computed"
    else:
        pairs = list(zip(stored, computed, strict=True))
        position = next(number for number, (first, second) in enumerate(pairs) if first != second)
        first, second = pairs[position]
        difference = f"column {position} is {first} in the weights and {second} as computed"
    raise ValueError(f"the weights of {owner} are fitted to other features ({difference}); fit them anew")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
