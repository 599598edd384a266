"""Whole-size checkpoints: how much memory the conversion takes, and that `transformers` opens what comes out.

`pytest -m slow --log-cli-level=INFO tests/checkpoints/t5x/test_memory.py` says the figures.
"""

import logging
import resource
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import Pix2StructForConditionalGeneration as TheirModel

from pixread.checkpoints.t5x.names import T5X_NAMES, is_transposed
from pixread.models.pix2struct import weights as pix2struct
from pixread.models.pix2struct.config import SIZES, Pix2StructConfig
from pixread.models.pix2struct.model import Pix2Struct
from pixread.models.tensor_names import rename
from tests.checkpoints.t5x.writing import whole, write_t5x

# The command, and the most memory that it ever held, in kB, as its last words.
MEASURED = """
import atexit, re, sys
from pathlib import Path
from pixread.cli import main
peak = lambda: re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
atexit.register(lambda: sys.stderr.write(f"\\n{peak()}"))
main()
"""


class RandomArrays(Mapping[str, np.ndarray]):
    """Parameters of a configuration as T5X names and turns them, made when asked for and always the same."""

    def __init__(self, config: Pix2StructConfig) -> None:
        with torch.device("meta"):
            state = Pix2Struct(config).state_dict()
        self.sources = rename(state, T5X_NAMES)
        self.num_bytes = sum(tensor.nbytes for tensor in state.values())
        self._shapes = {self.sources[name]: tuple(tensor.shape) for name, tensor in state.items()}

    def __getitem__(self, name: str) -> np.ndarray:
        shape = self._shapes[name][::-1] if is_transposed(name) else self._shapes[name]
        return np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape, dtype=np.float32)

    def __iter__(self) -> Iterator[str]:
        return iter(self._shapes)

    def __len__(self) -> int:
        return len(self._shapes)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("size", ["base", "large"])
def test_conversion_takes_at_most_1_3_times_the_weights(tmp_path: Path, size: str):
    """Each array is one chunk here, which takes more memory than any finer grid."""
    arrays = RandomArrays(SIZES[size])
    source = write_t5x(
        tmp_path / "checkpoint_9000", arrays, grid=whole, metadata={"compressor": {"id": "gzip", "level": 1}}
    )

    start, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", MEASURED, "convert", str(source), str(tmp_path / "out")]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, usage = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)

    peak = int(ended.stderr.splitlines()[-1]) * 1024
    logging.getLogger(__name__).info(
        f"{size}: {arrays.num_bytes / 1e9:.2f} GB of weights, {seconds:.0f} s, of the processor "
        f"{usage.ru_utime + usage.ru_stime - used.ru_utime - used.ru_stime:.0f} s, peak {peak / 1e9:.2f} GB"
    )
    assert peak <= 1.3 * arrays.num_bytes
    theirs = TheirModel.from_pretrained(tmp_path / "out").state_dict()
    named = rename(arrays.sources, pix2struct.TENSORS)
    assert set(theirs) == set(named.values())
    for ours, origin in arrays.sources.items():
        expected = torch.from_numpy(arrays[origin])
        assert torch.equal(theirs[named[ours]], expected.T if is_transposed(origin) else expected), origin
