"""What a model wrote in one pass, as text."""

from __future__ import annotations

from pixread.generate.loop import Generated
from pixread.records import Answer
from pixread.tokenizers.token_bytes import joined, spelled
from pixread.tokenizers.tokenizer import PAD, Tokenizer


def answers_of(made: Generated, tokenizer: Tokenizer, *, start: int = PAD) -> list[Answer]:
    """The outputs as text. Start and end tokens that spell something are part of it, as in `transformers`."""
    answers = []
    before = [start] if tokenizer.pieces[start] else []
    for ids, scores, end_score, end in zip(made.ids, made.log_probs, made.end_log_probs, made.ends, strict=True):
        output = [*before, *ids, end] if end is not None and tokenizer.pieces[end] else [*before, *ids]
        text = tokenizer.decode(output)
        spans = spelled(tokenizer.pieces, output)[len(before) :] if joined(tokenizer.pieces, output) == text else ()
        log_probs = tuple(scores) if end_score is None else (*scores, end_score)
        answers.append(Answer(text, log_probs, tuple(spans), ended=end is not None))
    return answers
