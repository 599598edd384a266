"""config.json says which family a checkpoint folder is of."""

import json
from pathlib import Path
from typing import Any

import pytest

from pixread.checkpoints.errors import CheckpointError
from pixread.checkpoints.folder import load, save
from pixread.models.pix2struct.config_file import to_json
from pixread.models.registry import FAMILIES, family_of
from tests.models.tiny import TINY, tiny_model


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ([], "must hold a JSON object, got list"),
        ({}, "must say model_type 'pix2struct', got None"),
        ({**to_json(TINY), "model_type": "donut"}, "must say model_type 'pix2struct', got 'donut'"),
        ({**to_json(TINY), "model_type": ["pix2struct"]}, "must say model_type 'pix2struct', got ['pix2struct']"),
    ],
)
def test_a_folder_of_no_family_is_refused(raw: Any, sentence: str, tmp_path: Path) -> None:
    folder = save(tiny_model(), tmp_path / "model")
    config = folder / "config.json"
    config.write_text(json.dumps(raw))

    with pytest.raises(CheckpointError) as caught:
        load(folder)

    assert str(caught.value) == f"{config} {sentence}"


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_every_family_writes_the_name_that_it_is_found_by(family: Any) -> None:
    assert family_of(family.model_type) is family
    assert family.config.to_json(TINY)["model_type"] == family.model_type
    assert set(family.tied) <= set(family.tensors.values())
