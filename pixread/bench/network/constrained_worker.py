"""pixread's constrained decoding, measured step by step; lives in a process of its own."""

from __future__ import annotations

import random
import time

import torch

from pixread.bench.network.pixread_subject import PixreadSubject
from pixread.bench.network.subject import SubjectWorker, timed, wait_for
from pixread.generate.constrained import Grammar, GrammarConstraint
from pixread.generate.loop import DecodingContext

MARKUP = (b"<img_src=", b"<img_alt=", b" img_alt=", b"><", b">>", b"<<", b">><", b"&lt;", b"&gt;", b"&amp;")
NUM_SPECIAL_TOKENS, NUM_BYTE_TOKENS = 3, 256
LETTERS = "etaoinshrdlucmfwypvbgkqjxz"
BRACKET_SHARE = 1 / 50  # of the words, which a closing bracket ends
NOISE = 3.0  # standard deviation of what is added to logits: some bracket in most outputs


class ConstrainedWorker(SubjectWorker):
    """A subject with a grammar over a drawn vocabulary."""

    def make_grammar(self) -> float:
        """Seconds."""
        pieces = drawn_vocabulary(self.config.vocab_size)
        self.grammar, seconds = timed(
            lambda: Grammar(pieces, eos=self.config.eos, device=self.device), device=self.device
        )
        return seconds

    @torch.inference_mode()
    def write(self, tokens: int, is_constrained: bool) -> dict[str, list[float]]:
        """An output of each row of the encoded batch: seconds of every step but the first, and of every processing."""
        assert isinstance(self.subject, PixreadSubject), "only pixread has the grammar"
        model = self.subject.model
        state = model.begin(self.memory)
        state.reserve(tokens)
        processor, generator = GrammarConstraint(self.grammar), torch.Generator(self.device).manual_seed(0)
        ids = torch.full((state.rows, 1), state.start, device=self.device)  # (B, t)
        step_seconds, processor_seconds = list[float](), list[float]()
        for position in range(tokens):
            started = self._now()
            if position > 0:
                model.step(ids[:, -1], state)
            scores = state.logits  # (B, V)
            if is_constrained:
                stepped = self._now()
                left = torch.full((state.rows,), tokens - position, device=self.device)
                scores = processor(scores, DecodingContext(ids, left))
                processor_seconds.append(self._now() - stepped)
            noise = torch.randn(scores.shape, generator=generator, device=self.device)
            ids = torch.cat([ids, (scores + NOISE * noise).argmax(-1)[:, None]], dim=1)
            if position > 0:
                step_seconds.append(self._now() - started)
        return {"steps": step_seconds, "processor": processor_seconds}

    def _now(self) -> float:
        wait_for(self.device)
        return time.perf_counter()


def drawn_vocabulary(size: int) -> list[bytes | None]:
    """Special tokens, bytes, markup, and words of letters, half of them with a blank in front."""
    draw = random.Random(0)
    words: set[bytes] = set()
    while len(words) < size - NUM_SPECIAL_TOKENS - NUM_BYTE_TOKENS - len(MARKUP):
        letters = "".join(draw.choices(LETTERS, k=draw.randint(2, 10)))
        end = ">" if draw.random() < BRACKET_SHARE else ""
        words.add((draw.choice(["", " "]) + letters + end).encode())
    return [
        *[None] * NUM_SPECIAL_TOKENS,
        *(bytes([value]) for value in range(NUM_BYTE_TOKENS)),
        *MARKUP,
        *sorted(words),
    ]
