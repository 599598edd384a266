"""Speculative decoding never shows: with logits processors, sampled, as a stream, the tokens are those without it."""

import pytest
import torch

from pixread.cpu.decoder import JitDecoder
from pixread.cpu.model import CpuPix2Struct
from pixread.cpu.optimize import optimize
from pixread.generate.greedy import greedy, greedy_token
from pixread.generate.logits_processors import NoRepeatNgram, RepetitionPenalty
from pixread.generate.loop import Generated, LogitsProcessor, SpeculativeModel, steps
from pixread.generate.sampling import Sampling, sample
from pixread.models.pix2struct.model import Pix2Struct
from tests.generate.test_greedy import ending_model
from tests.models.tiny import random_batch, tiny_model


@pytest.fixture(params=["quantised", "another model"])
def drafting(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> CpuPix2Struct:
    """A model with a good draft model, and one whose draft model is another."""
    monkeypatch.setattr("pixread.cpu.optimize.MIN_COMPILED_WEIGHTS", 0)
    model = optimize(ending_model(seed=4))
    if request.param != "quantised":
        model._draft = JitDecoder(tiny_model(seed=8, vocab_size=12).decoder)
    assert isinstance(model, SpeculativeModel)
    assert model.can_draft
    return model


def written(model: Pix2Struct, how: str, seed: int) -> Generated:
    state = model.prefill(random_batch(model.config, [6], seed=seed))
    if how == "sampled":
        return sample(model, state, Sampling(temperature=1.5, top_p=0.9), seeds=[seed], max_new_tokens=20)
    logits_processors: list[LogitsProcessor] = [RepetitionPenalty(1.7), NoRepeatNgram(2)] if how == "processed" else []
    least = 5 if how == "kept from ending" else 0
    return greedy(model, state, max_new_tokens=20, min_new_tokens=least, logits_processors=logits_processors)


@pytest.mark.parametrize("how", ["processed", "sampled", "kept from ending"])
def test_what_is_written_is_what_would_be_written(drafting: CpuPix2Struct, how: str):
    plain = ending_model(seed=4)
    found, right = ([written(one, how, seed) for seed in range(6)] for one in (drafting, plain))
    assert [one.ids for one in found] == [one.ids for one in right]
    assert len({len(one.ids[0]) for one in right}) > 1, "all outputs are of one length: nothing is seen of early ends"


def test_every_step_is_told_once(drafting: CpuPix2Struct):
    state = drafting.prefill(random_batch(drafting.config, [6]))
    told = list(steps(drafting, state, greedy_token, limits=[9]))
    assert [step.position for step in told] == list(range(len(told)))
    right = greedy(drafting, state, max_new_tokens=9).ids[0]
    assert [int(step.tokens) for step in told][: len(right)] == right


def test_good_drafts_save_passes(drafting: CpuPix2Struct):
    """The same tokens in fewer passes of the model than there are tokens, unless the draft model is another."""
    passes: list[int] = []
    verify = drafting.verify

    def counted(tokens: torch.Tensor, *rest: object) -> torch.Tensor:
        passes.append(tokens.shape[1])
        return verify(tokens, *rest)  # type: ignore[arg-type]

    drafting.verify = counted  # type: ignore[assignment,method-assign]
    memory = drafting.encode(random_batch(drafting.config, [6]))
    greedy(drafting, drafting.begin(memory), max_new_tokens=24, min_new_tokens=24)
    same = type(drafting._draft) is JitDecoder and drafting._draft._head[0].dtype == "int8"
    assert sum(passes) >= 23  # all tokens but the first, which is that of the prefill
    assert len(passes) <= 8 if same else len(passes) > 8
