"""What is measured side by side. A further variant is one entry in VARIANTS.

An entry names a class that loads a checkpoint folder and runs it (the methods of `tasks.Subject`: `ours.py` and
`theirs.py` have the two there are), the keywords it is loaded with, and what its numbers are stored in, from which the
floor follows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Literal

OURS = "pixread.bench.ours:Ours"
THEIRS = "pixread.bench.theirs:Theirs"
OUR_TRAINER = "pixread.bench.our_training:OurTraining"
THEIR_TRAINER = "pixread.bench.their_training:TheirTraining"
MISSING = "transformers is not installed, so there is nothing to compare with; pip install 'pixread[bench]' installs it"

Bench = Literal["generate", "encode", "train"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One column of a table.

    side: ours; default, transformers as it comes; or peer, transformers told to do better. dtype: what it computes in,
    and the name by which `--dtypes` chooses it. weights: what the decoder's are stored in; cache: what the keys and
    values are; encoder: what the encoder computes in (default of all: dtype); norm_fed: what its products of norms do
    (default: as the others). devices: where it runs. reference: its ids, logits and loss are what others are compared
    with.
    """

    name: str
    benches: tuple[Bench, ...]
    side: Literal["ours", "default", "peer"]
    subject: str
    dtype: str
    weights: str | None = None
    cache: str | None = None
    encoder: str | None = None
    norm_fed: str | None = None
    devices: tuple[str, ...] = ("cpu", "cuda")
    options: Mapping[str, Any] = field(default_factory=dict)
    reference: bool = False

    @property
    def stored(self) -> str:
        """The dtype of the decoder's weights."""
        return self.weights or self.dtype


VARIANTS = (
    Variant(
        name="pixread auto",
        benches=("generate", "encode"),
        side="ours",
        subject=OURS,
        dtype="auto",
        weights="float32",
        cache="bfloat16",
        encoder="bfloat16",
        devices=("cpu",),
        options={"dtype": "auto"},
    ),
    Variant(
        name="pixread float32",
        benches=("generate", "encode"),
        side="ours",
        subject=OURS,
        dtype="float32",
        options={"dtype": "float32"},
    ),
    Variant(
        name="pixread bfloat16",
        benches=("generate", "encode"),
        side="ours",
        subject=OURS,
        dtype="bfloat16",
        options={"dtype": "bfloat16"},
    ),
    Variant(
        name="pixread int8",
        benches=("generate", "encode"),
        side="ours",
        subject=OURS,
        dtype="int8",
        cache="bfloat16",
        encoder="bfloat16",
        norm_fed="int8",
        devices=("cpu",),
        options={"dtype": "int8"},
    ),
    Variant(
        name="transformers as it comes",
        benches=("generate",),
        side="default",
        subject=THEIRS,
        dtype="float32",
        options={"use_cache": False},  # released checkpoints say so in their config.json
    ),
    Variant(
        name="transformers as it comes",
        benches=("encode",),
        side="default",
        subject=THEIRS,
        dtype="float32",
        options={"cross_keys": True},
    ),
    Variant(
        name="transformers float32, cached",
        benches=("generate",),
        side="peer",
        subject=THEIRS,
        dtype="float32",
        options={"dtype": "float32", "attention": "sdpa", "use_cache": True},
        reference=True,
    ),
    Variant(
        name="transformers bfloat16, cached",
        benches=("generate",),
        side="peer",
        subject=THEIRS,
        dtype="bfloat16",
        options={"dtype": "bfloat16", "attention": "sdpa", "use_cache": True},
    ),
    Variant(
        name="transformers bfloat16",
        benches=("encode",),
        side="peer",
        subject=THEIRS,
        dtype="bfloat16",
        options={"dtype": "bfloat16", "attention": "sdpa", "cross_keys": True},
    ),
    Variant(
        name="pixread float32",
        benches=("train",),
        side="ours",
        subject=OUR_TRAINER,
        dtype="float32",
        options={"precision": "float32"},
    ),
    Variant(
        name="pixread bfloat16",
        benches=("train",),
        side="ours",
        subject=OUR_TRAINER,
        dtype="bfloat16",
        options={"precision": "bfloat16"},
    ),
    Variant(
        name="transformers as it comes",
        benches=("train",),
        side="default",
        subject=THEIR_TRAINER,
        dtype="float32",
        options={"precision": "float32"},
        reference=True,
    ),
    Variant(
        name="transformers bfloat16 (autocast)",
        benches=("train",),
        side="peer",
        subject=THEIR_TRAINER,
        dtype="bfloat16",
        options={"precision": "bfloat16"},
    ),
)


def chosen(bench: Bench, *, dtypes: Sequence[str] | None = None, device: str = "cpu") -> tuple[Variant, ...]:
    """The variants of a bench on a device: ours in `dtypes` (None: all) and, if transformers is installed, all of its.

    ValueError for a dtype that no variant of ours has.
    """
    there = [one for one in VARIANTS if bench in one.benches and device in one.devices]
    known = tuple(dict.fromkeys(one.dtype for one in there if one.side == "ours"))
    for dtype in dtypes or ():
        if dtype not in known:
            raise ValueError(f"the {bench} bench has no variant in {dtype!r}; choose from {', '.join(known)}")
    wanted = known if dtypes is None else dtypes
    peers = has_transformers()
    return tuple(one for one in there if (one.dtype in wanted if one.side == "ours" else peers))


def has_transformers() -> bool:
    return find_spec("transformers") is not None
