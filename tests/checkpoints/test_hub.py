"""Push and pull over real HTTP."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checkpoints.hub_client import Client
from tests.checkpoints.hub_server import TOKEN, Hub, serve

NAME = "somebody/reader"
WEIGHTS = "model.safetensors"
FETCH = """
import time
time.sleep = lambda seconds: None  # tests need not wait for a better network
from pixread.checkpoints.hub import CheckpointError, fetch
for name, revision in {wanted!r}:
    try:
        print(fetch(name, revision=revision))
    except CheckpointError as error:
        print(f"one sentence: {{error}}")
"""


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serve() as running:
        yield running


@pytest.fixture
def client(hub: Hub, tmp_path: Path) -> Client:
    return Client(hub, tmp_path / "home")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a checkpoint looks like from outside; fetching does not read the weights."""
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    files = {"config.json": b"{}", "tokenizer.json": b"{}", WEIGHTS: os.urandom(300_000), "README.md": b"# a card"}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def fetch(client: Client, name: str = NAME, *revisions: str | None, **environment: str) -> list[str]:
    """What fetching each revision prints: a folder, or a sentence."""
    return fetch_all(client, [(name, revision) for revision in revisions or (None,)], **environment)


def fetch_all(client: Client, wanted: list[tuple[str, str | None]], **environment: str) -> list[str]:
    done = client.run("-c", FETCH.format(wanted=wanted), **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def downloads(hub: Hub) -> list[str]:
    """The requests for large files that were made since the last look, with their ranges."""
    found = [line for line in hub.log if line.startswith("GET /objects/")]
    hub.log.clear()
    return [line.partition(" bytes=")[2] for line in found]


def test_a_repository_is_fetched_once_and_then_offline_too(hub: Hub, client: Client, folder: Path):
    oid = hub.add(NAME, folder)

    (first,) = fetch(client)
    assert Path(first).name == oid
    assert {path.name for path in Path(first).iterdir()} == {"config.json", "tokenizer.json", WEIGHTS}
    assert (Path(first) / WEIGHTS).read_bytes() == (folder / WEIGHTS).read_bytes()
    assert downloads(hub) == [""]

    assert fetch(client) == [first]
    assert downloads(hub) == []

    assert fetch(client, HF_HUB_OFFLINE="1") == [first]
    assert hub.log == []

    hub.trouble.failures = 100
    assert fetch(client) == [first], "a hub that is out of order is no reason to fail either"


def test_a_pinned_revision_stays_while_the_branch_moves_on(hub: Hub, client: Client, folder: Path):
    old = hub.add(NAME, folder)
    (folder / "config.json").write_text('{"new": true}', encoding="utf-8")
    new = hub.add(NAME, folder)
    hub.repositories[NAME].branches["v1"] = old

    folders = fetch(client, NAME, old, "v1", None, "v2")

    assert [Path(found).name for found in folders[:3]] == [old, old, new]
    assert folders[3] == f"one sentence: {NAME} has no branch, tag or commit v2"
    assert fetch(client, NAME, old, "v1", HF_HUB_OFFLINE="1") == [folders[0]] * 2


def test_an_interrupted_download_goes_on_where_it_was(hub: Hub, client: Client, folder: Path):
    content = os.urandom(12_000_000)  # more than the 10 MiB that are written at once
    (folder / WEIGHTS).write_bytes(content)
    hub.add(NAME, folder)
    hub.trouble.cut_downloads[hashlib.sha256(content).hexdigest()] = 11_000_000

    (found,) = fetch(client)

    assert (Path(found) / WEIGHTS).read_bytes() == content
    assert downloads(hub) == ["", f"{10 * 1024 * 1024}-"]


def test_a_damaged_file_is_caught_by_its_sum_and_removed(hub: Hub, client: Client, folder: Path):
    hub.add(NAME, folder)
    oid = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    hub.trouble.damage.add(oid)

    (sentence,) = fetch(client)

    start = f"one sentence: {WEIGHTS} of {NAME} was damaged on its way and has been removed, load again: its sha256 is "
    assert sentence.startswith(start)
    assert sentence.endswith(f", and {oid} was announced")
    assert oid not in {path.name for path in client.home.rglob("*") if not path.name.endswith(".lock")}
    assert downloads(hub) == [""]
    (found,) = fetch(client)
    assert (Path(found) / WEIGHTS).read_bytes() == (folder / WEIGHTS).read_bytes()
    assert downloads(hub) == [""]

    # Checked sums are remembered with the state of the file, so a later change is found as well.
    blob = (Path(found) / WEIGHTS).resolve()
    blob.write_bytes(b"other" * 60_000)
    assert fetch(client)[0].startswith(start)


def test_pickled_weights_are_fetched_only_where_there_are_no_others(hub: Hub, client: Client, folder: Path):
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    (folder / "training_args.bin").write_bytes(b"pickle")
    hub.add(NAME, folder)
    names = {"config.json", "tokenizer.json"}
    assert {path.name for path in Path(fetch(client)[0]).iterdir()} == {*names, WEIGHTS}

    (folder / WEIGHTS).unlink()
    hub.add(NAME, folder)
    assert {path.name for path in Path(fetch(client)[0]).iterdir()} == {*names, "pytorch_model.bin"}


def test_shards_are_fetched_with_their_index(hub: Hub, client: Client, folder: Path):
    shards = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    (folder / WEIGHTS).rename(folder / shards[0])
    (folder / shards[1]).write_bytes(b"2")
    index = {"weight_map": {"a": shards[0], "b": shards[1]}}
    (folder / f"{WEIGHTS}.index.json").write_text(json.dumps(index), encoding="utf-8")
    hub.add(NAME, folder)

    (found,) = fetch(client)
    assert {*shards, f"{WEIGHTS}.index.json"} < {path.name for path in Path(found).iterdir()}

    (Path(found) / shards[1]).unlink()
    assert fetch(client, HF_HUB_OFFLINE="1")[0].startswith(
        f"one sentence: there is no folder {NAME}; HF_HUB_OFFLINE is"
    )


def test_what_cannot_be_fetched_is_one_sentence(hub: Hub, client: Client, folder: Path):
    hub.add("somebody/secret", folder, private=True)
    hub.add("somebody/gated", folder, gated=True)
    (folder / "config.json").unlink()
    hub.add("somebody/notes", folder)
    log_in = "log in with `hf auth login`, or set HF_TOKEN"
    missing = "one sentence: there is no folder {name}, and no repository of that name on the Hugging Face Hub"

    names = ("nothing", "secret", "gated", "notes", "a..b")
    said = fetch_all(client, [(f"somebody/{name}", None) for name in names])
    sentences = dict(zip(names, said, strict=True))

    for name in ("nothing", "secret"):
        assert sentences[name] == f"{missing.format(name=f'somebody/{name}')}; if it is private, {log_in}"
    assert sentences["gated"] == (
        f"one sentence: somebody/gated is gated: ask for access at {hub.url}/somebody/gated, then {log_in}"
    )
    assert sentences["notes"] == (
        "one sentence: somebody/notes on the Hugging Face Hub is no checkpoint: it has no config.json"
    )
    assert sentences["a..b"].startswith("one sentence: somebody/a..b is no name of a repository: ")


def test_without_a_network_it_is_one_sentence(hub: Hub, client: Client):
    absent = "and the repository is not, or not wholly, in the cache"
    closed = "http://127.0.0.1:9"

    assert fetch(client, HF_HUB_OFFLINE="1") == [
        f"one sentence: there is no folder {NAME}; HF_HUB_OFFLINE is set, {absent}"
    ]
    assert fetch(client, HF_ENDPOINT=closed) == [
        f"one sentence: there is no folder {NAME}; the Hugging Face Hub at {closed} cannot be reached, {absent}"
    ]


PUSH = """
import time
time.sleep = lambda seconds: None
from pixread.checkpoints import hub
try:
    print(hub.push({folder!r}, {name!r}, card={card!r}, private={private!r}, revision={revision!r}))
except hub.CheckpointError as error:
    print(f"one sentence: {{error}}")
"""
CARD = "---\nlicense: mit\nlibrary_name: pixread\npipeline_tag: image-to-text\ntags: [pixread]\n---\n# reader\n"


def push(client: Client, folder: Path, *, name: str = NAME, private: bool = False, revision: str | None = None) -> str:
    code = PUSH.format(folder=str(folder), name=name, card=CARD, private=private, revision=revision)
    done = client.run("-c", code, HF_TOKEN=TOKEN, HF_DEBUG="1")
    assert done.returncode == 0, done.stderr
    assert TOKEN not in done.stdout + done.stderr
    return done.stdout.strip()


def test_a_push_is_one_commit_with_a_card(hub: Hub, client: Client, folder: Path):
    (folder / "README.md").unlink()
    (folder / "state.pt").write_bytes(b"not part of a checkpoint")

    address = push(client, folder, private=True)

    repository = hub.repositories[NAME]
    assert address == f"{hub.url}/{NAME}/commit/{repository.branches['main']}"
    assert repository.private
    assert repository.messages == ["initial commit", "Upload a checkpoint with pixread"]
    pushed = repository.commits[repository.branches["main"]]
    assert set(pushed) == {".gitattributes", "config.json", "tokenizer.json", WEIGHTS, "README.md"}
    assert pushed[WEIGHTS].content == (folder / WEIGHTS).read_bytes()
    assert pushed["README.md"].content.decode() == CARD


def test_a_second_push_removes_the_weights_that_it_replaces(hub: Hub, client: Client, folder: Path):
    (folder / "README.md").write_text("# my own card", encoding="utf-8")
    push(client, folder)
    shard = "model-00001-of-00001.safetensors"
    (folder / WEIGHTS).rename(folder / shard)
    (folder / f"{WEIGHTS}.index.json").write_text(json.dumps({"weight_map": {"a": shard}}), encoding="utf-8")

    assert push(client, folder, revision="sharded").startswith(hub.url)

    repository = hub.repositories[NAME]
    assert WEIGHTS in repository.commits[repository.branches["main"]]
    pushed = repository.commits[repository.branches["sharded"]]
    assert {shard, f"{WEIGHTS}.index.json"} < set(pushed)
    assert WEIGHTS not in pushed
    assert pushed["README.md"].content == b"# my own card"


def test_an_interrupted_push_goes_on_and_sends_nothing_twice(hub: Hub, client: Client, folder: Path):
    (folder / "spiece.model").write_bytes(os.urandom(1000))
    hub.trouble.cut_uploads = 1

    assert push(client, folder).startswith(hub.url)

    sent = [line for line in hub.log if line.startswith("PUT ")]
    assert len(sent) == 3, "two files, one of them cut off and sent again"
    hub.log.clear()
    assert push(client, folder, name="somebody/copy").startswith(hub.url)
    assert [line for line in hub.log if line.startswith("PUT ")] == []


def test_what_cannot_be_pushed_is_one_sentence(hub: Hub, client: Client, folder: Path):
    hub.add(NAME, folder)
    start = "one sentence: "
    assert push(client, folder, name="reader") == f"{start}name the repository as user/name, got 'reader'"
    assert push(client, folder, private=True) == (
        f"{start}{NAME} exists and is public; make it private on its page, or push without --private"
    )
    code = PUSH.format(folder=str(folder), name="a/b", card=CARD, private=False, revision=None)
    assert client.run("-c", code).stdout.startswith(f"{start}the Hugging Face Hub refuses access to a/b; log in with")
    hub.trouble.cut_uploads = 100
    (folder / WEIGHTS).write_bytes(b"new")
    assert push(client, folder) == (
        f"{start}the push to {NAME} was interrupted: the Hugging Face Hub at {hub.url} cannot be reached; "
        "push again, what has arrived is not sent twice"
    )
    (folder / WEIGHTS).unlink()
    assert push(client, folder) == f"{start}{folder} is no checkpoint folder: it has no weights"
