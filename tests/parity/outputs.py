"""Comparisons of what is written: ids of greedy decoding and of beam search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from functools import partial
from itertools import product
from typing import Any

import torch

from pixread.generate.beam import BeamSettings, Hypothesis, beam_search
from pixread.generate.greedy import greedy
from pixread.models.pix2struct.batch import PatchBatch
from pixread.models.pix2struct.model import Pix2Struct
from tests.models.tiny import random_batch
from tests.parity.case import Case
from tests.parity.configs import CONFIGS, SMALL, random_model
from tests.parity.theirs import their_ids, their_model

SIZES = (9, 4, 7, 2, 30, 1)
LENGTHS: list[dict[str, Any]] = [
    {"max_new_tokens": 1},
    {"max_new_tokens": 12},
    {"max_new_tokens": 40, "min_new_tokens": 6},
]
Search = tuple[float, Any, Mapping[str, Any]]  # length penalty, early stopping, lengths
SEARCHES: list[Search] = [
    (1.0, False, LENGTHS[1]),
    (1.0, True, LENGTHS[2]),
    (1.0, "never", LENGTHS[1]),
    (2.0, False, LENGTHS[2]),
    (2.0, "never", LENGTHS[1]),
    (0.0, False, LENGTHS[2]),
    (-1.0, True, LENGTHS[1]),
    (0.6, False, LENGTHS[0]),
]
ALL_SEARCHES: list[Search] = list(product((1.0, 0.0, 2.0, -1.0), (False, True, "never"), LENGTHS))


def batch_of(config: str, *, seed: int) -> PatchBatch:
    return random_batch(CONFIGS[config], SIZES, seed=seed, padding=2)


def differing(found: list[list[int]], expected: list[list[int]]) -> int:
    """How many outputs are not the same."""
    assert len(found) == len(expected)
    return sum(ours != theirs for ours, theirs in zip(found, expected, strict=True))


def greedy_difference(ours: Pix2Struct, theirs: Any, batch: PatchBatch, lengths: Iterable[Mapping[str, Any]]) -> int:
    """How many greedy outputs differ, over a batch and all `lengths`."""
    count, seen = 0, set()
    for options in lengths:
        expected, _ = their_ids(theirs, batch, eos=ours.config.eos, **options)
        count += differing(greedy(ours, ours.prefill(batch), **options).ids, expected)
        seen |= {len(ids) for ids in expected}
    assert len(seen) > 2, "outputs of one length say nothing about ending"
    return count


def beam_difference(
    ours: Pix2Struct,
    theirs: Any,
    batch: PatchBatch,
    beams: int,
    searches: Iterable[Search],
) -> tuple[int, float]:
    """How many of all outputs of the beam searches differ, best to last, and by how much their scores (relative)."""
    count, worst = 0, 0.0
    memory = ours.encode(batch)
    for penalty, early, options in searches:
        settings = BeamSettings(beams=beams, length_penalty=penalty, early_stopping=early)
        found = [one for row in beam_search(ours, ours.begin(memory), settings, **options) for one in row]
        expected, scores = their_ids(
            theirs,
            batch,
            eos=ours.config.eos,
            num_beams=beams,
            num_return_sequences=beams,
            length_penalty=penalty,
            early_stopping=early,
            **options,
        )
        assert scores is not None
        count += differing([one.ids for one in found], expected)
        worst = max(worst, score_difference(found, scores))
    return count, worst


def score_difference(found: list[Hypothesis], expected: torch.Tensor) -> float:
    scores = torch.tensor([one.score for one in found])
    return float(((scores - expected) / expected).abs().max())


def greedy_ids(config: str, *, seeds: int) -> float:
    total = 0
    for seed in range(seeds):
        ours = random_model(config, seed=seed)
        total += greedy_difference(ours, their_model(ours), batch_of(config, seed=seed), LENGTHS)
    return total


def beam_ids(config: str, beams: int, searches: Iterable[Search], *, seed: int) -> float:
    ours = random_model(config, seed=seed)
    return beam_difference(ours, their_model(ours), batch_of(config, seed=seed), beams, searches)[0]


def beam_scores(config: str, beams: int, searches: Iterable[Search], *, seed: int) -> float:
    ours = random_model(config, seed=seed)
    return beam_difference(ours, their_model(ours), batch_of(config, seed=seed), beams, searches)[1]


def _ids_case(config: str, compared: str, measure: Any, *, slow: bool = False) -> Case:
    return Case(config=config, compared=compared, unit="differ", limit=0, measure=measure, slow=slow)


def _greedy(*, seeds: int) -> str:
    return f"ids of {seeds * len(LENGTHS) * len(SIZES)} greedy outputs"


def _beams(beams: int, searches: Sized) -> str:
    count = len(searches) * len(SIZES)
    return f"ids of {count * beams} outputs of {count} searches with {beams} beams"


BEAMS = {"tiny": 2, "odd heads": 3, "odd buckets": 4, "one head": 5, "many heads": 4}

CASES = [
    *(_ids_case(name, _greedy(seeds=2), partial(greedy_ids, name, seeds=2)) for name in SMALL),
    *(
        _ids_case(name, _beams(beams, SEARCHES), partial(beam_ids, name, beams, SEARCHES, seed=seed))
        for seed, (name, beams) in enumerate(BEAMS.items())
    ),
    *(
        _ids_case(
            name,
            _beams(beams, ALL_SEARCHES),
            partial(beam_ids, name, beams, ALL_SEARCHES, seed=50 + seed),
            slow=True,
        )
        for seed, (name, beams) in enumerate(BEAMS.items())
    ),
    _ids_case("nano", _beams(8, SEARCHES[:2]), partial(beam_ids, "nano", 8, SEARCHES[:2], seed=5)),
    Case(
        config="odd heads",
        compared="scores of 4 beams",
        unit="relative",
        limit=1e-4,
        measure=partial(beam_scores, "odd heads", 4, SEARCHES[:4], seed=7),
    ),
    _ids_case("base", _greedy(seeds=1), partial(greedy_ids, "base", seeds=1), slow=True),
    _ids_case("base", _beams(4, SEARCHES[:2]), partial(beam_ids, "base", 4, SEARCHES[:2], seed=0), slow=True),
]
