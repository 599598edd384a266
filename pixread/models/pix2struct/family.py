"""Pix2Struct as a family."""

from __future__ import annotations

import json
from dataclasses import replace

from pixread.models.family import Family
from pixread.models.pix2struct import config_file
from pixread.models.pix2struct.config import MODEL_TYPE, SIZES, Pix2StructConfig
from pixread.models.pix2struct.image_processor import FILE, ImageProcessor
from pixread.models.pix2struct.model import Pix2Struct
from pixread.models.pix2struct.processor import Pix2StructProcessor
from pixread.models.pix2struct.weights import TENSORS, TIED
from pixread.tokenizers.tokenizer import EOS, PAD, Tokenizer


def _new_processor(tokenizer: Tokenizer, config: Pix2StructConfig) -> Pix2StructProcessor:
    return Pix2StructProcessor(tokenizer, ImageProcessor(), config.max_positions)


def _training_config(config: Pix2StructConfig, *, dropout: float) -> Pix2StructConfig:
    return replace(config, dropout=dropout, pad=PAD, eos=EOS)


PIX2STRUCT = Family(
    model_type=MODEL_TYPE,
    config=config_file,
    build=Pix2Struct,
    tensors=TENSORS,
    tied=TIED,
    load_processor=Pix2StructProcessor.load,
    new_processor=_new_processor,
    sizes=SIZES,
    default_files={FILE: json.dumps(ImageProcessor().to_json(), indent=2).encode()},
    training_config=_training_config,
)
