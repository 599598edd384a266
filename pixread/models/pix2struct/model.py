"""Pix2Struct (Lee et al. 2022, arXiv 2210.03347): a T5.1.1 encoder over picture patches, a T5.1.1 decoder over tokens.

Legend: B pictures, N patches, P numbers in a patch (16 * 16 * 3 = 768), T tokens, V vocabulary, C channels, H heads,
D size of a head, K beams. Both towers are pre-normed and have no biases but that of the patch projection.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pixread.models.family import IGNORED_LABEL, Network
from pixread.models.pix2struct.batch import PatchBatch
from pixread.models.pix2struct.config import Pix2StructConfig, TowerConfig
from pixread.models.pix2struct.cross_kv import encode_cross_kv
from pixread.models.pix2struct.state import Pix2StructState
from pixread.nn.attention import Attention, RelativeBias
from pixread.nn.cache import BeamCache, Memory, SelfCache


class GatedMlp(nn.Module):
    """gelu(x gate) * (x up), projected back (Shazeer 2020, arXiv 2002.05202)."""

    def __init__(self, channels: int, d_ff: int) -> None:
        super().__init__()
        self.gate = nn.Linear(channels, d_ff, bias=False)
        self.up = nn.Linear(channels, d_ff, bias=False)
        self.down = nn.Linear(d_ff, channels, bias=False)

    def reset_parameters(self) -> None:
        """Draw the reference's starting weights."""
        for linear in (self.gate, self.up, self.down):
            _truncated_normal(linear.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(_clamped(F.gelu(self.gate(x), approximate="tanh") * self.up(x)))


class EncoderLayer(nn.Module):
    def __init__(self, config: Pix2StructConfig) -> None:
        super().__init__()
        channels, tower = config.hidden_size, config.encoder
        self.attention_norm = nn.RMSNorm(channels, eps=tower.eps)
        self.attention = _attention(channels, tower)
        self.mlp_norm = nn.RMSNorm(channels, eps=tower.eps)
        self.mlp = GatedMlp(channels, tower.d_ff)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        normed = self.attention_norm(x)
        attended = self.attention.attend(normed, *self.attention.keys_and_values(normed), mask)
        x = _clamped(x + self.dropout(attended))
        return _clamped(x + self.dropout(self.mlp(self.mlp_norm(x))))


class Encoder(nn.Module):
    def __init__(self, config: Pix2StructConfig) -> None:
        super().__init__()
        self.patch_projection = nn.Linear(config.patch_dim, config.hidden_size)
        self.row_embedding = nn.Embedding(config.max_positions, config.hidden_size)
        self.col_embedding = nn.Embedding(config.max_positions, config.hidden_size)
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.encoder.layers))
        self.norm = nn.RMSNorm(config.hidden_size, eps=config.encoder.eps)
        self.dropout = nn.Dropout(config.dropout)

    def blocks(self) -> list[EncoderLayer]:
        """The layers by their type, which `nn.ModuleList` forgets."""
        return cast("list[EncoderLayer]", list(self.layers))

    def reset_parameters(self) -> None:
        """Draw the reference's starting weights of the embeddings."""
        _truncated_normal(self.patch_projection.weight)
        nn.init.zeros_(self.patch_projection.bias)
        for table in (self.row_embedding, self.col_embedding):
            nn.init.normal_(table.weight, std=table.embedding_dim**-0.5)

    def forward(self, batch: PatchBatch, mask: Tensor | None) -> Tensor:
        pixels = batch.pixels.to(self.patch_projection.weight.dtype)
        x = self.patch_projection(pixels)  # (B, N, P) -> (B, N, C)
        x = self.dropout(x + self.row_embedding(batch.rows) + self.col_embedding(batch.cols))
        for layer in self.layers:
            x = layer(x, mask)
        return self.dropout(self.norm(x))


class DecoderLayer(nn.Module):
    def __init__(self, config: Pix2StructConfig) -> None:
        super().__init__()
        channels, tower = config.hidden_size, config.decoder
        self.self_norm = nn.RMSNorm(channels, eps=tower.eps)
        self.self_attention = _attention(channels, tower)
        self.cross_norm = nn.RMSNorm(channels, eps=tower.eps)
        self.cross_attention = _attention(channels, tower)
        self.mlp_norm = nn.RMSNorm(channels, eps=tower.eps)
        self.mlp = GatedMlp(channels, tower.d_ff)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, bias: Tensor, memory: Memory, *, number: int) -> Tensor:
        """All tokens at once. x: (B, T, C); bias: (1, H, T, T)."""
        normed = self.self_norm(x)
        keys, values = self.self_attention.keys_and_values(normed)
        x = _clamped(x + self.dropout(self.self_attention.attend(normed, keys, values, bias)))
        return self._rest(x, memory, number=number)

    def step(self, x: Tensor, cache: SelfCache, memory: Memory, *, number: int, position: int) -> Tensor:
        """One token, or one a beam. x: (B, 1, C) or (B, K, C)."""
        normed = self.self_norm(x)
        key, value = self.self_attention.keys_and_values(normed)  # (B, H, 1, D) or (B, H, K, D)
        keys, values = cache.update(number, position=position, key=key, value=value)
        x = _clamped(x + self.self_attention.attend(normed, keys, values, cache.bias(position)))
        return self._rest(x, memory, number=number)

    def _rest(self, x: Tensor, memory: Memory, *, number: int) -> Tensor:
        keys, values = memory.keys[number], memory.values[number]
        x = _clamped(x + self.dropout(self.cross_attention.attend(self.cross_norm(x), keys, values, memory.mask)))
        return _clamped(x + self.dropout(self.mlp(self.mlp_norm(x))))


class Decoder(nn.Module):
    def __init__(self, config: Pix2StructConfig) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.relative_bias = RelativeBias(
            count=config.relative_buckets,
            max_distance=config.relative_max_distance,
            num_heads=config.decoder.num_heads,
        )
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.decoder.layers))
        self.norm = nn.RMSNorm(config.hidden_size, eps=config.decoder.eps)
        self.head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.dropout = nn.Dropout(config.dropout)

    def reset_parameters(self) -> None:
        """Draw the reference's starting weights of embedding and head."""
        nn.init.normal_(self.token_embedding.weight)
        _truncated_normal(self.head.weight)

    def blocks(self) -> list[DecoderLayer]:
        """The layers by their type, which `nn.ModuleList` forgets."""
        return cast("list[DecoderLayer]", list(self.layers))

    def forward(self, ids: Tensor, memory: Memory) -> Tensor:
        x = self.dropout(self.token_embedding(ids))  # (B, T) -> (B, T, C)
        bias = self.relative_bias.causal(ids.shape[1])
        for number, layer in enumerate(self.layers):
            x = layer(x, bias, memory, number=number)
        return self._logits(x)

    def step(self, tokens: Tensor, memory: Memory, cache: SelfCache, *, position: int) -> Tensor:
        assert memory.rows is None, "rows by number are for compiled steps"
        fed = tokens[:, None] if tokens.dim() == 1 else tokens  # (B, 1) or (B, K)
        x = self.token_embedding(fed)  # (B, 1, C) or (B, K, C)
        for number, layer in enumerate(self.blocks()):
            x = layer.step(x, cache, memory, number=number, position=position)
        logits = self._logits(x)
        return logits.reshape(*tokens.shape, logits.shape[-1])

    def _logits(self, x: Tensor) -> Tensor:
        logits = self.head(self.dropout(self.norm(x)))  # (B, T, C) -> (B, T, V)
        return logits.to(torch.promote_types(logits.dtype, torch.float32))


class Pix2Struct(Network):
    """The whole network: `prefill` a batch, then `step` through the tokens."""

    def __init__(self, config: Pix2StructConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew, from the reference's distributions (norms start at 1)."""
        for module in self.modules():
            if isinstance(module, nn.RMSNorm):
                nn.init.ones_(module.weight)
            elif isinstance(module, (Attention, RelativeBias, GatedMlp, Encoder, Decoder)):
                module.reset_parameters()

    def blocks(self) -> list[nn.Module]:
        """The layers of the encoder, then those of the decoder."""
        return [*self.encoder.blocks(), *self.decoder.blocks()]

    def encode(self, batch: PatchBatch) -> Memory:
        """Read the pictures. Raises ValueError for a row or column outside the position tables."""
        self._check_positions(batch)
        return encode_cross_kv(batch, self.encoder, [layer.cross_attention for layer in self.decoder.blocks()])

    def decode(self, ids: Tensor, memory: Memory) -> Tensor:
        """Logits (B, T, V), float32, of the token after each of `ids` (B, T), which begin with the start id (pad).

        Raises ValueError for an id without a row in the embedding: T5's 100 extra ids lie outside of it.
        """
        self._check_ids(ids)
        return self.decoder(ids, memory)

    def forward(self, batch: PatchBatch) -> Tensor:
        """Logits (B, T, V), float32, of the batch's labels, each predicted from the true labels before it."""
        if batch.labels is None:
            raise ValueError("the batch has no labels to predict; use prefill and step to read without them")
        self._check_ids(self._learnt(batch.labels))  # of which the decoder is fed all but the last
        return cast("Tensor", self.decoder(self.shift_right(batch.labels), self.encode(batch)))

    def shift_right(self, labels: Tensor) -> Tensor:
        """What the decoder is fed to predict labels (B, T): the start id (pad), then all labels but the last.

        Where nothing is learnt, the pad id is fed.
        """
        return F.pad(self._learnt(labels)[:, :-1], (1, 0), value=self.config.pad)

    def _learnt(self, labels: Tensor) -> Tensor:
        return labels.masked_fill(labels == IGNORED_LABEL, self.config.pad)

    def new_cache(
        self,
        batch_size: int,
        max_length: int,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> SelfCache:
        """Room for `max_length` steps; on the model's device and in its dtype by default."""
        tower = self.config.decoder
        weight = self.decoder.token_embedding.weight
        return SelfCache.empty(
            layers=tower.layers,
            shape=(batch_size, tower.num_heads, max_length, tower.d_kv),
            bias=self.decoder.relative_bias.by_distance(max_length),
            device=device or weight.device,
            dtype=dtype or self._cache_dtype,
        )

    def new_beam_cache(self, batch_size: int, max_length: int, *, beams: int) -> BeamCache:
        """Room for `max_length` steps of `beams` beams a row, on the model's device and in its dtype."""
        tower = self.config.decoder
        weight = self.decoder.token_embedding.weight
        return BeamCache.empty_for(
            beams,
            layers=tower.layers,
            shape=(batch_size, tower.num_heads, max_length, tower.d_kv),
            bias=self.decoder.relative_bias.by_distance(max_length),
            device=weight.device,
            dtype=self._cache_dtype,
        )

    @property
    def _cache_dtype(self) -> torch.dtype:
        return self.decoder.token_embedding.weight.dtype

    def prefill(self, batch: PatchBatch, *, start: int | None = None) -> Pix2StructState:
        """Read the pictures and feed the start token (pad by default): the logits of the first token are known then."""
        return self.begin(self.encode(batch), start=start)

    def begin(self, memory: Memory, *, start: int | None = None) -> Pix2StructState:
        """The second half of `prefill`, for pictures that were encoded before."""
        start, rows = self.config.pad if start is None else start, memory.mask.shape[0]
        prompt = self.new_cache(rows, 1)
        tokens = torch.full((rows,), start, device=memory.mask.device)
        return Pix2StructState(self, memory, prompt, self.decoder_step(tokens, memory, prompt, 0), start=start)

    def step(self, tokens: Tensor, state: Pix2StructState) -> Tensor:
        """Feed one token a row, (B,) -> logits (B, V) of the next, float32. The state moves on.

        Where rows fork, one token a beam: (B, K) -> (B, K, V). The beams of a row share its memory as it is.
        """
        state.advance(self.decoder_step(tokens, state.memory, state.cache, state.position))
        return state.logits

    def token_logits(self, tokens: Tensor, state: Pix2StructState) -> Tensor:
        """Logits (B, T, V), float32, from which each of `tokens` (B, T) is predicted after what `prefill` fed.

        Teacher-forced: each from the true tokens before it.
        """
        return self.decode(F.pad(tokens[:, :-1], (1, 0), value=state.start), state.memory)

    def decoder_step(self, tokens: Tensor, memory: Memory, cache: SelfCache, position: int) -> Tensor:
        """Feed one token a row, (B,), at `position` (0 is the start token) -> logits (B, V) of the next, float32.

        With a `BeamCache`, one token a beam: (B, K) -> (B, K, V).
        """
        return self.decoder.step(tokens, memory, cache, position=position)

    def reads_rows(self, count: int) -> bool:
        """Whether a step of so many tokens reads the rows of a memory by number, so that others leave for nothing."""
        return False

    def _check_positions(self, batch: PatchBatch) -> None:
        highest = int(torch.maximum(batch.rows, batch.cols).max())
        limit = self.config.max_positions - 1
        if highest > limit:
            raise ValueError(f"a patch stands in row or column {highest}; this model knows up to {limit}")

    def _check_ids(self, ids: Tensor) -> None:
        lowest, highest = (int(end) for end in ids.aminmax())
        if lowest < 0 or highest >= self.config.vocab_size:
            wrong = lowest if lowest < 0 else highest
            raise ValueError(f"the token id {wrong} has no row; this model knows ids 0 to {self.config.vocab_size - 1}")


def _attention(channels: int, tower: TowerConfig) -> Attention:
    return Attention(channels=channels, num_heads=tower.num_heads, head_size=tower.d_kv)


def _clamped(x: Tensor) -> Tensor:
    """x, but in float16 what lies beyond its range is held at the end of it: the next norm would make NaN of infinity.

    transformers does so after the decoder's layers only (at 64504, and not between the layers of the MLP).
    """
    if x.dtype != torch.float16:
        return x
    largest = torch.finfo(torch.float16).max
    return x.clamp(-largest, largest)


def _truncated_normal(weight: Tensor) -> None:
    # A normal cut at two deviations has 0.8796 of its deviation left; the reference divides that out.
    std = weight.shape[1] ** -0.5 / 0.87962566103423978
    nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std)
