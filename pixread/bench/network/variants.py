"""What is measured side by side. A further variant is one entry in VARIANTS.

An entry names a class that loads a checkpoint folder and runs it (the methods of `Subject` in `subject.py`:
`pixread_subject.py` and `transformers_subject.py` have the two there are), the keywords it is loaded with, and what its
numbers are stored in, from which the roofline follows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Literal

PIXREAD_SUBJECT = "pixread.bench.network.pixread_subject:PixreadSubject"
TRANSFORMERS_SUBJECT = "pixread.bench.network.transformers_subject:TransformersSubject"
PIXREAD_TRAINING = "pixread.bench.network.pixread_training:PixreadTraining"
TRANSFORMERS_TRAINING = "pixread.bench.network.transformers_training:TransformersTraining"
MISSING = "transformers is not installed, so there is nothing to compare with; pip install 'pixread[bench]' installs it"

Bench = Literal["generate", "encode", "constrained", "train"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One column of a table."""

    name: str
    benches: tuple[Bench, ...]
    side: Literal["pixread", "default", "peer"]  # default: transformers as it comes; peer: transformers at its best
    subject: str  # "module:class" that loads and runs it
    dtype: str  # what it computes in, and the name by which `--dtypes` chooses it
    weights: str | None = None  # what the decoder's weights are stored in; None: dtype
    cache: str | None = None  # what keys and values are stored in; None: as the weights
    encoder: str | None = None  # what the encoder computes in; None: dtype
    normed_input_dtype: str | None = None  # of the encoder's products whose inputs are norms; None: as the others
    devices: tuple[str, ...] = ("cpu", "cuda")
    options: Mapping[str, Any] = field(default_factory=dict)  # keywords of the subject
    reference: bool = False  # its ids, logits and loss are what the others are compared with

    @property
    def stored(self) -> str:
        """The dtype of the decoder's weights."""
        return self.weights or self.dtype


VARIANTS = (
    Variant(
        name="pixread auto",
        benches=("generate", "encode", "constrained"),
        side="pixread",
        subject=PIXREAD_SUBJECT,
        dtype="auto",
        weights="float32",
        cache="bfloat16",
        encoder="bfloat16",
        devices=("cpu",),
        options={"dtype": "auto"},
    ),
    Variant(
        name="pixread float32",
        benches=("generate", "encode", "constrained"),
        side="pixread",
        subject=PIXREAD_SUBJECT,
        dtype="float32",
        options={"dtype": "float32"},
    ),
    Variant(
        name="pixread bfloat16",
        benches=("generate", "encode", "constrained"),
        side="pixread",
        subject=PIXREAD_SUBJECT,
        dtype="bfloat16",
        options={"dtype": "bfloat16"},
    ),
    Variant(
        name="pixread int8",
        benches=("generate", "encode", "constrained"),
        side="pixread",
        subject=PIXREAD_SUBJECT,
        dtype="int8",
        cache="bfloat16",
        encoder="bfloat16",
        normed_input_dtype="int8",
        devices=("cpu",),
        options={"dtype": "int8"},
    ),
    Variant(
        name="transformers as it comes",
        benches=("generate",),
        side="default",
        subject=TRANSFORMERS_SUBJECT,
        dtype="float32",
        options={"use_cache": False},  # released checkpoints say so in their config.json
    ),
    Variant(
        name="transformers as it comes",
        benches=("encode",),
        side="default",
        subject=TRANSFORMERS_SUBJECT,
        dtype="float32",
        options={"cross_keys": True},
    ),
    Variant(
        name="transformers float32, cached",
        benches=("generate",),
        side="peer",
        subject=TRANSFORMERS_SUBJECT,
        dtype="float32",
        options={"dtype": "float32", "attention": "sdpa", "use_cache": True},
        reference=True,
    ),
    Variant(
        name="transformers bfloat16, cached",
        benches=("generate",),
        side="peer",
        subject=TRANSFORMERS_SUBJECT,
        dtype="bfloat16",
        options={"dtype": "bfloat16", "attention": "sdpa", "use_cache": True},
    ),
    Variant(
        name="transformers bfloat16",
        benches=("encode",),
        side="peer",
        subject=TRANSFORMERS_SUBJECT,
        dtype="bfloat16",
        options={"dtype": "bfloat16", "attention": "sdpa", "cross_keys": True},
    ),
    Variant(
        name="pixread float32",
        benches=("train",),
        side="pixread",
        subject=PIXREAD_TRAINING,
        dtype="float32",
        options={"precision": "float32"},
    ),
    Variant(
        name="pixread bfloat16",
        benches=("train",),
        side="pixread",
        subject=PIXREAD_TRAINING,
        dtype="bfloat16",
        options={"precision": "bfloat16"},
    ),
    Variant(
        name="transformers as it comes",
        benches=("train",),
        side="default",
        subject=TRANSFORMERS_TRAINING,
        dtype="float32",
        options={"precision": "float32"},
        reference=True,
    ),
    Variant(
        name="transformers bfloat16 (autocast)",
        benches=("train",),
        side="peer",
        subject=TRANSFORMERS_TRAINING,
        dtype="bfloat16",
        options={"precision": "bfloat16"},
    ),
)


def select_variants(bench: Bench, *, dtypes: Sequence[str] | None = None, device: str = "cpu") -> tuple[Variant, ...]:
    """The variants of a bench on a device: pixread in `dtypes` (None: all) and all of transformers, if it is installed.

    ValueError for a dtype that no variant of pixread has.
    """
    available = [variant for variant in VARIANTS if bench in variant.benches and device in variant.devices]
    known_dtypes = tuple(dict.fromkeys(variant.dtype for variant in available if variant.side == "pixread"))
    for dtype in dtypes or ():
        if dtype not in known_dtypes:
            raise ValueError(f"the {bench} bench has no variant in {dtype!r}; choose from {', '.join(known_dtypes)}")
    chosen_dtypes = known_dtypes if dtypes is None else dtypes
    peers = has_transformers()
    return tuple(
        variant for variant in available if (variant.dtype in chosen_dtypes if variant.side == "pixread" else peers)
    )


def has_transformers() -> bool:
    return find_spec("transformers") is not None
