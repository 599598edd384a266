"""A checkpoint folder, as `transformers` lays it out: strict when read, written aside and renamed last."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pixread.checkpoints import weights
from pixread.checkpoints.errors import CheckpointError
from pixread.checkpoints.generation import ENDS, FOLLOWED, NOT_FOLLOWED, STARTS, without_stale
from pixread.checkpoints.layout import (
    COMPANIONS,
    CONFIG,
    GENERATION,
    PREPROCESSOR,
    PROCESSOR,
    WRITTEN_FILES,
    is_shard,
)
from pixread.checkpoints.resolve import resolve
from pixread.filenames import is_system_file
from pixread.files import WriteError, folder_written_aside, write_bytes
from pixread.models.family import Config, Family, Network, Processor
from pixread.models.registry import family_of
from pixread.models.tensor_names import rename
from pixread.nn.meta_init import meta_init
from pixread.tokenizers import tokenizer
from pixread.tokenizers.sentencepiece import SPIECE_FILE


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model read from `folder`, in evaluation mode, with its generation settings ({} where there are none)."""

    model: Any  # a `Network` of some family
    config: Any  # a `Config`
    generation: dict[str, Any]
    folder: Path

    @property
    def family(self) -> Family:
        return family_of(self.config.model_type)

    def processor(self) -> Processor:
        """What lies beside the weights. CheckpointError, in one sentence, where it is missing or damaged."""
        try:
            processor: Processor = self.family.load_processor(self.folder, self.config)
        except ValueError as error:
            raise CheckpointError(str(error)) from error
        return processor


def load(
    folder: str | Path, *, device: torch.device | str = "cpu", dtype: torch.dtype | None = torch.float32
) -> Checkpoint:
    """Read a checkpoint folder. `dtype` is what the model computes in; None keeps what is stored.

    The weights stay mapped to the file where device and dtype allow it. Raises CheckpointError for anything that is
    missing, surplus, damaged or of another shape than config.json says.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise CheckpointError(f"{folder} is {'a file, not' if folder.exists() else 'not'} a checkpoint folder")
    raw = _read_json(folder / CONFIG)
    family, config, tied = _described(raw, folder / CONFIG)
    generation = _settings(folder, raw, family)
    with meta_init():
        model: Network = family.build(config)
    expected = model.state_dict()
    theirs = rename(expected, family.tensors)
    shapes = {theirs[name]: tensor.shape for name, tensor in expected.items()}
    stored = weights.read(folder, shapes, tied=family.tied if tied else ())
    largest = max(torch.finfo(tensor.dtype).max for tensor in stored.values())
    # Nothing else may hold the weights, so that each makes room as soon as it is converted.
    model.load_state_dict({name: stored.pop(theirs[name]) for name in expected}, strict=True, assign=True)
    model = model.to(device=device, dtype=dtype).eval()
    if dtype is not None and torch.finfo(dtype).max < largest:
        _check_range(model, {name: theirs[name] for name in expected}, dtype=dtype, folder=folder)
    return Checkpoint(model, config, generation, folder)


def _described(raw: object, path: Path) -> tuple[Family, Config, bool]:
    """The family and configuration that a config.json names, and whether embedding and head are one."""
    if not isinstance(raw, dict):
        raise CheckpointError(f"{path} must hold a JSON object, got {type(raw).__name__}")
    try:
        family = family_of(raw.get("model_type"))
    except ValueError as error:
        raise CheckpointError(f"{path} {error}") from error
    try:
        return family, family.config.from_json(raw, path=path), family.config.is_tied(raw, path=path)
    except ValueError as error:
        raise CheckpointError(str(error)) from error


def _settings(folder: Path, config: Mapping[str, Any], family: Family) -> dict[str, Any]:
    """What generation_config.json says, with the ids that it leaves open from config.json; else all from there."""
    if not (folder / GENERATION).exists():
        return family.config.generation(config, (*FOLLOWED, *NOT_FOLLOWED))
    settings = _read_json(folder / GENERATION)
    if not isinstance(settings, dict):
        raise CheckpointError(f"{folder / GENERATION} must hold a JSON object, got {type(settings).__name__}")
    for names in (STARTS, ENDS):
        if all(settings.get(name) is None for name in names):
            settings |= family.config.generation(config, names)
    return settings


def _check_range(model: Network, names: Mapping[str, str], *, dtype: torch.dtype, folder: Path) -> None:
    beyond = [names[name] for name, tensor in model.state_dict().items() if not weights.is_finite(tensor)]
    if beyond:
        kind = str(dtype).removeprefix("torch.")
        raise CheckpointError(f"{folder} holds numbers beyond the range of {kind} in {weights.listed(beyond)}")


def save(
    model: Network,
    folder: str | Path,
    *,
    generation: Mapping[str, Any] | None = None,
    files: Mapping[str, bytes | Path] | None = None,
    dtype: torch.dtype = torch.float32,
    max_shard_bytes: int = weights.MAX_SHARD_BYTES,
) -> Path:
    """Write a checkpoint folder, whole or not at all, replacing an older checkpoint of that name.

    `files` are written beside the weights: file name -> content, or a file to copy (tokenizer, preprocessing).
    `dtype` is what the weights are stored in. Raises CheckpointError when the disk refuses or when `folder` holds
    anything that is not part of a checkpoint.
    """
    state = model.state_dict()
    theirs = rename(state, family_of(model.config.model_type).tensors)
    tensors = {theirs[name]: tensor.detach().to("cpu", dtype) for name, tensor in state.items()}
    return save_tensors(
        tensors, folder, config=model.config, generation=generation, files=files, max_shard_bytes=max_shard_bytes
    )


def save_tensors(
    layout: Mapping[str, Tensor],
    folder: str | Path,
    *,
    config: Config,
    fetch: Callable[[str], Tensor] | None = None,
    generation: Mapping[str, Any] | None = None,
    files: Mapping[str, bytes | Path] | None = None,
    max_shard_bytes: int = weights.MAX_SHARD_BYTES,
) -> Path:
    """`save` for weights under the names of `transformers`, which need not be in memory (see `weights.write`)."""
    folder = Path(folder).resolve()
    files = dict(files or {})
    _check_files(files)
    _check_target(folder, files)
    config_format = family_of(config.model_type).config
    # transformers copies use_cache=False from old configs and then decodes without a cache; say it outright.
    settings = {**config_format.special_ids(config), "use_cache": True, **(generation or {})}
    documents = {CONFIG: config_format.to_json(config), GENERATION: settings}
    try:
        with folder_written_aside(folder) as aside:
            for name, document in documents.items():
                write_bytes(aside / name, (json.dumps(document, indent=2, allow_nan=False) + "\n").encode())
            for name, content in files.items():
                write_bytes(aside / name, content if isinstance(content, bytes) else content.read_bytes())
            weights.write(layout, aside, fetch=fetch, max_shard_bytes=max_shard_bytes)
    except (OSError, WriteError) as error:
        cause = error.__cause__ if isinstance(error, WriteError) else error
        reason = (isinstance(cause, OSError) and cause.strerror) or error
        raise CheckpointError(f"cannot write the checkpoint {folder}: {reason}") from error
    return folder


def rewrite(
    source: str | Path,
    out: str | Path,
    *,
    dtype: torch.dtype = torch.float32,
) -> Path:
    """Write a checkpoint again with its weights stored in another dtype, its companion files as they are.

    `source` is what `resolve` takes. What `transformers` needs and the source lacks is added: tokenizer.json
    beside a lone spiece.model, preprocessor_config.json with the family's usual settings.
    """
    checkpoint = load(resolve(source))
    names = [name for name in COMPANIONS if name not in WRITTEN_FILES and (checkpoint.folder / name).is_file()]
    files: dict[str, bytes | Path] = {name: checkpoint.folder / name for name in names}
    if SPIECE_FILE in files and tokenizer.TOKENIZER_FILE not in files:
        files = {**tokenizer.Tokenizer.load(checkpoint.folder).files(), **files}
    if not {PREPROCESSOR, PROCESSOR} & files.keys():
        files |= checkpoint.family.default_files
    return save(checkpoint.model, out, generation=without_stale(checkpoint.generation), files=files, dtype=dtype)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} is missing") from error
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is not JSON: {error}") from error


def _check_files(files: Mapping[str, bytes | Path]) -> None:
    for name in files:
        if name in {"", ".."} or Path(name).name != name or name in WRITTEN_FILES or is_shard(name):
            raise CheckpointError(f"{name!r} cannot be a further file of a checkpoint; give another plain file name")


def _check_target(folder: Path, files: Mapping[str, bytes | Path]) -> None:
    """Refuse to replace what is not a checkpoint: the folder's former content is deleted."""
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    if not nearest.is_dir():
        raise CheckpointError(f"cannot write the checkpoint {folder}: {nearest} is a file")
    if nearest != folder:
        return
    for entry in sorted(folder.iterdir()):
        if is_system_file(entry.name):
            continue
        if entry.name not in COMPANIONS and entry.name not in files and not is_shard(entry.name):
            raise CheckpointError(
                f"cannot write the checkpoint {folder}: it holds {entry.name}, which is not part of a checkpoint"
            )
