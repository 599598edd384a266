"""What T5X calls the weights of a Pix2Struct: the path below `target`, its parts joined by dots as in folder names."""

from __future__ import annotations

T5X_NAMES = {
    "encoder.patch_projection.weight": "encoder.token_embedder.patch_projection.kernel",
    "encoder.patch_projection.bias": "encoder.token_embedder.patch_projection.bias",
    "encoder.row_embedding.weight": "encoder.token_embedder.embedders_0.pos_embedding",
    "encoder.col_embedding.weight": "encoder.token_embedder.embedders_1.pos_embedding",
    "encoder.layers.{}.attention_norm.weight": "encoder.layers_{}.pre_attention_layer_norm.scale",
    "encoder.layers.{}.attention.query.weight": "encoder.layers_{}.attention.query.kernel",
    "encoder.layers.{}.attention.key.weight": "encoder.layers_{}.attention.key.kernel",
    "encoder.layers.{}.attention.value.weight": "encoder.layers_{}.attention.value.kernel",
    "encoder.layers.{}.attention.output.weight": "encoder.layers_{}.attention.out.kernel",
    "encoder.layers.{}.mlp_norm.weight": "encoder.layers_{}.pre_mlp_layer_norm.scale",
    "encoder.layers.{}.mlp.gate.weight": "encoder.layers_{}.mlp.wi_0.kernel",
    "encoder.layers.{}.mlp.up.weight": "encoder.layers_{}.mlp.wi_1.kernel",
    "encoder.layers.{}.mlp.down.weight": "encoder.layers_{}.mlp.wo.kernel",
    "encoder.norm.weight": "encoder.encoder_norm.scale",
    "decoder.token_embedding.weight": "decoder.token_embedder.embedding",
    "decoder.relative_bias.table.weight": "decoder.relpos_bias.rel_embedding",
    "decoder.layers.{}.self_norm.weight": "decoder.layers_{}.pre_self_attention_layer_norm.scale",
    "decoder.layers.{}.self_attention.query.weight": "decoder.layers_{}.self_attention.query.kernel",
    "decoder.layers.{}.self_attention.key.weight": "decoder.layers_{}.self_attention.key.kernel",
    "decoder.layers.{}.self_attention.value.weight": "decoder.layers_{}.self_attention.value.kernel",
    "decoder.layers.{}.self_attention.output.weight": "decoder.layers_{}.self_attention.out.kernel",
    "decoder.layers.{}.cross_norm.weight": "decoder.layers_{}.pre_cross_attention_layer_norm.scale",
    "decoder.layers.{}.cross_attention.query.weight": "decoder.layers_{}.encoder_decoder_attention.query.kernel",
    "decoder.layers.{}.cross_attention.key.weight": "decoder.layers_{}.encoder_decoder_attention.key.kernel",
    "decoder.layers.{}.cross_attention.value.weight": "decoder.layers_{}.encoder_decoder_attention.value.kernel",
    "decoder.layers.{}.cross_attention.output.weight": "decoder.layers_{}.encoder_decoder_attention.out.kernel",
    "decoder.layers.{}.mlp_norm.weight": "decoder.layers_{}.pre_mlp_layer_norm.scale",
    "decoder.layers.{}.mlp.gate.weight": "decoder.layers_{}.mlp.wi_0.kernel",
    "decoder.layers.{}.mlp.up.weight": "decoder.layers_{}.mlp.wi_1.kernel",
    "decoder.layers.{}.mlp.down.weight": "decoder.layers_{}.mlp.wo.kernel",
    "decoder.norm.weight": "decoder.decoder_norm.scale",
    "decoder.head.weight": "decoder.logits_dense.kernel",
}

# Kept as (in, out) and as (heads, buckets), the other way round than here.
TRANSPOSED = ("kernel", "rel_embedding")


def is_transposed(name: str) -> bool:
    """Whether T5X keeps the array of that (T5X) name the other way round."""
    return name.rpartition(".")[2] in TRANSPOSED
