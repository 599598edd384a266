"""Checkpoints of the Hugging Face Hub: fetched once into its cache, checked, and pushed.

All traffic is huggingface_hub's, which also finds the user's token; none of it is seen here.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixread import __version__
from pixread.checkpoints.errors import CheckpointError
from pixread.checkpoints.layout import CARD, COMPANIONS, CONFIG, INDEX, PICKLED_INDEX, SETTINGS, is_weights
from pixread.checkpoints.layout import weights_among as weights_of
from pixread.checkpoints.runs import pin_step
from pixread.files import WriteError, write_text

if TYPE_CHECKING:
    from huggingface_hub import HfApi

CHECKED = "pixread-checked"  # beside the cached files of a repository: one file for each sum that has been checked
LOG_IN = "log in with `hf auth login`, or set HF_TOKEN"
TRIES = 3  # of a push: what has arrived is not sent again
PAUSE = 2.0  # seconds before a push goes on
# The bases of what fails between here and the server, by name: huggingface_hub changed its HTTP library twice.
UNREACHABLE = {"TransportError", "ConnectionError", "Timeout"}


class UnreachableError(CheckpointError):
    """The Hub does not answer."""


def fetch(repository: str, *, revision: str | None = None) -> Path:
    """The folder of a repository's checkpoint at a branch, tag or commit, fetched where the cache lacks it.

    Large files are compared with the sha256 that the Hub announces. Without a network the cache has to do. Raises
    CheckpointError, in one sentence.
    """
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return _cached(repository, revision, why="HF_HUB_OFFLINE is set")
    try:
        return _fetch(repository, revision)
    except UnreachableError as error:
        return _cached(repository, revision, why=str(error))


def push(
    folder: str | Path,
    repository: str,
    *,
    card: str,
    private: bool = False,
    message: str = "Upload a checkpoint with pixread",
    revision: str | None = None,
) -> str:
    """Sends a checkpoint folder as one commit, `card` as its README.md where it has none; returns the commit's address.

    The folder of a training run stands for its best step. The repository and the branch `revision` are made where they
    are missing; weights that the new ones replace are removed. An interrupted push goes on where it was when it is
    repeated. Raises CheckpointError, in one sentence.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    folder = Path(pin_step(folder))
    names = _complete(folder)
    api = _api()
    with _hub_errors(repository, revision):
        _prepare(api, repository, private=private, revision=revision)
        former = api.list_repo_files(repository, revision=revision)
        adds = [CommitOperationAdd(name, folder / name) for name in names]
        if CARD not in names:
            adds.append(CommitOperationAdd(CARD, card.encode()))
        stale = [CommitOperationDelete(name) for name in former if is_weights(name) and name not in names]
    for attempt in range(1, TRIES + 1):
        try:
            with _hub_errors(repository, revision):
                done = api.create_commit(repository, [*adds, *stale], commit_message=message, revision=revision)
            return str(done.commit_url)
        except UnreachableError as error:
            if attempt == TRIES:
                raise CheckpointError(
                    f"the push to {repository} was interrupted: {error}; push again, what has arrived is not sent twice"
                ) from error
            time.sleep(PAUSE)
    raise AssertionError("the last attempt returns or raises")


def _api() -> HfApi:
    from huggingface_hub import HfApi

    return HfApi(library_name="pixread", library_version=__version__)


def _fetch(repository: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download

    while True:
        with _hub_errors(repository, revision):
            listing = _api().model_info(repository, revision=revision, files_metadata=True)
            names = [file.rfilename for file in listing.siblings or []]
            weights = weights_of(names)
            if CONFIG not in names or not weights:
                lacking = CONFIG if CONFIG not in names else "weights"
                raise CheckpointError(f"{repository} on the Hugging Face Hub is no checkpoint: it has no {lacking}")
            wanted = [name for name in names if name in SETTINGS or name in weights]
            folder = Path(snapshot_download(repository, revision=revision, allow_patterns=wanted))
        if folder.name == listing.sha:  # else somebody pushed in between
            sums = {file.rfilename: file.lfs.sha256 for file in listing.siblings or [] if file.lfs}
            for name in wanted:
                if name in sums:
                    _check_sum(folder / name, sums[name], repository=repository)
            return folder


def _cached(repository: str, revision: str | None, *, why: str) -> Path:
    from huggingface_hub import snapshot_download

    at = "" if revision is None else f" at {revision}"
    try:
        folder = Path(
            snapshot_download(repository, revision=revision, local_files_only=True, allow_patterns=list(SETTINGS))
        )
        _complete(folder)
    except (OSError, CheckpointError) as error:
        raise CheckpointError(
            f"there is no folder {repository}; {why}, and the repository{at} is not, or not wholly, in the cache"
        ) from error
    except ValueError as error:
        raise CheckpointError(f"{repository} is no name of a repository: {_first_line(error)}") from error
    return folder


def _complete(folder: Path) -> list[str]:
    """The files of a checkpoint, all of them there. Raises CheckpointError that names one that is not."""
    names = [entry.name for entry in sorted(folder.iterdir()) if entry.is_file()] if folder.is_dir() else []
    weights = weights_of(names)
    if CONFIG not in names or not weights:
        raise CheckpointError(f"{folder} is no checkpoint folder: it has no {'weights' if CONFIG in names else CONFIG}")
    if weights[0] in (INDEX, PICKLED_INDEX):
        named = json.loads((folder / weights[0]).read_text(encoding="utf-8"))["weight_map"].values()
        missing = sorted(set(named) - set(names))
        if missing:
            raise CheckpointError(f"{folder / missing[0]} is missing")
    return [name for name in names if name in weights or (name in COMPANIONS and not is_weights(name))]


def _check_sum(path: Path, expected: str, *, repository: str) -> None:
    """Removes a file of another sum and raises CheckpointError; sums that were right once are not made again."""
    blob = path.resolve()
    state = f"{blob.stat().st_size} {blob.stat().st_mtime_ns}"
    checked = path.parent.parent.parent / CHECKED / expected
    if checked.is_file() and checked.read_text(encoding="utf-8") == state:
        return
    with blob.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != expected:
        path.unlink()
        blob.unlink(missing_ok=True)
        raise CheckpointError(
            f"{path.name} of {repository} was damaged on its way and has been removed, load again: "
            f"its sha256 is {digest}, and {expected} was announced"
        )
    with suppress(OSError, WriteError):  # a cache that cannot be written to is read all the same
        checked.parent.mkdir(exist_ok=True)
        write_text(checked, state)


def _prepare(api: HfApi, repository: str, *, private: bool, revision: str | None) -> None:
    if repository.count("/") != 1:
        raise CheckpointError(f"name the repository as user/name, got {repository!r}")
    api.create_repo(repository, private=private or None, exist_ok=True)
    if private and not api.model_info(repository).private:
        raise CheckpointError(
            f"{repository} exists and is public; make it private on its page, or push without --private"
        )
    if revision is not None:
        api.create_branch(repository, branch=revision, exist_ok=True)


@contextmanager
def _hub_errors(repository: str, revision: str | None) -> Iterator[None]:
    """Turns what huggingface_hub raises into one sentence."""
    try:
        with _quiet():
            yield
    except CheckpointError:
        raise
    except Exception as error:
        # The libraries below it raise many kinds; what it wraps is told by its cause.
        chain: list[BaseException] = [error]
        while (cause := chain[-1].__cause__) is not None:
            chain.append(cause)
        raise _sentence(chain, repository, revision) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars where nobody watches, and no warnings with lines of code in them."""
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    hidden = not sys.stderr.isatty() and not are_progress_bars_disabled()
    if hidden:
        disable_progress_bars()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if hidden:
            enable_progress_bars()


def _sentence(chain: list[BaseException], repository: str, revision: str | None) -> CheckpointError:
    from huggingface_hub import constants, errors

    error = chain[0]
    status = next((response.status_code for link in chain if (response := getattr(link, "response", None))), 0)
    if isinstance(error, errors.GatedRepoError):
        page = f"{constants.ENDPOINT}/{repository}"
        return CheckpointError(f"{repository} is gated: ask for access at {page}, then {LOG_IN}")
    if isinstance(error, errors.RepositoryNotFoundError):
        return CheckpointError(
            f"there is no folder {repository}, and no repository of that name on the Hugging Face Hub; "
            f"if it is private, {LOG_IN}"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return CheckpointError(f"{repository} has no branch, tag or commit {revision}")
    if status in (401, 403):
        return CheckpointError(f"the Hugging Face Hub refuses access to {repository}; {LOG_IN}")
    if isinstance(error, errors.HFValidationError):
        return CheckpointError(f"{repository} is no name of a repository: {_first_line(error)}")
    unreachable = any(base.__name__ in UNREACHABLE for link in chain for base in type(link).__mro__)
    if unreachable or status >= 500:
        return UnreachableError(f"the Hugging Face Hub at {constants.ENDPOINT} cannot be reached")
    if isinstance(error, OSError) and error.strerror:
        return CheckpointError(f"cannot write {error.filename or constants.HF_HUB_CACHE}: {error.strerror}")
    return CheckpointError(f"the Hugging Face Hub does not do this for {repository}: {_first_line(error)}")


def _first_line(error: BaseException) -> Any:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
