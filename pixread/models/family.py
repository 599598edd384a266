"""What a model family is: the contracts that reading, decoding, training and evaluation know, and nothing more.

Legend: B rows, R pictures, K beams, T tokens, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import torch
from torch import Tensor

IGNORED_LABEL = -100
"""Where nothing is learnt: behind the end of a label. The default of `torch.nn.functional.cross_entropy`."""


class State(Protocol):
    """Everything that the next token depends on, owned by the model: memory of pictures, prompt, tokens so far.

    `logits`, (B, V) or (B, K, V) where rows fork, are those of the next token. What `prefill` gave may be expanded any
    number of times; a state that has been reserved is stepped through once.
    """

    logits: Tensor
    start: int  # the token that the output follows

    @property
    def rows(self) -> int: ...

    @property
    def device(self) -> torch.device: ...

    def expand(self, count: int, *, forks: bool = False) -> Self:
        """Another state: `count` rows for each row, or `count` beams for each. What they share is not copied."""
        ...

    def reserve(self, max_length: int) -> None:
        """Room for outputs of `max_length` tokens, before the first step."""
        ...

    def drop_pays(self, index: Tensor) -> bool:
        """Whether steps get cheaper by more than it costs to keep only the rows that `index` names."""
        ...

    def select(self, index: Tensor) -> None:
        """Keep only the rows that `index` (int64) names, in its order."""
        ...

    def fork(self, parents: Tensor) -> None:
        """parents: (B, K) int64; beam k goes on from what was beam `parents[:, k]` in the last step."""
        ...

    def admit(self, other: Self, *, max_length: int) -> None:
        """Rows of another state join behind these, with room for `max_length` tokens more."""
        ...

    def rewind(self, position: int) -> None:
        """Back to where `position` tokens had been fed, the start token included."""
        ...


StateT = TypeVar("StateT", bound=State)


class Model(Protocol[StateT]):
    """A network that continues what it has read."""

    def prefill(self, batch: Any, *, start: int | None = None) -> StateT:
        """Read the batch, up to and with the token that outputs follow (by default that of the configuration)."""
        ...

    def step(self, tokens: Tensor, state: StateT) -> Tensor:
        """Feed one token a row, (B,) or one a beam, (B, K) -> logits (B, V) or (B, K, V) of the next, float32."""
        ...

    def token_logits(self, tokens: Tensor, state: StateT) -> Tensor:
        """Logits (B, T, V) from which each of `tokens` (B, T) is predicted after what `prefill` read."""
        ...


class ConfigFormat(Protocol):
    """config.json <-> a family's configuration. ValueError names `path` and what is wrong."""

    def from_json(self, raw: Mapping[str, Any], *, path: Path) -> Any: ...

    def to_json(self, config: Any) -> dict[str, Any]: ...

    def is_tied(self, raw: Mapping[str, Any], *, path: Path) -> bool:
        """Whether embedding and head share one matrix where only one is stored."""
        ...

    def generation(self, raw: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
        """The generation settings, of these names, that older folders keep in config.json."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What a checkpoint folder must know to read and write the models of one family."""

    model_type: str  # what config.json says
    config: ConfigFormat
    build: Callable[[Any], Any]  # configuration -> a network with random weights, whose `config` it is
    tensors: Mapping[str, str]  # name of a tensor -> its name in `transformers`; see tensor_names
    tied: tuple[str, ...]  # what tie_word_embeddings makes one of, by the names of `transformers`
