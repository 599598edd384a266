"""pixread.shards: what goes in comes out, byte for byte and for `datasets` too."""

import hashlib
import io
import json
import multiprocessing
import os
import pickle

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pixread.records import Box, DrawnBox, Example
from pixread.shards import ShardSet, join_files, sets_in, write_file, write_shards


def png(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "PNG")
    return buffer.getvalue()


def make(count: int) -> list[Example]:
    return [
        Example(
            id=f"page-{number}",
            image=png(8 + number % 5, 4, (number % 256, 0, 0)),
            targets=(f"<text {number}>", "other")[: 1 + number % 2],
            prompt="" if number % 3 else "what is it?",
            boxes=(DrawnBox(Box(0.5, 1, 2.1, 3), "region"), DrawnBox(Box(1, 1, 1, 1), "label", "ü"))[: number % 3],
            group_id=f"page-{number // 4}",
            source="a/b é.html",
            meta={"size": [8, 4], "name": "ü", "nested": {"a": None}},
        )
        for number in range(count)
    ]


def read_in_worker(shards: ShardSet, indices: list[int], queue) -> None:
    queue.put([shards[index] for index in indices])


@pytest.mark.parametrize(
    ("count", "rows_per_shard", "files"), [(0, 10, 1), (1, 10, 1), (10, 10, 1), (11, 10, 2), (150, 70, 3)]
)
def test_examples_come_back_in_order(tmp_path, count, rows_per_shard, files):
    examples = make(count)
    manifest = write_shards(
        iter(examples), tmp_path / "set", seed=3, about={"by": "test"}, rows_per_shard=rows_per_shard
    )
    shards = ShardSet(tmp_path / "set")
    assert (len(shards), len(manifest["shards"]), manifest["seed"]) == (count, files, 3)
    assert shards.manifest == manifest == json.loads((tmp_path / "set" / "manifest.json").read_text())
    assert list(shards) == examples
    for index in [*range(0, count, 7), -1][: count and None]:
        assert shards[index] == examples[index]
    with pytest.raises(IndexError, match=f"example {count} of a shard set of {count}"):
        shards[count]


@given(text=st.text(st.characters(codec=None), max_size=20), number=st.floats(0, 1e6))
@settings(max_examples=40, deadline=None)
def test_any_text_is_stored(tmp_path_factory, text, number):
    folder = tmp_path_factory.mktemp("any") / "set"
    example = Example(
        id="x",
        image=b"\x00",
        targets=(text, ""),
        boxes=(DrawnBox(Box(number, 0, number, 0), "label", text),),
        meta={"t": text},
    )
    write_shards([example], folder, seed=0)
    again = ShardSet(folder)[0]
    assert again.targets[0] == text.encode("utf-8", "replace").decode()
    assert (again.meta, again.targets[1]) == (example.meta, "")
    assert again.boxes == (DrawnBox(Box(number, 0, number, 0), "label", again.targets[0]),)


def test_a_set_from_before_boxes_had_text_still_opens(tmp_path):
    examples = make(6)
    manifest = write_shards(examples, tmp_path / "set", seed=1)
    path = tmp_path / "set" / manifest["shards"][0]["name"]
    table = pq.read_table(path)
    rows = table.column("boxes").to_pylist()
    older = [[{name: box[name] for name in ("kind", "x", "y", "width", "height")} for box in boxes] for boxes in rows]
    number = table.schema.get_field_index("boxes")
    pq.write_table(table.set_column(number, "boxes", pa.array(older)), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    shard = manifest["shards"][0] | {"bytes": path.stat().st_size, "sha256": digest}
    change_manifest(tmp_path / "set", shards=[shard])
    shards = ShardSet(tmp_path / "set")
    assert [box.text for box in shards[5].boxes] == ["", ""]
    assert [(box.box, box.kind) for box in shards[5].boxes] == [(box.box, box.kind) for box in examples[5].boxes]


def test_same_examples_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_shards(make(100), tmp_path / name, seed=1, rows_per_shard=40)
    first, second = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("a", "b"))
    assert first == second
    assert sorted(first)[:2] == ["manifest.json", "train-00000-of-00003.parquet"]


def test_datasets_opens_them_with_decoded_images(tmp_path):
    datasets = pytest.importorskip("datasets")
    write_shards(make(50), tmp_path / "set", seed=1, rows_per_shard=30)
    loaded = datasets.load_dataset(
        "parquet", data_files=str(tmp_path / "set" / "*.parquet"), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert len(loaded) == 50
    assert isinstance(loaded.features["image"], datasets.Image)
    assert loaded[7]["image"].size == (10, 4)
    assert loaded[7]["image"].getpixel((0, 0)) == (7, 0, 0)
    assert loaded[5]["boxes"] == [
        {"kind": "region", "x": 0.5, "y": 1.0, "width": 2.1, "height": 3.0, "text": ""},
        {"kind": "label", "x": 1.0, "y": 1.0, "width": 1.0, "height": 1.0, "text": "ü"},
    ]
    assert loaded[7]["targets"] == ["<text 7>", "other"]


def test_several_sets_are_one_sequence(tmp_path):
    examples = make(30)
    write_shards(examples[:10], tmp_path / "a", seed=1)
    write_shards(examples[10:], tmp_path / "b", seed=1)
    shards = ShardSet([tmp_path / "a", tmp_path / "b"])
    assert list(shards) == examples
    assert (shards.manifest["count"], len(shards.manifest["sets"])) == (30, 2)


def test_workers_read_a_set_opened_before_they_started(tmp_path):
    examples = make(40)
    write_shards(examples, tmp_path / "set", seed=1)
    shards = ShardSet(tmp_path / "set")
    assert shards[0] == examples[0]
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    worker = context.Process(target=read_in_worker, args=(shards, [3, 35, 0], queue))
    worker.start()
    assert queue.get(timeout=60) == [examples[3], examples[35], examples[0]]
    worker.join()
    assert pickle.loads(pickle.dumps(shards))[39] == examples[39]


def test_a_failure_leaves_nothing_behind_and_an_older_set_alone(tmp_path):
    def failing():
        yield from make(5)
        raise RuntimeError("sick")

    with pytest.raises(RuntimeError, match="sick"):
        write_shards(failing(), tmp_path / "set", seed=0)
    assert list(tmp_path.iterdir()) == []
    write_shards(make(2), tmp_path / "set", seed=0)
    with pytest.raises(RuntimeError, match="sick"):
        write_shards(failing(), tmp_path / "set", seed=0)
    assert len(ShardSet(tmp_path / "set")) == 2
    write_shards(make(3), tmp_path / "set", seed=0)
    assert len(ShardSet(tmp_path / "set")) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_folder_with_something_else_is_not_overwritten(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="exists and is not a shard set: give another folder or empty it first"):
        write_shards(make(1), tmp_path, seed=0)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def change_manifest(folder, **changes):
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def change_shard(folder, **changes):
    path = folder / "manifest.json"
    change_manifest(folder, shards=[json.loads(path.read_text())["shards"][0] | changes])


def make_pipe(path):
    path.unlink()
    os.mkfifo(path)


def flip(path):
    """Another byte in the middle, the size as before: as disks and networks damage files."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (
            lambda folder: (folder / "manifest.json").unlink(),
            "has no manifest.json: it is not a shard set, or was not finished",
        ),
        (lambda folder: (folder / "manifest.json").write_text("{"), "manifest.json cannot be read: "),
        (lambda folder: change_manifest(folder, format="other"), "is not the manifest of a shard set of this version"),
        (lambda folder: flip(next(folder.glob("*.parquet"))), "parquet is damaged: its sha256 is "),
        (
            lambda folder: (folder / "manifest.json").write_text("[" * 100_000),
            "cannot be read: it is nested too deeply",
        ),
        (lambda folder: (folder / "manifest.json").write_text("[]"), "is not the manifest of a shard set"),
        (lambda folder: change_manifest(folder, columns=None), "must have columns as list, got NoneType"),
        (lambda folder: change_manifest(folder, columns=[1]), "has the columns 1; needed: id, image, prompt"),
        (lambda folder: change_manifest(folder, about=[]), "must have about as dict, got list"),
        (lambda folder: change_manifest(folder, count="2"), "must have count as int, got str"),
        (lambda folder: change_manifest(folder, shards={}), "must have shards as list, got dict"),
        (lambda folder: change_manifest(folder, shards=[1]), "must hold an object for each shard, got int"),
        (lambda folder: change_shard(folder, rows="2"), "must have rows as int, got str"),
        (lambda folder: change_shard(folder, rows=True), "must have rows as int, got bool"),
        (lambda folder: change_shard(folder, sha256=None), "must have sha256 as str, got NoneType"),
        (lambda folder: change_shard(folder, name="../a.parquet"), "must name files of its own folder"),
        (lambda folder: make_pipe(folder / "manifest.json"), "cannot be read: it is a pipe"),
        (lambda folder: (folder / "manifest.json").unlink() or (folder / "manifest.json").mkdir(), "Is a directory"),
        (lambda folder: change_manifest(folder, columns=["id"]), "has the columns id; needed: id, image, prompt"),
        (lambda folder: next(folder.glob("*.parquet")).unlink(), "is missing although the manifest lists it"),
        (lambda folder: next(folder.glob("*.parquet")).write_bytes(b"PAR1"), "has 4 bytes, its manifest says"),
    ],
)
def test_a_broken_set_is_refused_in_one_sentence(tmp_path, spoil, sentence):
    write_shards(make(2), tmp_path / "set", seed=0)
    spoil(tmp_path / "set")
    with pytest.raises(ValueError, match=sentence) as caught:
        ShardSet(tmp_path / "set")
    assert "\n" not in str(caught.value)


def test_sums_are_compared_once_and_again_when_a_shard_has_changed(tmp_path, monkeypatch):
    write_shards(make(3), tmp_path / "set", seed=0)
    ShardSet(tmp_path / "set")
    with monkeypatch.context() as patch:
        patch.setattr("pixread.shards.read.hashlib.file_digest", None)
        assert len(ShardSet(tmp_path / "set")) == 3
    flip(next((tmp_path / "set").glob("*.parquet")))
    with pytest.raises(ValueError, match="is damaged"):
        ShardSet(tmp_path / "set")


def test_damage_in_a_set_too_large_to_be_compared_is_told_when_it_is_met(tmp_path, monkeypatch):
    monkeypatch.setattr("pixread.shards.read.MAX_HASHED_BYTES", 0)
    write_shards(make(3), tmp_path / "set", seed=0)
    path = next((tmp_path / "set").glob("*.parquet"))
    path.write_bytes(path.read_bytes()[:-8] + b"\0" * 8)
    shards = ShardSet(tmp_path / "set")
    for read in (shards.targets, lambda: shards[0]):
        with pytest.raises(ValueError, match=r"^\S+\.parquet is not a readable Parquet file: "):
            read()


def test_a_wrong_path_is_refused_with_a_hint(tmp_path):
    with pytest.raises(ValueError, match=r"nowhere is not a folder: a shard set is a folder with a manifest.json"):
        ShardSet(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("no shards")
    with pytest.raises(ValueError, match=r"notes.txt is not a folder: a shard set is a folder with a manifest.json"):
        ShardSet(tmp_path / "notes.txt")
    write_shards(make(1), tmp_path / "parse", seed=0)
    write_shards(make(1), tmp_path / "lines", seed=0)
    with pytest.raises(ValueError, match="is not a shard set itself but holds some: name one of lines, parse"):
        ShardSet(tmp_path)


def test_targets_and_groups_are_read_without_pictures(tmp_path):
    rows = make(5)
    write_shards(rows, tmp_path / "set", seed=0, about={}, rows_per_shard=2)
    assert ShardSet(tmp_path / "set").targets() == [row.targets for row in rows]
    assert ShardSet(tmp_path / "set").groups() == [row.group_id for row in rows]


def shared(pictures: int, *, examples: int, size: int) -> list[Example]:
    """Examples that follow each other about the same picture."""
    image = [bytes([number]) * size for number in range(pictures)]
    rows = range(pictures * examples)
    return [Example(id=str(row), image=image[row // examples], targets=(f"{row}",)) for row in rows]


def test_a_picture_that_examples_share_is_stored_about_once(tmp_path):
    rows = shared(20, examples=20, size=20_000)
    manifest = write_shards(rows, tmp_path / "set", seed=0, rows_per_shard=300)
    stored = sum(shard["bytes"] for shard in manifest["shards"])
    assert stored < 2 * 20 * 20_000, "a row group of 32 may begin within the examples of a picture"
    shards = ShardSet(tmp_path / "set")
    assert list(shards) == rows
    assert [shards[index] for index in (399, 0, 150)] == [rows[399], rows[0], rows[150]]
    write_file(rows, tmp_path / "file.parquet")
    join_files([tmp_path / "file.parquet"], tmp_path / "joined", seed=0, rows_per_shard=90)
    assert list(ShardSet(tmp_path / "joined")) == rows


def test_datasets_opens_a_set_with_shared_pictures(tmp_path):
    datasets = pytest.importorskip("datasets")
    images = [png(8, 4, (number, 0, 0)) for number in range(3)]
    write_shards([Example(id=str(n), image=images[n // 4], targets=("",)) for n in range(12)], tmp_path / "set", seed=0)
    files = str(tmp_path / "set" / "*.parquet")
    loaded = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
    assert [row["image"].getpixel((0, 0)) for row in loaded] == [(n // 4, 0, 0) for n in range(12)]


def test_groups_stay_small_in_memory_too(tmp_path):
    write_file(shared(1, examples=20, size=3_000_000), tmp_path / "file.parquet")
    file = pq.ParquetFile(tmp_path / "file.parquet")
    sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    assert sum(sizes) == 20 and max(sizes) * 3_000_000 < 2 << 24


def test_joined_files_are_the_same_set_cut_anew(tmp_path):
    made = make(70)
    files = [tmp_path / f"{number}.parquet" for number in range(3)]
    for file, part in zip(files, (made[:33], made[33:50], made[50:]), strict=True):
        write_file(part, file)
    manifest = join_files(files, tmp_path / "set", seed=3, rows_per_shard=20)
    assert [shard["rows"] for shard in manifest["shards"]] == [20, 20, 20, 10]
    assert list(ShardSet(tmp_path / "set")) == made


def test_joined_files_that_fill_their_last_shard_leave_no_empty_one(tmp_path):
    write_file(make(40), tmp_path / "file.parquet")
    manifest = join_files([tmp_path / "file.parquet"], tmp_path / "set", seed=3, rows_per_shard=20)
    assert [shard["rows"] for shard in manifest["shards"]] == [20, 20]
    empty = join_files([], tmp_path / "empty", seed=3)
    assert [shard["rows"] for shard in empty["shards"]] == [0]


def test_folders_stand_for_the_sets_in_them(tmp_path):
    """Only the command line took a folder of sets; Python had to be given each."""
    both = tmp_path / "shards"
    for name in ("parse", "crops", ".hidden", "__MACOSX"):
        write_shards(make(1), both / name, seed=0)
    assert sets_in(both) == [both / "crops", both / "parse"]
    assert sets_in(str(both / "parse")) == [both / "parse"]
    assert sets_in(path for path in (both / "parse", str(both))) == [both / "parse", both / "crops", both / "parse"]
    assert sets_in([tmp_path / "none"]) == [tmp_path / "none"]
