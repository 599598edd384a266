from torch import nn

from pixread.nn.linear import replace_linears


def test_named_layers_stay():
    inner = nn.ModuleDict({"a": nn.Linear(2, 2), "c": nn.Linear(2, 2)})
    outer = nn.ModuleDict({"a": nn.Linear(2, 2), "b": inner})
    replace_linears(outer, lambda layer: nn.Identity(), but=("a",))
    assert [type(part).__name__ for part in (outer["a"], inner["a"], inner["c"])] == ["Linear", "Linear", "Identity"]
