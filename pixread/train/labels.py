"""How many labels of a run cannot be learnt whole, found out before the first step.

They are longer than its `max_tokens`, or have characters that the tokenizer lacks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pixread.shards import ShardSet
from pixread.tokenizers.tokenizer import UNK, Tokenizer

MAX_SAMPLED = 10_000  # examples at most, spread evenly: a few seconds
MAX_NAMED = 8  # lost characters that a sentence names


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths of the labels of some examples."""

    examples: int  # sampled
    too_long: int  # so many of them
    longest: int  # tokens, the end included


@dataclass(frozen=True, slots=True)
class LabelLengths:
    """The labels to learn from, of which any may be drawn, and those held out, of which the shortest counts."""

    max_tokens: int
    learnt: Lengths
    held_out: Lengths

    def sentence(self) -> str:
        """The warning; "" where nothing is too long."""
        parts = [
            f"{lengths.too_long} of {lengths.examples} examples {consequence}"
            for lengths, consequence in (
                (self.learnt, "to learn from are cut there and have no end"),
                (self.held_out, "held out can never be answered in full"),
            )
            if lengths.too_long
        ]
        if not parts:
            return ""
        longest = max(self.learnt.longest, self.held_out.longest)
        return (
            f"labels are longer than max_tokens, which is {self.max_tokens}: {', and '.join(parts)}; the longest has "
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


def unknown_characters(learnt: Sequence[Path], tokenizer: Tokenizer) -> str:
    """The warning of characters in labels that the tokenizer has no token for; "" where there are none.

    The vocabularies of the released checkpoints have one unknown token for all of them, which vanishes from texts;
    those with byte fallback, as those trained here, lack nothing.
    """
    labels = _sampled_labels(learnt)
    affected = [texts for texts in labels if any(UNK in tokenizer.encode(label) for label in texts)]
    if not affected:
        return ""
    characters = dict.fromkeys("".join(label for texts in affected for label in texts))
    lacking = [character for character in characters if UNK in tokenizer.encode(character)]
    unknown = [f"'{character}'" if character.isprintable() else ascii(character) for character in lacking]
    more = f" and {len(unknown) - MAX_NAMED} more characters" if len(unknown) > MAX_NAMED else ""
    return (
        f"labels have characters that the tokenizer lacks: {len(affected)} of {len(labels)} examples to learn from are "
        f"learnt without {', '.join(unknown[:MAX_NAMED])}{more}"
    )


def _sampled_labels(sets: Sequence[Path]) -> list[tuple[str, ...]]:
    """The labels of examples that have some."""
    targets = [texts for texts in ShardSet(sets).targets() if texts] if sets else []
    count = min(len(targets), MAX_SAMPLED)
    return [tuple(targets[number * len(targets) // count]) for number in range(count)]


def _lengths(sets: Sequence[Path], tokenizer: Tokenizer, *, max_tokens: int, every: bool) -> Lengths:
    """every: an example is too long if one of its labels is; else, if all of them are."""
    per_example = [[len(tokenizer.encode(label)) + 1 for label in texts] for texts in _sampled_labels(sets)]
    lengths = [max(several) if every else min(several) for several in per_example]
    return Lengths(len(lengths), sum(length > max_tokens for length in lengths), max(lengths, default=0))
