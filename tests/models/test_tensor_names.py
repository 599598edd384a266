import pytest

from pixread.models.tensor_names import rename

TABLE = {"layers.{}.a": "block.{}.first", "head": "out"}


def test_names_change_and_layer_numbers_stay():
    assert rename(["layers.0.a", "layers.11.a", "head"], TABLE) == {
        "layers.0.a": "block.0.first",
        "layers.11.a": "block.11.first",
        "head": "out",
    }


def test_leftovers_on_either_side_fail():
    with pytest.raises(AssertionError, match=r"the name map has no entry for layers\.\{\}\.b"):
        rename(["layers.0.b"], TABLE)
    with pytest.raises(AssertionError, match=r"entries without a tensor: \['head'\]"):
        rename(["layers.0.a"], TABLE)
