"""The settings that released checkpoints come with on the Hub, stale and missing fields included.

Modelled on google/pix2struct-docvqa-base; the others, MatCha and DePlot among them, differ in size and dropout.
"""

from typing import Any

# What every T5-like config of transformers 4 was saved with, whether the model knows it or not.
GENERIC: dict[str, Any] = {
    "_name_or_path": "",
    "add_cross_attention": False,
    "architectures": None,
    "bad_words_ids": None,
    "begin_suppress_tokens": None,
    "bos_token_id": None,
    "chunk_size_feed_forward": 0,
    "cross_attention_hidden_size": None,
    "diversity_penalty": 0.0,
    "do_sample": False,
    "early_stopping": False,
    "encoder_no_repeat_ngram_size": 0,
    "finetuning_task": None,
    "forced_bos_token_id": None,
    "forced_eos_token_id": None,
    "id2label": {"0": "LABEL_0", "1": "LABEL_1"},
    "is_encoder_decoder": False,
    "label2id": {"LABEL_0": 0, "LABEL_1": 1},
    "length_penalty": 1.0,
    "max_length": 20,
    "min_length": 0,
    "no_repeat_ngram_size": 0,
    "num_beam_groups": 1,
    "num_beams": 1,
    "num_return_sequences": 1,
    "output_attentions": False,
    "output_hidden_states": False,
    "output_scores": False,
    "prefix": None,
    "problem_type": None,
    "pruned_heads": {},
    "remove_invalid_values": False,
    "repetition_penalty": 1.0,
    "return_dict": True,
    "return_dict_in_generate": False,
    "sep_token_id": None,
    "suppress_tokens": None,
    "task_specific_params": None,
    "temperature": 1.0,
    "tf_legacy_loss": False,
    "tie_encoder_decoder": False,
    "tokenizer_class": None,
    "top_k": 50,
    "top_p": 1.0,
    "torch_dtype": None,
    "torchscript": False,
    "transformers_version": "4.28.0.dev0",
    "typical_p": 1.0,
    "use_bfloat16": False,
}


def config(*, large: bool = False, dropout: tuple[float, float] = (0.1, 0.0)) -> dict[str, Any]:
    """config.json of a released checkpoint; `dropout` of the text and of the vision tower vary from one to another."""
    hidden, d_ff, layers, heads = (1536, 3968, 18, 24) if large else (768, 2048, 12, 12)
    text = {
        **GENERIC,
        "d_ff": d_ff,
        "d_kv": 64,
        "decoder_start_token_id": 0,
        "dense_act_fn": "gelu_new",
        "dropout_rate": dropout[0],
        "encoder_hidden_size": 768,
        "eos_token_id": 1,
        "hidden_size": hidden,
        "initializer_factor": 1.0,
        "is_decoder": True,
        "layer_norm_epsilon": 1e-06,
        "model_type": "pix2struct_text_model",
        "num_heads": heads,
        "num_layers": layers,
        "pad_token_id": 0,
        "relative_attention_max_distance": 128,
        "relative_attention_num_buckets": 32,
        "tie_word_embeddings": False,
        "use_cache": False,
        "vocab_size": 50244,
    }
    vision = {
        **GENERIC,
        "attention_dropout": dropout[1],
        "d_ff": d_ff,
        "d_kv": 64,
        "decoder_start_token_id": None,
        "dense_act_fn": "gelu_new",
        "dropout_rate": dropout[1],
        "eos_token_id": None,
        "hidden_dropout_prob": 0.0,
        "hidden_size": hidden,
        "initializer_factor": 1.0,
        "initializer_range": 1e-10,
        "intermediate_size": d_ff,
        "is_decoder": False,
        "layer_norm_bias": False,
        "layer_norm_eps": 1e-06,
        "model_type": "pix2struct_vision_model",
        "num_attention_heads": heads,
        "num_channels": 3,
        "num_hidden_layers": layers,
        "pad_token_id": None,
        "patch_embed_hidden_size": 768,
        "patch_size": 16,
        "projection_dim": 768,
        "relative_attention_max_distance": 128,
        "relative_attention_num_buckets": 32,
        "seq_len": 4096,
        "tie_word_embeddings": True,
        "use_cache": False,
    }
    return {
        "_commit_hash": None,
        "architectures": ["Pix2StructForConditionalGeneration"],
        "decoder_start_token_id": 0,
        "eos_token_id": 1,
        "initializer_factor": 1.0,
        "initializer_range": 0.02,
        "is_encoder_decoder": True,
        "is_vqa": False,  # of question answering checkpoints too
        "model_type": "pix2struct",
        "pad_token_id": 0,
        "text_config": text,
        "tie_word_embeddings": False,
        "torch_dtype": "float32",
        "transformers_version": None,
        "vision_config": vision,
    }


def preprocessor(*, is_vqa: bool = True, max_patches: int = 2048) -> dict[str, Any]:
    """preprocessor_config.json; that of widget-captioning, which takes no questions, says is_vqa true as well."""
    return {
        "do_convert_rgb": True,
        "do_normalize": True,
        "image_processor_type": "Pix2StructImageProcessor",
        "is_vqa": is_vqa,
        "max_patches": max_patches,
        "patch_size": {"height": 16, "width": 16},
        "processor_class": "Pix2StructProcessor",
    }


def shrunk(raw: dict[str, Any], *, vocab_size: int) -> dict[str, Any]:
    """The same config, stale fields and all, of a model that a test can hold."""
    small = {"hidden_size": 16, "d_ff": 24, "d_kv": 8}
    text = {**raw["text_config"], **small, "num_heads": 2, "num_layers": 1, "vocab_size": vocab_size}
    vision = {**raw["vision_config"], **small, "num_attention_heads": 2, "num_hidden_layers": 1, "seq_len": 256}
    return {**raw, "text_config": text, "vision_config": vision}
