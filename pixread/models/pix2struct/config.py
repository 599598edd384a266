"""The shape of a Pix2Struct, and its named sizes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

MODEL_TYPE = "pix2struct"  # what config.json says


@dataclass(frozen=True, slots=True, kw_only=True)
class TowerConfig:
    """The shape of an encoder or a decoder."""

    layers: int
    d_ff: int  # width of the MLP
    num_heads: int
    d_kv: int  # numbers of a head
    eps: float = 1e-6  # of the norms


@dataclass(frozen=True, slots=True, kw_only=True)
class Pix2StructConfig:
    """The shape of a Pix2Struct: two towers of one width. The decoder's heads together are as wide as the model.

    `max_positions` is the length of the row and column tables: a patch's row and column (counted from 1) must be
    below it. `dropout` applies to embeddings, to what each attention and MLP adds, and to the towers' outputs.
    """

    model_type: ClassVar[str] = MODEL_TYPE

    hidden_size: int
    encoder: TowerConfig
    decoder: TowerConfig
    vocab_size: int = 50244
    patch_dim: int = 768
    max_positions: int = 4096
    relative_buckets: int = 32
    relative_max_distance: int = 128
    dropout: float = 0.0
    pad: int = 0
    eos: int = 1

    def __post_init__(self) -> None:
        heads, size = self.decoder.num_heads, self.decoder.d_kv
        if heads * size != self.hidden_size:  # so does transformers: the decoder's projections are square
            raise ValueError(
                f"the decoder's num_heads * d_kv must be hidden_size, got {heads} * {size} and {self.hidden_size}"
            )

    @property
    def start_id(self) -> int:
        """Outputs follow the pad token."""
        return self.pad

    @property
    def eos_ids(self) -> tuple[int, ...]:
        return (self.eos,)

    @classmethod
    def uniform(
        cls,
        *,
        hidden_size: int,
        d_ff: int,
        num_heads: int,
        d_kv: int,
        encoder_layers: int,
        decoder_layers: int,
        **rest: Any,
    ) -> Self:
        """Towers that differ in their number of layers alone. rest: other fields."""
        tower = TowerConfig(layers=encoder_layers, d_ff=d_ff, num_heads=num_heads, d_kv=d_kv)
        return cls(hidden_size=hidden_size, encoder=tower, decoder=replace(tower, layers=decoder_layers), **rest)


# base and large are the paper's (section 3); nano is made to be trained on a few processor cores.
SIZES: dict[str, Pix2StructConfig] = {
    "nano": Pix2StructConfig.uniform(
        hidden_size=192, d_ff=512, num_heads=6, d_kv=32, encoder_layers=5, decoder_layers=3, max_positions=512
    ),
    "base": Pix2StructConfig.uniform(
        hidden_size=768, d_ff=2048, num_heads=12, d_kv=64, encoder_layers=12, decoder_layers=12
    ),
    "large": Pix2StructConfig.uniform(
        hidden_size=1536, d_ff=3968, num_heads=24, d_kv=64, encoder_layers=18, decoder_layers=18
    ),
}
