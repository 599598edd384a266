"""The best output of each picture: of a beam search, or greedily."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pixread.generate.beam import BeamSettings, beam_search
from pixread.generate.greedy import greedy
from pixread.generate.loop import NO_TOKEN, Generated, LogitsProcessor
from pixread.models.family import Model, StateT


def decode(
    model: Model[StateT],
    state: StateT,
    settings: BeamSettings,
    *,
    max_new_tokens: int | Sequence[int],
    min_new_tokens: int = 0,
    logits_processors: Sequence[LogitsProcessor] = (),
    eos: int | Sequence[int] = 1,
) -> Generated:
    """The best output of each row: of a beam search, or greedily where one beam is asked for."""
    options: dict[str, Any] = {
        "max_new_tokens": max_new_tokens,
        "min_new_tokens": min_new_tokens,
        "logits_processors": logits_processors,
        "eos": eos,
    }
    if settings.beams == 1:
        return greedy(model, state, **options)
    outputs = beam_search(model, state, settings, **options)
    if not all(outputs):
        raise ValueError(NO_TOKEN)
    best = [hypotheses[0] for hypotheses in outputs]
    return Generated(
        ids=[output.ids for output in best],
        log_probs=[output.log_probs for output in best],
        end_log_probs=[output.end_log_prob for output in best],
        ends=[output.end for output in best],
    )
