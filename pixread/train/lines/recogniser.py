"""The line recogniser's training: connectionist temporal classification (Graves et al. 2006) of lines of text."""

from __future__ import annotations

import copy
import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from pixread.layout.learned.detector import LearnedDetector
from pixread.metrics.text import character_error_rate
from pixread.recognition.ctc.alphabet import BLANK, Alphabet
from pixread.recognition.ctc.decode import Calibration
from pixread.recognition.ctc.network import LineNetwork, NetworkConfig, normalise
from pixread.recognition.ctc.recogniser import CtcRecogniser, LineModel, load_model, save_model
from pixread.train.lines.calibration import fit_calibration, word_lags, word_outcomes
from pixread.train.lines.crops import cut_as_detected, cut_exactly, cut_textless
from pixread.train.lines.degrade import degrade
from pixread.train.lines.detected import DetectedLines
from pixread.train.lines.drawn import Cut, LineArtist
from pixread.train.lines.named_weights import find_weights
from pixread.train.lines.pages import PagePool
from pixread.train.lines.recipes import LineRecipe
from pixread.train.lines.recogniser_batches import LineSource, batches
from pixread.train.lines.scripts import alphabet_of, read_scripts

_SEED = 20_000  # of the held-out lines: the same ones whatever the run's seed
_DRAWN_PART = 4  # drawn lines of each script: evaluate_examples over this
_TEXTLESS_PART = 4  # parts of pages without text: the same
MIN_BATCH_WIDTH = 1500  # pixels: the longest line and its margins
_MAX_TRIES = 20  # of chance for each line that is wanted


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Normalised lines that are never trained on, with their truth."""

    lines: list[np.ndarray]
    texts: list[str]
    spans: list[tuple[tuple[float, float], ...]]

    @classmethod
    def of(cls, cuts: Sequence[Cut], rng: random.Random | None = None) -> HeldOut:
        """The lines as they are, or degraded by the random numbers."""
        pixels = [np.ascontiguousarray(cut.pixels) for cut in cuts]
        degraded = pixels if rng is None else [degrade(crop, rng) for crop in pixels]
        return cls(
            [normalise(Image.fromarray(crop)) for crop in degraded],
            [cut.text for cut in cuts],
            [cut.spans for cut in cuts],
        )


class RecogniserTask:
    """A `LineTask`. Raises ValueError for scripts that cannot be learnt and for shards without pages."""

    def __init__(self, recipe: LineRecipe, data: Sequence[Path]) -> None:
        if recipe.batch_width < MIN_BATCH_WIDTH:
            raise ValueError(f"batch_width must be at least {MIN_BATCH_WIDTH} pixels, got {recipe.batch_width}")
        self.recipe = recipe
        scripts = read_scripts(recipe.scripts)
        self.alphabet = alphabet_of(scripts)
        self.pool = PagePool(list(data))
        self.artist = LineArtist(scripts, self.alphabet, self.pool.training().words())
        training = self.pool.training()
        _ = training.text_counts  # counted once, before workers are made
        detections = None if recipe.detector is None else DetectedLines(_detector(recipe.detector))
        self.source = LineSource(
            training, self.artist, self.alphabet, drawn_share=recipe.drawn_share, detections=detections
        )

    def network(self) -> LineNetwork:
        return LineNetwork(NetworkConfig(self.alphabet.size))

    def batches(self, seed: int, start: int) -> Iterator[dict[str, Tensor]]:
        return batches(self.source, seed, start, width=self.recipe.batch_width, lines=self.recipe.batch_size)

    def loss(
        self, network: nn.Module, batch: dict[str, Tensor], autocast: torch.dtype
    ) -> tuple[Tensor, dict[str, float]]:
        """The negative log-likelihood of all lines over the number of their characters."""
        images, frames, lengths = batch["images"], batch["frames"], batch["lengths"]
        with torch.autocast(images.device.type, autocast, enabled=autocast != torch.float32):
            logits = network(images)
        log_probabilities = logits.float().log_softmax(2).transpose(0, 1)  # (T, B, N)
        total = F.ctc_loss(
            log_probabilities, batch["labels"], frames, lengths, blank=BLANK, reduction="sum", zero_infinity=True
        )
        return total / lengths.sum().clamp(min=1), {}

    def score(self, network: nn.Module) -> dict[str, float]:
        """Character error rates of lines of held-out pages, in their true boxes, as the detector finds them, and
        degraded, and of drawn lines of each script; and the share of parts without text of which nothing is read."""
        recogniser = self._recogniser(network)
        scores = {}
        for name, held_out in self.held_out.items():
            texts = [line.text for line in recogniser.recognise_normalised(held_out.lines)]
            pairs = list(zip(texts, held_out.texts, strict=True))
            if name == "textless":
                scores[name] = sum(not text for text in texts) / len(texts)
            else:
                scores[f"character_error_rate_{name}"] = _error_rate(pairs)
        return {name: round(value, 5) for name, value in scores.items()}

    def save(self, network: nn.Module, path: Path) -> None:
        """Writes the weights, with probabilities calibrated on the held-out lines."""
        assert isinstance(network, LineNetwork)
        save_model(LineModel(network, self.alphabet, self._calibration(network)), path)

    def load(self, network: nn.Module, path: Path) -> None:
        assert isinstance(network, LineNetwork)
        transfer_weights(network, self.alphabet, load_model(path))

    def _recogniser(self, network: nn.Module) -> CtcRecogniser:
        assert isinstance(network, LineNetwork)
        device = next(network.parameters()).device
        model = LineModel(copy.deepcopy(network), self.alphabet, Calibration())
        return CtcRecogniser(model, device=str(device))

    def _calibration(self, network: nn.Module) -> Calibration:
        """Fitted on the lines of pages, as a detector finds them and degraded."""
        recogniser = self._recogniser(network)
        words, right = [], []
        lags: list[tuple[float, float]] = []
        for part in (self.held_out.get("found", self.held_out.get("pages")), self.held_out.get("degraded")):
            if part is None:
                continue
            for number, line in enumerate(recogniser.recognise_normalised(part.lines)):
                for probabilities, good in word_outcomes(line, part.texts[number]):
                    words.append(probabilities)
                    right.append(good)
                if line.text == part.texts[number]:
                    lags += word_lags(line, part.spans[number], part.lines[number].shape[1])
        start_lag, end_lag = np.median(lags, axis=0).tolist() if lags else (0.0, 0.0)
        return replace(fit_calibration(words, right), start_lag=round(start_lag, 3), end_lag=round(end_lag, 3))

    @cached_property
    def held_out(self) -> dict[str, HeldOut]:
        """Lines of held-out pages, drawn lines of each script, and parts of pages without text."""
        count, rng = self.recipe.evaluate_examples, random.Random(_SEED)
        pool = self.pool.held_out()
        pages = [pool.page(number) for number in range(len(pool))]
        lines = [(page, line) for page in pages for line in self.source.lines(page)]
        rng.shuffle(lines)
        cuts = [cut for page, line in lines[:count] if (cut := cut_exactly(page, line)) is not None]
        detected = [cut for page, line in lines[:count] if (cut := cut_as_detected(page, line)) is not None]
        textless = _collect(lambda: cut_textless(rng.choice(pages), rng), count // _TEXTLESS_PART)
        # The names are those of the scores in metrics.jsonl.
        parts = {"pages": HeldOut.of(cuts), "found": HeldOut.of(detected), "degraded": HeldOut.of(cuts, rng)}
        parts |= {"textless": HeldOut.of(textless)}
        for script in self.artist.scripts:
            drawn = _collect(partial(self.artist.line, rng, script), count // _DRAWN_PART)
            parts[f"drawn_{script}"] = HeldOut.of(drawn)
        return {name: part for name, part in parts.items() if part.lines}


def _detector(named: str) -> LearnedDetector:
    return LearnedDetector.load(find_weights(named, name="line-detector", field="detector"))


def _collect(make: Callable[[], Cut | None], count: int) -> list[Cut]:
    made = (make() for _ in range(count * _MAX_TRIES))
    return list(itertools.islice((cut for cut in made if cut is not None), count))


def _error_rate(pairs: Sequence[tuple[str, str]]) -> float:
    """Edits over characters of the truth, of all lines together."""
    edits = sum(character_error_rate(text, truth) * max(1, len(truth)) for text, truth in pairs)
    return edits / max(1, sum(len(truth) for _, truth in pairs))


def transfer_weights(network: LineNetwork, alphabet: Alphabet, source: LineModel) -> None:
    """Copies the source's weights into a network of the same shape; of the head, the classes that both have.

    Raises ValueError where the shapes differ in more than the number of classes.
    """
    weights = source.network.state_dict()
    pairs = [(0, 0), (alphabet.unknown, source.alphabet.unknown)]
    pairs += [(n, source.alphabet.classes[c]) for c, n in alphabet.classes.items() if c in source.alphabet.classes]
    classes, source_classes = (torch.tensor(numbers) for numbers in zip(*pairs, strict=True))
    for name, tensor in network.state_dict().items():
        if name.startswith("head."):
            tensor[classes] = weights[name][source_classes]
        elif name in weights and weights[name].shape == tensor.shape:
            tensor.copy_(weights[name])
        else:
            raise ValueError(f"the weights to start from have another network: they differ in {name}")
