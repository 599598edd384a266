"""One pass of a model over each picture: requests in, answers out, by the contract of a family alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from pixread.checkpoints.folder import Checkpoint
from pixread.checkpoints.generation import longest_output
from pixread.generate.beam import BeamSettings
from pixread.generate.constrained import Grammar, GrammarConstraint
from pixread.generate.decode import decode
from pixread.generate.greedy import greedy_token
from pixread.generate.loop import LogitsProcessor, prefill, steps
from pixread.generate.options import DecodingOptions
from pixread.generate.sampling import Sampling, sample
from pixread.generate.scoring import sequence_log_probs
from pixread.models.family import Processor
from pixread.reader.answers import answers_of
from pixread.reader.generation_config import Ends
from pixread.reader.logits_processors import logits_processors_of
from pixread.records import Answer, Request
from pixread.tokenizers.token_bytes import TextStream

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class SinglePass:
    """A model and its processor. Errors as `Processor.inputs` raises them."""

    checkpoint: Checkpoint
    processor: Processor

    @cached_property
    def _ends(self) -> Ends:
        return Ends.of(self.checkpoint.generation, self.checkpoint.config)

    def answers(
        self, requests: Sequence[Request], options: DecodingOptions, *, progress: Progress | None = None
    ) -> list[Answer]:
        """The answers in the order of the requests, read in batches of about one length."""
        inputs = [self.processor.inputs(request, max_patches=options.max_patches) for request in requests]
        order = sorted(range(len(inputs)), key=lambda number: -len(inputs[number]))
        answers: dict[int, Answer] = {}
        for start in range(0, len(order), options.batch_size):
            numbers = order[start : start + options.batch_size]
            batch = self._answer_batch([inputs[number] for number in numbers], options)
            answers.update(zip(numbers, batch, strict=True))
            if progress is not None:
                progress(len(answers), len(inputs))
        return [answers[number] for number in range(len(inputs))]

    @torch.inference_mode()
    def _answer_batch(self, inputs: Sequence[Any], options: DecodingOptions) -> list[Answer]:
        generated = decode(
            self.checkpoint.model,
            self._prefill(inputs),
            BeamSettings.of(self.checkpoint.generation, beams=options.beams),
            max_new_tokens=[self._max_new_tokens(options)] * len(inputs),
            logits_processors=self._logits_processors(options),
            eos=self._ends.eos,
        )
        return answers_of(generated, self.processor.tokenizer, start=self._ends.start)

    def stream(self, request: Request, options: DecodingOptions) -> Iterator[str]:
        """The text in pieces of whole characters. ValueError, at once, for more than one beam."""
        beams = BeamSettings.of(self.checkpoint.generation, beams=options.beams).beams
        if beams != 1:
            raise ValueError(f"only one beam can be read while it is written, got beams={beams}")
        inputs = self.processor.inputs(request, max_patches=options.max_patches)
        return self._pieces(inputs, options, self._logits_processors(options))

    def _pieces(
        self, inputs: Any, options: DecodingOptions, logits_processors: Sequence[LogitsProcessor]
    ) -> Iterator[str]:
        text = TextStream(self.processor.tokenizer.pieces)
        if piece := text.add(self._ends.start):
            yield piece
        for step in steps(
            self.checkpoint.model,
            self._prefill([inputs]),
            greedy_token,
            limits=[self._max_new_tokens(options)],
            logits_processors=logits_processors,
            eos=self._ends.eos,
        ):
            token = int(step.tokens[0])
            if piece := text.add(token):
                yield piece
            if token in self._ends.eos:
                break
        if rest := text.end():
            yield rest

    def samples(
        self, request: Request, sampling: Sampling, options: DecodingOptions, *, seeds: Sequence[int]
    ) -> list[Answer]:
        """One answer a seed. The request is prefilled once; `batch_size` answers are written at once."""
        state, answers = self._prefill([self.processor.inputs(request, max_patches=options.max_patches)]), []
        for first in range(0, len(seeds), options.batch_size):
            part = seeds[first : first + options.batch_size]
            generated = sample(
                self.checkpoint.model,
                state.expand(len(part)),
                sampling,
                seeds=part,
                max_new_tokens=self._max_new_tokens(options),
                logits_processors=self._logits_processors(options),
                eos=self._ends.eos,
            )
            answers += answers_of(generated, self.processor.tokenizer, start=self._ends.start)
        return answers

    def scores(self, request: Request, texts: Sequence[str], options: DecodingOptions) -> list[float]:
        """The sum of the log-probabilities of each text's tokens and its end."""
        outputs = [self.processor.tokenizer.encode(text) for text in texts]
        state = self._prefill([self.processor.inputs(request, max_patches=options.max_patches)])
        log_probs = sequence_log_probs(
            self.checkpoint.model, state, outputs, batch_size=options.batch_size, eos=self._ends.eos[0]
        )
        return [math.fsum(text) for text in log_probs]

    def is_constrained(self, options: DecodingOptions) -> bool:
        """Whether outputs are held to simplified HTML."""
        return options.in_grammar(self.checkpoint.generation)

    def _max_new_tokens(self, options: DecodingOptions) -> int:
        return options.max_new_tokens or longest_output(self.checkpoint.generation, like=self.processor.like)

    def _prefill(self, inputs: Sequence[Any]) -> Any:
        model = self.checkpoint.model
        batch = self.processor.collate(inputs).to(next(model.parameters()).device)
        return prefill(model, batch, start=self._ends.start)

    def _logits_processors(self, options: DecodingOptions) -> list[LogitsProcessor]:
        """Made anew for each batch: a logits processor may keep state of its rows."""
        device = next(self.checkpoint.model.parameters()).device
        processors = logits_processors_of(options, self.checkpoint.generation, self._ends, device=device)
        return [*processors, GrammarConstraint(self._grammar)] if self.is_constrained(options) else processors

    @cached_property
    def _grammar(self) -> Grammar:
        model, pieces = self.checkpoint.model, self.processor.tokenizer.pieces
        return Grammar(
            [pieces[number] for number in range(model.config.vocab_size)],
            eos=self._ends.eos[0],
            leading_blank=pieces.drops_first_blank,
            device=next(model.parameters()).device,
        )
