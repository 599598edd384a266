"""Guesses never show: with rules, by chance, as a stream; whatever is written is written as without them."""

import pytest
import torch

from pixread.cpu.decoder import JitDecoder
from pixread.cpu.model import CpuPix2Struct
from pixread.cpu.optimize import optimize
from pixread.generate.greedy import greedy, likeliest_token
from pixread.generate.loop import Generated, GuessingModel, Rule, steps
from pixread.generate.rules import NoRepeatedRuns, RepetitionPenalty
from pixread.generate.sample import Sampling, sample
from pixread.models.pix2struct import Pix2Struct
from tests.generate.test_greedy import ending_model
from tests.models.tiny import random_batch, tiny_model


@pytest.fixture(params=["quantised", "another model"])
def guessing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> CpuPix2Struct:
    """A model that guesses well, and one whose guesses are nonsense."""
    monkeypatch.setattr("pixread.cpu.optimize.MIN_COMPILED_WEIGHTS", 0)
    model = optimize(ending_model(seed=4))
    if request.param != "quantised":
        model._draft = JitDecoder(tiny_model(seed=8, vocab_size=12).decoder)
    assert isinstance(model, GuessingModel)
    assert model.can_guess
    return model


def written(model: Pix2Struct, how: str, seed: int) -> Generated:
    memory = model.encode(random_batch(model.config, [6], seed=seed))
    if how == "sampled":
        return sample(model, memory, Sampling(temperature=1.5, top_p=0.9), seeds=[seed], max_new_tokens=20)
    rules: list[Rule] = [RepetitionPenalty(1.7), NoRepeatedRuns(2)] if how == "ruled" else []
    least = 5 if how == "kept from ending" else 0
    return greedy(model, memory, max_new_tokens=20, min_new_tokens=least, rules=rules)


@pytest.mark.parametrize("how", ["ruled", "sampled", "kept from ending"])
def test_what_is_written_is_what_would_be_written(guessing: CpuPix2Struct, how: str):
    plain = ending_model(seed=4)
    found, right = ([written(one, how, seed) for seed in range(6)] for one in (guessing, plain))
    assert [one.ids for one in found] == [one.ids for one in right]
    assert len({len(one.ids[0]) for one in right}) > 1, "all outputs are of one length: nothing is seen of early ends"


def test_every_step_is_told_once(guessing: CpuPix2Struct):
    memory = guessing.encode(random_batch(guessing.config, [6]))
    told = list(steps(guessing, memory, likeliest_token, limits=[9]))
    assert [step.position for step in told] == list(range(len(told)))
    assert [int(step.tokens) for step in told][: len(greedy(guessing, memory, max_new_tokens=9).ids[0])] == [
        *greedy(guessing, memory, max_new_tokens=9).ids[0]
    ]


def test_good_guesses_save_runs(guessing: CpuPix2Struct):
    """The same tokens in fewer runs of the exact model than there are tokens, unless the guesses are nonsense."""
    runs: list[int] = []
    plain_run = guessing.run

    def counted(tokens: torch.Tensor, *rest: object) -> torch.Tensor:
        runs.append(tokens.shape[1])
        return plain_run(tokens, *rest)  # type: ignore[arg-type]

    guessing.run = counted  # type: ignore[assignment,method-assign]
    memory = guessing.encode(random_batch(guessing.config, [6]))
    greedy(guessing, memory, max_new_tokens=24, min_new_tokens=24)
    same = type(guessing._draft) is JitDecoder and guessing._draft._head[0].dtype == "int8"
    assert sum(runs) >= 24
    assert len(runs) <= 8 if same else len(runs) > 8
