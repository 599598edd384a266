"""Every kind of example that can be evaluated, by its name."""

from __future__ import annotations

from pixread.evaluate.answered import ANSWERED
from pixread.evaluate.exam import Exam
from pixread.evaluate.rendered import RENDERED

EXAMS: dict[str, Exam] = {**RENDERED, **ANSWERED}


def exam_named(name: str) -> Exam:
    """Raises ValueError, in one sentence that lists the known ones, for an unknown name."""
    if name not in EXAMS:
        raise ValueError(f"unknown evaluation task {name!r}; known are {', '.join(EXAMS)}")
    return EXAMS[name]
