"""What `transformers` calls the weights and settings of a Pix2Struct (checked against transformers 5.23)."""

from __future__ import annotations

_CROSS = "decoder.layer.{}.encoder_decoder_attention.attention."

TENSORS = {
    "encoder.patch_projection.weight": "encoder.embeddings.patch_projection.weight",
    "encoder.patch_projection.bias": "encoder.embeddings.patch_projection.bias",
    "encoder.row_embedding.weight": "encoder.embeddings.row_embedder.weight",
    "encoder.col_embedding.weight": "encoder.embeddings.column_embedder.weight",
    "encoder.layers.{}.attention_norm.weight": "encoder.encoder.layer.{}.pre_attention_layer_norm.weight",
    "encoder.layers.{}.attention.query.weight": "encoder.encoder.layer.{}.attention.query.weight",
    "encoder.layers.{}.attention.key.weight": "encoder.encoder.layer.{}.attention.key.weight",
    "encoder.layers.{}.attention.value.weight": "encoder.encoder.layer.{}.attention.value.weight",
    "encoder.layers.{}.attention.output.weight": "encoder.encoder.layer.{}.attention.output.weight",
    "encoder.layers.{}.mlp_norm.weight": "encoder.encoder.layer.{}.pre_mlp_layer_norm.weight",
    "encoder.layers.{}.mlp.gate.weight": "encoder.encoder.layer.{}.mlp.wi_0.weight",
    "encoder.layers.{}.mlp.up.weight": "encoder.encoder.layer.{}.mlp.wi_1.weight",
    "encoder.layers.{}.mlp.down.weight": "encoder.encoder.layer.{}.mlp.wo.weight",
    "encoder.norm.weight": "encoder.layernorm.weight",
    "decoder.token_embedding.weight": "decoder.embed_tokens.weight",
    # One table serves all layers; transformers keeps it in the first.
    "decoder.relative_bias.table.weight": "decoder.layer.0.self_attention.attention.relative_attention_bias.weight",
    "decoder.layers.{}.self_norm.weight": "decoder.layer.{}.self_attention.layer_norm.weight",
    "decoder.layers.{}.self_attention.query.weight": "decoder.layer.{}.self_attention.attention.query.weight",
    "decoder.layers.{}.self_attention.key.weight": "decoder.layer.{}.self_attention.attention.key.weight",
    "decoder.layers.{}.self_attention.value.weight": "decoder.layer.{}.self_attention.attention.value.weight",
    "decoder.layers.{}.self_attention.output.weight": "decoder.layer.{}.self_attention.attention.output.weight",
    "decoder.layers.{}.cross_norm.weight": "decoder.layer.{}.encoder_decoder_attention.layer_norm.weight",
    "decoder.layers.{}.cross_attention.query.weight": _CROSS + "query.weight",
    "decoder.layers.{}.cross_attention.key.weight": _CROSS + "key.weight",
    "decoder.layers.{}.cross_attention.value.weight": _CROSS + "value.weight",
    "decoder.layers.{}.cross_attention.output.weight": _CROSS + "output.weight",
    "decoder.layers.{}.mlp_norm.weight": "decoder.layer.{}.mlp.layer_norm.weight",
    "decoder.layers.{}.mlp.gate.weight": "decoder.layer.{}.mlp.DenseReluDense.wi_0.weight",
    "decoder.layers.{}.mlp.up.weight": "decoder.layer.{}.mlp.DenseReluDense.wi_1.weight",
    "decoder.layers.{}.mlp.down.weight": "decoder.layer.{}.mlp.DenseReluDense.wo.weight",
    "decoder.norm.weight": "decoder.final_layer_norm.weight",
    "decoder.head.weight": "decoder.lm_head.weight",
}

# What tie_word_embeddings makes one of, unless both are stored.
TIED = (TENSORS["decoder.token_embedding.weight"], TENSORS["decoder.head.weight"])


# Our field -> its name in text_config and in vision_config, with the value that transformers assumes where a
# config.json leaves it out (older versions leave out what equals the default).
TEXT_TOWER: dict[str, tuple[str, int | float]] = {
    "layers": ("num_layers", 12),
    "d_ff": ("d_ff", 2048),
    "num_heads": ("num_heads", 12),
    "d_kv": ("d_kv", 64),
    "eps": ("layer_norm_epsilon", 1e-6),
}
TEXT: dict[str, tuple[str, int | float]] = {
    "hidden_size": ("hidden_size", 768),
    "vocab_size": ("vocab_size", 50244),
    "relative_buckets": ("relative_attention_num_buckets", 32),
    "relative_max_distance": ("relative_attention_max_distance", 128),
    "dropout": ("dropout_rate", 0.1),
    "pad": ("pad_token_id", 0),
    "eos": ("eos_token_id", 1),
}
VISION_TOWER: dict[str, tuple[str, int | float]] = {
    "layers": ("num_hidden_layers", 12),
    "d_ff": ("d_ff", 2048),
    "num_heads": ("num_attention_heads", 12),
    "d_kv": ("d_kv", 64),
    "eps": ("layer_norm_eps", 1e-6),
}
VISION: dict[str, tuple[str, int | float]] = {
    "hidden_size": ("hidden_size", 768),
    "patch_dim": ("patch_embed_hidden_size", 768),
    "max_positions": ("seq_len", 4096),
}

# Settings that the architecture leaves no choice about; a config.json that says otherwise is another model.
FIXED_TEXT: dict[str, str | bool] = {"dense_act_fn": "gelu_new", "is_decoder": True}
FIXED_VISION: dict[str, str | bool] = {"dense_act_fn": "gelu_new"}
