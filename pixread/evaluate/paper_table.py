"""The paper's table with our figures beside it: every task and size that there are data and a checkpoint for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixread.evaluate.published_scores import OTHER_SYSTEMS
from pixread.evaluate.run import Load, evaluate
from pixread.evaluate.shard_sets import find_shard_sets
from pixread.evaluate.stats.summary import metric_label
from pixread.files import claimed, json_text, plain_errors, write_text
from pixread.shards import ShardSet
from pixread.tasks import TASKS, Task

if TYPE_CHECKING:
    from rich.table import Table

SIZES = ("base", "large")
NOTHING = "-"
SHORT = {"exact_match": "EM", "relaxed_accuracy": "RA", "group_accuracy": "groups"}
NOTE = (
    "Ours are of the split and the number of examples in their row; the others are as published, of the whole official "
    "test splits."
)

TableProgress = Callable[[str, int, int, float | None], None]


def evaluate_all(
    data: str | Path,
    models: str | Path,
    *,
    out: str | Path,
    load: Load | None = None,
    split: str | None = None,
    limit: int | None = None,
    batch_size: int = 8,
    progress: TableProgress | None = None,
) -> dict[str, Any]:
    """Evaluates MODELS/<task>-<size> on DATA/<task> wherever both are there, each into OUT/<task>-<size>.

    What is finished there already, of the same checkpoint and examples, is used again, and what was interrupted goes
    on. The models are checkpoints or training runs. split: default the test split, or
    validation where the answers of the test split are not public. progress: as that of `evaluate`, after a name.

    Returns, and writes to OUT as table.json and table.md, one row a task; under `missing`, a sentence for what was not
    there or could not be evaluated. ValueError, in one sentence, when `data` or `models` is no folder.
    """
    data, models, out = Path(data), Path(models), Path(out)
    for folder in (data, models):
        if not folder.is_dir():
            raise ValueError(f"{folder} is not a folder")
    rows: list[dict[str, Any]] = []
    missing: list[str] = []
    with claimed(out):
        for task in (task for task in TASKS.values() if task.published):
            row: dict[str, Any] = {
                "task": task.name,
                "title": task.title,
                "metric": task.metric,
                "ours": {},
                "published": dict(task.published),
                "others": {name: scores[task.name] for name, scores in OTHER_SYSTEMS.items() if task.name in scores},
            }
            rows.append(row)
            try:
                row["split"] = _split(data / task.name, split)
            except ValueError as error:
                missing.append(f"{task.name}: {error}")
                continue
            for size in SIZES:
                name = f"{task.name}-{size}"
                try:
                    row["ours"][size] = _evaluated(
                        data / task.name,
                        _existing(models / name),
                        out=out / name,
                        task=task,
                        split=row["split"],
                        limit=limit,
                        batch_size=batch_size,
                        load=load,
                        progress=None if progress is None else _named(progress, name),
                    )
                except ValueError as error:
                    missing.append(f"{name}: {error}")
        table = {"note": NOTE, "rows": rows, "missing": missing}
        _write(out, table)
    return table


def _split(folder: Path, split: str | None) -> str:
    """The split to be evaluated of a prepared folder."""
    _existing(folder)
    if split is not None:
        find_shard_sets(folder, split)  # or say what there is
        return split
    names = [name for name in ("test", "val") if _has_truth(folder, name)]
    if not names:
        raise ValueError(f"{folder} has no test or val split with answers")
    return names[0]


def _has_truth(folder: Path, split: str) -> bool:
    try:
        examples = ShardSet(find_shard_sets(folder, split))
    except ValueError:
        return False
    return len(examples) > 0 and not examples[0].meta.get("hidden")


def _existing(folder: Path) -> Path:
    if not folder.exists():
        raise ValueError(f"there is no {folder}")
    return folder


def _evaluated(folder: Path, model: Path, *, task: Task, **settings: Any) -> dict[str, Any]:
    """The cell of one checkpoint, scores in percent."""
    metrics = evaluate(folder, model=model, task=task.name, resume=True, **settings)
    if not metrics["examples"]:
        raise ValueError(f"none of the {metrics['read'] + metrics['skipped']} examples could be scored")
    return {
        "score": round(100 * metrics["scores"][metrics["main"]], 2),
        "interval": [round(100 * end, 2) for end in metrics["interval"]],
        "examples": metrics["examples"],
        "model": metrics["about"]["model"],
    }


def _named(progress: TableProgress, name: str) -> Callable[[int, int, float | None], None]:
    return lambda done, total, score: progress(name, done, total, score)


def _write(out: Path, table: Mapping[str, Any]) -> None:
    texts = {"table.json": json_text(table, indent=1) + "\n", "table.md": as_markdown(table)}
    with plain_errors(out):
        for name, text in texts.items():
            write_text(out / name, text, errors="replace")


def _head() -> list[str]:
    sizes = [name for size in SIZES for name in (f"ours, {size}", f"paper, {size}")]
    return ["task", "metric", "split", "examples", *sizes, *OTHER_SYSTEMS]


def _cells(row: Mapping[str, Any], *, with_interval: bool) -> list[str]:
    """One row of the table as text."""
    ours = row["ours"]
    counts = sorted({cell["examples"] for cell in ours.values()})
    cells = [row["title"], metric_label(row["metric"]), row["split"] if ours else NOTHING]
    cells.append(", ".join(map(str, counts)) or NOTHING)
    for size in SIZES:
        cells += [_cell(ours.get(size), with_interval=with_interval), _figure(row["published"].get(size))]
    return cells + [_figure(row["others"].get(name)) for name in OTHER_SYSTEMS]


def _cell(cell: Mapping[str, Any] | None, *, with_interval: bool) -> str:
    if cell is None:
        return NOTHING
    low, high = cell["interval"]
    return f"{cell['score']:.1f}{f' ({low:.1f} to {high:.1f})' if with_interval else ''}"


def _figure(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.1f}"


def as_markdown(table: Mapping[str, Any]) -> str:
    """The table as Markdown, with 95 % intervals."""
    lines = [_head(), ["---", "---", "---", *["---:"] * (len(_head()) - 3)]]
    lines += [_cells(row, with_interval=True) for row in table["rows"]]
    body = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    missing = "".join(f"- {sentence}\n" for sentence in table["missing"])
    return f"{body}\n\n{table['note']}\n" + (f"\nNot evaluated:\n\n{missing}" if missing else "")


def paper_table(table: Mapping[str, Any]) -> Table:
    """The table for a terminal: as much of it as fits eighty columns."""
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, caption=table["note"], caption_justify="left")
    kept = [at for at, name in enumerate(_head()) if name != "examples"]
    for at in kept:
        name = _head()[at]
        style = "bold" if name.startswith("ours") else ""
        shown.add_column(name.replace(", ", "\n"), justify="left" if at < 3 else "right", style=style, no_wrap=at > 0)
    for row in table["rows"]:
        cells = _cells(row | {"metric": SHORT.get(row["metric"], row["metric"])}, with_interval=False)
        shown.add_row(*(cells[at] for at in kept))
    return shown
