"""How many labels of a run are longer than its `max_tokens`, found out before the first step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pixread.inputs.tokenizer import Tokenizer
from pixread.shards import ShardSet

LOOKED_AT = 10_000  # examples at most, spread evenly: a few seconds


@dataclass(frozen=True, slots=True)
class Lengths:
    """Of `examples` that were looked at, `too_long` are; the longest label has `longest` tokens, its end included."""

    examples: int
    too_long: int
    longest: int


@dataclass(frozen=True, slots=True)
class LabelLengths:
    """The labels to learn from, of which any may be drawn, and those held out, of which the shortest counts."""

    max_tokens: int
    learnt: Lengths
    held_out: Lengths

    def sentence(self, *, left_out: bool) -> str:
        """What a user is told, "" where nothing is too long. left_out: long labels are not learnt, instead of cut."""
        fate = "are left out of training" if left_out else "are cut there and have no end"
        said = [
            f"{lengths.too_long} of {lengths.examples} examples {what}"
            for lengths, what in (
                (self.learnt, f"to learn from {fate}"),
                (self.held_out, "held out can never be answered in full"),
            )
            if lengths.too_long
        ]
        if not said:
            return ""
        longest = max(self.learnt.longest, self.held_out.longest)
        return (
            f"labels are longer than max_tokens, which is {self.max_tokens}: {', and '.join(said)}; the longest has "
            f"{longest} tokens, so max_tokens={longest} keeps all of them whole"
        )

    def record(self) -> dict[str, Any]:
        """The same for the log of a run."""
        return {"step": 0, "labels": asdict(self)}


def label_lengths(
    learnt: Sequence[Path], held_out: Sequence[Path], tokenizer: Tokenizer, *, max_tokens: int
) -> LabelLengths:
    """Measures the labels of shard sets; no picture is read."""
    return LabelLengths(
        max_tokens,
        _lengths(learnt, tokenizer, max_tokens=max_tokens, every=True),
        _lengths(held_out, tokenizer, max_tokens=max_tokens, every=False),
    )


def _lengths(sets: Sequence[Path], tokenizer: Tokenizer, *, max_tokens: int, every: bool) -> Lengths:
    """every: an example is too long if one of its labels is; else, if all of them are."""
    targets = [several for several in ShardSet(sets).targets() if several] if sets else []
    count = min(len(targets), LOOKED_AT)
    chosen = (targets[number * len(targets) // count] for number in range(count))
    lengths = [[len(tokenizer.encode(target)) + 1 for target in several] for several in chosen]
    counted = [max(several) if every else min(several) for several in lengths]
    return Lengths(count, sum(length > max_tokens for length in counted), max(counted, default=0))
