"""pixread.train.divergence: numbers that are none end a run."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pixread.train.divergence import check_loss, check_weights


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_ends_a_run(loss):
    check_loss(1.5, step=1)
    with pytest.raises(ValueError, match=f"the loss of step 7 is {loss}: the model has diverged"):
        check_loss(loss, step=7)


def test_weights_that_are_no_numbers_are_named():
    last = nn.Linear(2, 2)
    model = nn.Sequential(nn.Linear(2, 2), last)
    check_weights(model, step=1)
    with torch.no_grad():
        last.bias[0] = float("inf")
    with pytest.raises(ValueError, match=r"1\.bias holds NaN or infinity after step 3"):
        check_weights(model, step=3)
