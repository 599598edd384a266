"""The steps that a training run left in its folder, and which of them the folder stands for.

RUN/metrics.jsonl            one JSON object a logged step or evaluation
RUN/step-00001000/           a checkpoint folder like any other
RUN/step-00001000.state      what the run goes on with; written before the checkpoint, so a step with both is complete
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

from pixread.checkpoints.layout import CONFIG

SCORE = "score"  # in metrics.jsonl: how well a task's held-out examples were read, the higher the better
METRICS = "metrics.jsonl"
STEP = re.compile(r"step-(\d{8})")


def step_folder(out: Path, step: int) -> Path:
    """Where the checkpoint of a step lies."""
    return out / f"step-{step:08}"


def complete_steps(out: Path) -> set[int]:
    """The steps of a run that have their state and a checkpoint: a folder alone may be one being written."""
    matches = [STEP.fullmatch(entry.name) for entry in out.iterdir()] if out.is_dir() else []
    return {
        int(match[1])
        for match in matches
        if match and (out / match[0] / CONFIG).is_file() and (out / f"{match[0]}.state").is_file()
    }


def last_step(out: Path) -> int | None:
    """The newest complete step below a run's folder, or None."""
    return max(complete_steps(out), default=None)


def best_step(out: Path) -> int | None:
    """The complete step with the highest score, the first of equals; None where none has one."""
    complete = complete_steps(out)
    scores = {
        record["step"]: record[SCORE]
        for record in logged(out / METRICS)
        if record["step"] in complete and _is_finite(record.get(SCORE))
    }
    return max(sorted(scores), key=lambda step: scores[step], default=None)


def chosen_step(out: Path) -> int | None:
    """The step that a run stands for: its best, else its newest; None where it has no complete one."""
    best = best_step(out)
    return last_step(out) if best is None else best


def pin_step(name: str | Path) -> str | Path:
    """The folder of a run as that of the step it stands for now, to be written down; other names as they are."""
    folder = Path(name)
    step = None if (folder / CONFIG).is_file() else chosen_step(folder)
    return name if step is None else step_folder(folder, step)


def logged(path: Path) -> list[dict[str, Any]]:
    """The records of a log that name their step; a line that was cut off, or is just being written, is left out."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return [record for record in map(_record, lines) if record is not None]


def _record(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and isinstance(record.get("step"), int) else None


def _is_finite(score: object) -> bool:
    return isinstance(score, int | float) and math.isfinite(score)
