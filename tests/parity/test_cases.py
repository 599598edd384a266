"""Runs the parity table, and shows that each kind of comparison catches a network that is a little different."""

from __future__ import annotations

import pytest
import torch
from PIL import Image
from torch import Tensor

from pixread.images.header import add_header
from pixread.models.pix2struct.model import Pix2Struct
from pixread.models.pix2struct.patches import to_patches
from tests.parity.case import Case
from tests.parity.cases import CASES
from tests.parity.configs import random_model
from tests.parity.networks import gradient_differences, logits_difference, loss_difference, training_batch
from tests.parity.outputs import LENGTHS, SEARCHES, batch_of, beam_difference, greedy_difference
from tests.parity.pictures import header_difference, noise, patches_difference
from tests.parity.table import DOCUMENT, table
from tests.parity.theirs import their_model


def _slow(case: Case) -> list[pytest.MarkDecorator]:
    return [pytest.mark.slow] if case.slow else []


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name, marks=_slow(case)) for case in CASES])
def test_pixread_and_transformers_agree(case: Case):
    assert case.measure() <= case.limit


def test_no_two_rows_of_the_table_have_one_name():
    assert len({case.name for case in CASES}) == len(CASES)


def test_the_documented_table_has_the_rows_of_the_suite():
    rows = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    made = table(CASES, lambda case: 0.0).splitlines()

    assert [_without_measured(row) for row in rows] == [_without_measured(row) for row in made]


def _without_measured(row: str) -> list[str]:
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    return [*cells[:2], *cells[3:]]


def pair_with_a_difference(name: str, place: int, factor: float) -> tuple[Pix2Struct, object]:
    """Both networks from one seed, but one number of one weight of ours is another."""
    theirs = their_model(random_model("tiny"))
    ours = random_model("tiny")
    with torch.no_grad():
        weight: Tensor = ours.get_parameter(name).view(-1)
        weight[place] *= factor
    return ours, theirs


@pytest.mark.parametrize(
    "name",
    [
        "encoder.layers.2.mlp.gate.weight",
        "encoder.row_embedding.weight",
        "decoder.relative_bias.table.weight",
        "decoder.layers.1.cross_attention.query.weight",
        "decoder.head.weight",
    ],
)
def test_one_wrong_number_is_caught(name: str):
    ours, theirs = pair_with_a_difference(name, 33, -3.0)  # 33: in the second row, of which there is use
    batch = training_batch("tiny")

    assert logits_difference(ours, theirs, batch) > 1e-4
    assert loss_difference(ours, theirs, batch) > 1e-5
    assert max(gradient_differences(ours, theirs, batch).values()) > 1e-4


def test_other_outputs_are_caught():
    ours, theirs = pair_with_a_difference("decoder.norm.weight", 3, -2.0)
    batch = batch_of("tiny", seed=0)

    assert greedy_difference(ours, theirs, batch, LENGTHS) > 0
    count, worst = beam_difference(ours, theirs, batch, 3, SEARCHES[:2])
    assert count > 0
    assert worst > 1e-4


def test_other_beam_settings_are_caught():
    """The searches of the table are told apart by what they find."""
    ours = random_model("tiny")
    theirs, batch = their_model(ours), batch_of("tiny", seed=0)
    generate = theirs.generate

    for wrong in ({"length_penalty": 0.0}, {"early_stopping": True}, {"num_beams": 5}):
        theirs.generate = lambda wrong=wrong, **options: generate(**{**options, **wrong})
        assert beam_difference(ours, theirs, batch, 3, [(2.0, "never", LENGTHS[1])])[0] > 0


def test_other_pictures_are_caught(monkeypatch: pytest.MonkeyPatch):
    image = noise(90, 60, seed=0)
    moved = image.transform(image.size, Image.Transform.AFFINE, (1, 0, 1, 0, 1, 0))  # one pixel to the left
    monkeypatch.setattr("tests.parity.pictures.to_patches", lambda _, **options: to_patches(moved, **options))
    monkeypatch.setattr("tests.parity.pictures.add_header", lambda _, text: add_header(moved, text))

    assert (patches_difference(image, max_patches=50) or 0) > 1e-5
    assert header_difference("What is this?", image) > 0
