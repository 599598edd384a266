"""`pixread push`: a checkpoint to the Hugging Face Hub."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from pixread.cli.terminal import result, say
from pixread.textfiles import read_text

SCORES = "metrics.json"
RECIPE = "train.json"


def push(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Checkpoint folder, or training run for its best.")],
    repository: Annotated[str, typer.Argument(metavar="REPO", help="user/name on the Hugging Face Hub.")],
    private: Annotated[bool, typer.Option("--private", help="Make a new repository private.")] = False,
    message: Annotated[str, typer.Option(help="What the commit says.")] = "Upload a checkpoint with pixread",
    revision: Annotated[str | None, typer.Option(metavar="BRANCH", help="Push to this branch, else to main.")] = None,
    scores: Annotated[
        Path | None, typer.Option(metavar="FILE", help="metrics.json of an evaluation, for the model card.")
    ] = None,
    licence: Annotated[
        str, typer.Option("--license", metavar="ID", help="Licence of the weights, for the model card.")
    ] = "apache-2.0",
) -> None:
    """Send a checkpoint to the Hugging Face Hub, with a model card unless it has its own README.md."""
    from pixread.checkpoints import hub
    from pixread.checkpoints.card import CardFacts, make_card
    from pixread.checkpoints.folder import load
    from pixread.checkpoints.resolve import resolve
    from pixread.models.pix2struct.image_processor import ImageProcessor

    # A name that is no folder here is not looked for on the Hub: there is nothing to push.
    source = resolve(folder) if Path(folder).is_dir() else Path(folder)
    loaded = load(source, dtype=None)  # whole and sound, or there is nothing to push
    loaded.processor()  # what cannot read is of no use to others
    settings = ImageProcessor.load(source)
    facts = CardFacts(
        license=licence,
        parameters=sum(weight.numel() for weight in loaded.model.parameters()),
        is_vqa=settings.is_vqa,
        max_patches=settings.max_patches,
        scores=_scores(source) if scores is None else _read(scores),
        training=_training(source),
    )
    say(f"pushing {source} to {repository}")
    card = make_card(repository, facts)
    result(hub.push(source, repository, card=card, private=private, message=message, revision=revision))


def _scores(source: Path) -> dict[str, Any]:
    """The metrics.json beside a checkpoint or its run, if it is of this checkpoint."""
    own = {source.resolve(), source.resolve().parent}
    for path in (source / SCORES, source.parent / SCORES):
        if path.is_file():
            metrics = _read(path)
            if Path(str(metrics.get("about", {}).get("model"))).resolve() in own:
                return metrics
    return {}


def _training(source: Path) -> str:
    """The command of the run that a checkpoint lies in, from the recipe that the run wrote down; else ""."""
    path = next((path for path in (source / RECIPE, source.parent / RECIPE) if path.is_file()), None)
    if path is None:
        return ""
    from dataclasses import asdict

    from pixread.train.recipes import RECIPES, Recipe

    started = _read(path)
    name = str(started.pop("name", ""))
    usual = asdict(RECIPES[name]() if name in RECIPES else Recipe())
    changes = {key: value for key, value in started.items() if usual.get(key) != value}
    words = [
        "pixread",
        "train",
        name,
        *(word for key, value in changes.items() for word in ("--set", f"{key}={value}")),
    ]
    data = [] if started.get("warmup_share") == 1.0 else ["--data", "SHARDS"]
    return shlex.join([*words, *data, "--out", "RUN"])


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_text(path))
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} must hold a JSON object, got {type(content).__name__}")
    return content
