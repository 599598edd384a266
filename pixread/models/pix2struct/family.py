"""Pix2Struct as a family."""

from __future__ import annotations

from pixread.models.family import Family
from pixread.models.pix2struct import config_file
from pixread.models.pix2struct.model import Pix2Struct
from pixread.models.pix2struct.weights import MODEL_TYPE, TENSORS, TIED

PIX2STRUCT = Family(model_type=MODEL_TYPE, config=config_file, build=Pix2Struct, tensors=TENSORS, tied=TIED)
