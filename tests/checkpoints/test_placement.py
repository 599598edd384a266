import pytest
import torch

from pixread.checkpoints.placement import find_device, find_dtype

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("float32", torch.float32),
        ("torch.bfloat16", torch.bfloat16),
        ("float", torch.float32),
        ("half", torch.float16),
        (torch.float16, torch.float16),
        ("auto", torch.float32),
    ],
)
def test_a_dtype_has_the_names_that_torch_gives_it(name: str | torch.dtype, dtype: torch.dtype):
    assert find_dtype(name, CPU) is dtype


@pytest.mark.parametrize("name", ["int8", "torch.float64", "nn", "", torch.int8])
def test_other_dtypes_are_refused(name: str | torch.dtype):
    with pytest.raises(ValueError, match=r"^dtype must be auto, float32, bfloat16, float16 or int8, got "):
        find_dtype(name, CPU)


def test_a_device_is_one_that_is_there():
    assert find_device("cpu") == find_device(CPU) == CPU
    assert find_device("auto").type in {"cpu", "cuda"}
    with pytest.raises(ValueError, match=r"^the device 'abacus' cannot be used: [^\n]+$"):
        find_device("abacus")
