"""What a model family is: the contracts that reading, decoding, training and evaluation know, and nothing more.

Legend: B rows, R pictures, K beams, T tokens, V vocabulary.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, TypeVar

import torch
from torch import Tensor, nn

from pixread.records import Answer, Reading, Request

if TYPE_CHECKING:
    from pixread.tokenizers.tokenizer import Tokenizer

IGNORED_LABEL = -100
"""Where nothing is learnt: behind the end of a label. The default of `torch.nn.functional.cross_entropy`."""
Like = Literal["original", "transformers"]
"""Whose numbers are followed where the two differ."""
PageStrategy = Literal["single_pass", "line_by_line"]
"""How a whole page is read: at once, or line by line where a checkpoint was trained on lines cut out."""


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


class Config(Protocol):
    """What is asked of any family's configuration: a frozen dataclass."""

    @property
    def model_type(self) -> str: ...

    @property
    def vocab_size(self) -> int: ...

    @property
    def start_id(self) -> int:
        """The token that outputs follow, where generation_config.json names none."""
        ...

    @property
    def eos_ids(self) -> tuple[int, ...]: ...


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


class Network(nn.Module, ABC):
    """A `Model` that can be trained and saved: what every family's network is."""

    config: Any  # a `Config`

    @abstractmethod
    def forward(self, batch: Any) -> Tensor:
        """Logits (B, T, V), float32, of the batch's labels, each predicted from the true labels before it."""

    @abstractmethod
    def prefill(self, batch: Any, *, start: int | None = None) -> Any: ...

    @abstractmethod
    def step(self, tokens: Tensor, state: Any) -> Tensor: ...

    @abstractmethod
    def token_logits(self, tokens: Tensor, state: Any) -> Tensor: ...

    @abstractmethod
    def blocks(self) -> Sequence[nn.Module]:
        """The repeated layers, in their order: units of recomputation and sharding, and where LoRA adapters stand."""


class Inputs(Protocol):
    """One request as numbers. Its length, in what the encoder or the prompt holds, is what batches are sorted by."""

    def __len__(self) -> int: ...


class Batch(Protocol):
    """Inputs of several requests, padded."""

    @property
    def labels(self) -> Tensor | None:
        """(B, T) int64, padded with IGNORED_LABEL; None where nothing is learnt."""
        ...

    def __len__(self) -> int: ...

    def to(self, device: torch.device | str) -> Self: ...


class Processor(Protocol):
    """Requests -> inputs, labels and batches; answers -> readings. Frozen, pickled to workers, saved with a checkpoint.

    `like` is the one place of what `transformers` does otherwise.
    """

    @property
    def tokenizer(self) -> Tokenizer: ...

    @property
    def like(self) -> Like: ...

    @property
    def page_strategy(self) -> PageStrategy: ...

    @property
    def max_input_length(self) -> int:
        """No inputs are longer."""
        ...

    def changed(self, **options: Any) -> Self:
        """With other settings than the checkpoint's; None keeps one. ValueError for one that the family lacks."""
        ...

    def for_training(self, *, max_patches: int, has_questions: bool) -> Self:
        """As a recipe says. Families that read pictures of one size have no budget of patches."""
        ...

    def inputs(self, request: Request, *, max_patches: int | None = None) -> Any:
        """InputError for a request that the model cannot take; other ValueErrors for settings that make no sense."""
        ...

    def labels(self, text: str) -> list[int]:
        """The ids that are learnt for a target, its end included."""
        ...

    def collate(self, inputs: Sequence[Any], labels: Sequence[Sequence[int]] | None = None) -> Any:
        """Inputs padded to one `Batch`, with IGNORED_LABEL behind labels."""
        ...

    def reading(self, answer: Answer, request: Request, *, seconds: float, constrained: bool = False) -> Reading:
        """constrained: whether a grammar held the output to simplified HTML."""
        ...

    def files(self) -> dict[str, bytes]:
        """File name -> content, as they lie beside the weights."""
        ...


class ConfigFormat(Protocol):
    """config.json <-> a family's configuration. ValueError names `path` and what is wrong."""

    def from_json(self, raw: Mapping[str, Any], *, path: Path) -> Any: ...

    def to_json(self, config: Any) -> dict[str, Any]: ...

    def is_tied(self, raw: Mapping[str, Any], *, path: Path) -> bool:
        """Whether embedding and head share one matrix where only one is stored."""
        ...

    def special_ids(self, config: Any) -> dict[str, Any]:
        """The settings of generation_config.json that say where outputs start and end."""
        ...

    def generation(self, raw: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
        """The generation settings, of these names, that older folders keep in config.json."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One family: how its checkpoints are read and written, made anew, and prepared for training."""

    model_type: str  # what config.json says
    config: ConfigFormat
    build: Callable[[Any], Any]  # configuration -> a network with random weights, whose `config` it is
    tensors: Mapping[str, str]  # name of a tensor -> its name in `transformers`; see tensor_names
    tied: tuple[str, ...]  # what tie_word_embeddings makes one of, by the names of `transformers`
    # (checkpoint folder, its configuration) -> its processor. ValueError, in one sentence, for a damaged file.
    load_processor: Callable[[Path, Any], Any]
    new_processor: Callable[[Any, Any], Any]  # (tokenizer, configuration) -> the processor of a model made anew
    sizes: Mapping[str, Any]  # named sizes of models made anew, for a vocabulary that is put in place of theirs
    default_files: Mapping[str, bytes]  # for folders without such files
    training_config: Callable[..., Any]  # (configuration, dropout=) -> that of a model to be trained on labels
