"""A second family, as unlike Pix2Struct as can be: recurrent, one vector a picture, prompts of ids, and no attention.

It learns little, but all that knows the contracts of `pixread.models.family` alone must work with it.

Legend: B rows, K beams, T tokens, L layers, H width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from pixread.images.open import InputError
from pixread.models.family import IGNORED_LABEL, Family, Like, Network, PageStrategy
from pixread.records import Answer, Node, Reading, Request
from pixread.tokenizers.tokenizer import EOS, Tokenizer

SIDE = 6  # pixels of a picture after shrinking
LONGEST_PROMPT = 40  # characters


@dataclass(frozen=True, kw_only=True)
class RecurrentConfig:
    model_type: ClassVar[str] = "recurrent"
    vocab_size: int
    hidden_size: int = 48
    layers: int = 2
    dropout: float = 0.0

    @property
    def start_id(self) -> int:
        return EOS  # outputs follow an end token, as those of some families do

    @property
    def eos_ids(self) -> tuple[int, ...]:
        return (EOS,)


class RecurrentFormat:
    """config.json."""

    def from_json(self, raw: Mapping[str, Any], *, path: Path) -> RecurrentConfig:
        return RecurrentConfig(**{field.name: raw[field.name] for field in fields(RecurrentConfig)})

    def to_json(self, config: RecurrentConfig) -> dict[str, Any]:
        return {"model_type": config.model_type, **asdict(config)}

    def is_tied(self, raw: Mapping[str, Any], *, path: Path) -> bool:
        return False

    def special_ids(self, config: RecurrentConfig) -> dict[str, Any]:
        return {"bos_token_id": config.start_id, "eos_token_id": EOS}

    def generation(self, raw: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
        return {}


class RecurrentState:
    """hidden: (B, L, H), or (B, K, L, H) where rows fork."""

    def __init__(self, hidden: Tensor, logits: Tensor, *, start: int) -> None:
        self.hidden, self.logits, self.start = hidden, logits, start

    @property
    def rows(self) -> int:
        return self.logits.shape[0]

    @property
    def device(self) -> torch.device:
        return self.logits.device

    def expand(self, count: int, *, forks: bool = False) -> RecurrentState:
        sides = (self.hidden, self.logits)
        if forks:
            hidden, logits = (side[:, None].repeat_interleave(count, dim=1) for side in sides)
        else:
            hidden, logits = (side.repeat_interleave(count, dim=0) for side in sides)
        return RecurrentState(hidden, logits, start=self.start)

    def reserve(self, max_length: int) -> None:
        """A vector holds outputs of any length."""

    def drop_pays(self, index: Tensor) -> bool:
        return len(index) < self.rows

    def select(self, index: Tensor) -> None:
        self.hidden, self.logits = self.hidden[index], self.logits[index]

    def fork(self, parents: Tensor) -> None:
        self.hidden = self.hidden[torch.arange(self.rows)[:, None], parents]

    def admit(self, other: RecurrentState, *, max_length: int) -> None:
        self.hidden = torch.cat([self.hidden, other.hidden])
        self.logits = torch.cat([self.logits, other.logits])

    def rewind(self, position: int) -> None:
        raise AssertionError("only models with a draft model are taken back")


class RecurrentBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fed, self.kept = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        return torch.tanh(self.fed(x) + self.kept(hidden))


@dataclass(frozen=True)
class RecurrentInputs:
    pixels: Tensor  # (SIDE * SIDE * 3,)
    prompt: Tensor  # (P,) int64

    def __len__(self) -> int:
        return 1 + len(self.prompt)


@dataclass(frozen=True)
class RecurrentBatch:
    pixels: Tensor  # (B, SIDE * SIDE * 3)
    prompts: Tensor  # (B, P) int64, padded with IGNORED_LABEL
    labels: Tensor | None = None

    def __len__(self) -> int:
        return len(self.pixels)

    def to(self, device: torch.device | str) -> RecurrentBatch:
        labels = None if self.labels is None else self.labels.to(device)
        return RecurrentBatch(self.pixels.to(device), self.prompts.to(device), labels)


class Recurrent(Network):
    def __init__(self, config: RecurrentConfig) -> None:
        super().__init__()
        self.config = config
        self.picture = nn.Linear(SIDE * SIDE * 3, config.hidden_size)
        self.embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(RecurrentBlock(config.hidden_size) for _ in range(config.layers))
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.hidden_size, config.vocab_size)

    def blocks(self) -> Sequence[nn.Module]:
        return list(self.layers)

    def forward(self, batch: RecurrentBatch) -> Tensor:
        assert batch.labels is not None
        return self.token_logits(batch.labels, self.prefill(batch))

    def prefill(self, batch: RecurrentBatch, *, start: int | None = None) -> RecurrentState:
        hidden = torch.tanh(self.picture(batch.pixels))[:, None].expand(-1, self.config.layers, -1)
        for tokens in batch.prompts.T:  # rows whose prompt has ended stay as they are
            moved = self._moved(tokens.clamp(min=0), hidden)
            hidden = torch.where((tokens == IGNORED_LABEL)[:, None, None], hidden, moved)
        start = self.config.start_id if start is None else start
        hidden = self._moved(torch.full((len(batch),), start), hidden)
        return RecurrentState(hidden, self._logits(hidden), start=start)

    def step(self, tokens: Tensor, state: RecurrentState) -> Tensor:
        state.hidden = self._moved(tokens, state.hidden)
        state.logits = self._logits(state.hidden)
        return state.logits

    def token_logits(self, tokens: Tensor, state: RecurrentState) -> Tensor:
        logits, hidden = [state.logits], state.hidden
        for fed in tokens.T[:-1]:
            hidden = self._moved(fed.clamp(min=0), hidden)
            logits.append(self._logits(hidden))
        return torch.stack(logits, dim=1)

    def _moved(self, tokens: Tensor, hidden: Tensor) -> Tensor:
        x, moved = self.embedding(tokens), []
        for number, block in enumerate(self.layers):
            x = block(x, hidden[..., number, :])
            moved.append(x)
        return torch.stack(moved, dim=-2)

    def _logits(self, hidden: Tensor) -> Tensor:
        return cast("Tensor", self.head(self.dropout(hidden[..., -1, :]))).float()


@dataclass(frozen=True)
class RecurrentProcessor:
    tokenizer: Tokenizer
    like: Like = "original"
    page_strategy: PageStrategy = "single_pass"
    max_input_length: int = 1 + LONGEST_PROMPT

    def changed(self, **options: Any) -> RecurrentProcessor:
        for name, value in options.items():
            if value is not None and (name, value) != ("like", "original"):
                raise ValueError(f"a recurrent model has no {name}")
        return self

    def for_training(self, *, max_patches: int, has_questions: bool) -> RecurrentProcessor:
        return self

    def inputs(self, request: Request, *, max_patches: int | None = None) -> RecurrentInputs:
        if max_patches is not None:
            raise ValueError("a recurrent model has no max_patches")
        if len(request.prompt) > LONGEST_PROMPT:
            raise InputError(f"a question may have {LONGEST_PROMPT} characters, got {len(request.prompt)}")
        picture = request.image
        if request.region is not None:
            box = request.region
            picture = picture.crop((int(box.x), int(box.y), int(box.right), int(box.bottom)))
        pixels = np.asarray(picture.convert("RGB").resize((SIDE, SIDE)), np.float32).reshape(-1) / 127.5 - 1
        return RecurrentInputs(torch.from_numpy(pixels), torch.tensor(self.tokenizer.encode(request.prompt)).long())

    def labels(self, text: str) -> list[int]:
        return [*self.tokenizer.encode(text), EOS]

    def collate(
        self, inputs: Sequence[RecurrentInputs], labels: Sequence[Sequence[int]] | None = None
    ) -> RecurrentBatch:
        def padded(rows: Sequence[Tensor]) -> Tensor:
            return pad_sequence(list(rows), batch_first=True, padding_value=IGNORED_LABEL)

        learnt = None if labels is None else padded([torch.tensor(row) for row in labels])
        pixels = torch.stack([item.pixels for item in inputs])
        return RecurrentBatch(pixels, padded([item.prompt for item in inputs]), learnt)

    def reading(self, answer: Answer, request: Request, *, seconds: float, constrained: bool = False) -> Reading:
        tree = Node(text=answer.text, confidence=answer.confidence)
        return Reading(answer.text, tree, answer.log_prob, *request.image.size, seconds, ended=answer.ended)

    def files(self) -> dict[str, bytes]:
        return self.tokenizer.files()


def _load_processor(folder: Path, config: RecurrentConfig) -> RecurrentProcessor:
    return RecurrentProcessor(Tokenizer.load(folder, num_rows=config.vocab_size))


def _new_processor(tokenizer: Tokenizer, config: RecurrentConfig) -> RecurrentProcessor:
    return RecurrentProcessor(tokenizer)


RECURRENT = Family(
    model_type=RecurrentConfig.model_type,
    config=RecurrentFormat(),
    build=Recurrent,
    tensors={
        **{f"{part}.{kind}": f"model.{part}.{kind}" for part in ("picture", "head") for kind in ("weight", "bias")},
        "embedding.weight": "model.embed_tokens.weight",
        **{
            f"layers.{{}}.{part}.{kind}": f"model.cells.{{}}.{part}.{kind}"
            for part in ("fed", "kept")
            for kind in ("weight", "bias")
        },
    },
    tied=(),
    load_processor=_load_processor,
    new_processor=_new_processor,
    sizes={"recurrent-small": RecurrentConfig(vocab_size=0, hidden_size=64)},
    default_files={},
    training_config=replace,
)
