"""The examples of shards that a model gets wrong, as a shard set of their own, to be learnt again (issue 6).

A model is told each example's target token by token, which takes one pass, and must find every token the likeliest. An
example of which it finds next to none is kept back: nobody could read it, or its target is not what the picture shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from pixread.files import claimed
from pixread.inputs.batch import collate
from pixread.inputs.header import QuestionError
from pixread.inputs.picture import PictureError, open_picture
from pixread.inputs.tokenizer import EOS, PAD
from pixread.reader import Reader
from pixread.records import Patches
from pixread.shards import ShardSet, check_replaceable, sets_in, write_shards
from pixread.train.start import check_ends

HOPELESS = 0.5  # share of tokens found wrong from which the target is doubted
WINDOW = 2048  # examples that are sorted by size, so that little is padded

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Mined:
    """How many examples were looked at, kept because they were wrong, and left out as hopeless or unusable."""

    seen: int
    kept: int
    hopeless: int
    unusable: int


@dataclass(frozen=True, slots=True)
class _Case:
    """An example as numbers. number: its place in the shards."""

    number: int
    patches: Patches
    ids: list[int]


def mine(
    reader: Reader,
    data: str | Path | Iterable[str | Path],
    out: str | Path,
    *,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> Mined:
    """Writes the examples of shard sets, or folders of them, that a model gets wrong as the shard set `out`, in order.

    Of several targets the first counts. `out` is written at the end, complete or not at all. Raises ValueError where
    there is nothing to look at, for a model that could not be trained on it (`check_ends`), and where `out` holds
    anything but a shard set or another run is writing to it.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    check_ends(reader.checkpoint, name=reader.name)
    out, sets = Path(out), sets_in(data)
    check_replaceable(out)
    with claimed(out):
        return _mine(reader, sets, out, batch_size=batch_size, progress=progress)


def _mine(reader: Reader, sets: Sequence[Path], out: Path, *, batch_size: int, progress: Progress | None) -> Mined:
    shards = ShardSet(sets)
    if not len(shards):
        raise ValueError(f"there are no examples in {', '.join(map(str, sets))}")
    kept: list[int] = []
    hopeless = unusable = 0
    for start in range(0, len(shards), WINDOW):
        numbers = range(start, min(start + WINDOW, len(shards)))
        cases = sorted(_cases(shards, numbers, reader), key=lambda case: len(case.patches) + len(case.ids))
        unusable += len(numbers) - len(cases)
        for first in range(0, len(cases), batch_size):
            part = cases[first : first + batch_size]
            shares = _wrong_shares(reader, part)
            kept += [case.number for case, share in zip(part, shares, strict=True) if 0 < share < HOPELESS]
            hopeless += sum(share >= HOPELESS for share in shares)
        if progress is not None:
            progress(numbers.stop, len(shards), f"{len(kept)} wrong")
    about = {"mined_from": [str(path) for path in sets], "mined_with": reader.name}
    write_shards((shards[number] for number in sorted(kept)), out, seed=0, about=about)
    return Mined(len(shards), len(kept), hopeless, unusable)


def _cases(shards: ShardSet, numbers: Sequence[int], reader: Reader) -> Iterator[_Case]:
    """Those examples that can be opened, and that the model has places for."""
    limit = reader.checkpoint.model.config.max_positions
    for number in numbers:
        example = shards[number]
        try:
            image = open_picture(example.image, name=example.id)
            patches = reader.preprocess.patches(image, question=example.prompt, boxes=example.boxes)
        except (PictureError, QuestionError):
            continue
        if max(int(patches.rows.max()), int(patches.cols.max())) < limit:
            yield _Case(number, patches, [*reader.tokenizer.encode(example.targets[0]), EOS])


@torch.inference_mode()
def _wrong_shares(reader: Reader, cases: Sequence[_Case]) -> list[float]:
    """Of each target, the share of tokens that are not the likeliest after those before them."""
    model = reader.checkpoint.model
    batch = collate([case.patches for case in cases], [case.ids for case in cases])
    batch = batch.to(next(model.parameters()).device)
    assert batch.labels is not None, "labels were given"
    told = torch.nn.functional.pad(batch.labels[:, :-1], (1, 0), value=PAD)  # (B, T): the start, then the target
    found = model.decode(told, model.encode(batch)).argmax(dim=-1)
    counted = batch.labels != PAD
    wrong = ((found != batch.labels) & counted).sum(dim=1) / counted.sum(dim=1)
    return [float(share) for share in wrong]
