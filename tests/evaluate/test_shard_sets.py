"""Which shard sets are meant, and which of their examples."""

from __future__ import annotations

import pytest

from pixread.evaluate.shard_sets import evenly_spaced, find_shard_sets, fingerprint, sibling_sets, task_of
from pixread.shards import ShardSet, write_shards
from tests.evaluate.scripted_reader import make_example


@pytest.fixture
def prepared(tmp_path):
    """A folder as `pixread prepare` writes it, one split in two parts."""
    for name in ("train", "val-human", "val-augmented"):
        about = {"task": "chartqa", "split": name.split("-")[0]}
        write_shards([make_example(at, name) for at in range(4)], tmp_path / "data" / name, seed=0, about=about)
    return tmp_path / "data"


def test_a_split_is_its_set_or_all_its_parts(prepared):
    assert find_shard_sets(prepared, "train") == [prepared / "train"]
    assert find_shard_sets(prepared, "val") == [prepared / "val-augmented", prepared / "val-human"]
    assert find_shard_sets(prepared, "val-human") == [prepared / "val-human"]
    assert find_shard_sets(prepared / "val-human") == [prepared / "val-human"]


def test_what_is_not_there_is_one_sentence(prepared, tmp_path):
    with pytest.raises(ValueError, match=r"data has no split test: there is train, val-augmented, val-human$"):
        find_shard_sets(prepared, "test")
    with pytest.raises(ValueError, match=r"data holds several .* --split: train, val-augmented, val-human$"):
        find_shard_sets(prepared)
    with pytest.raises(ValueError, match=r"nowhere has no split val: there is no shard set in it$"):
        find_shard_sets(tmp_path / "nowhere", "val")


def test_rendered_sets_are_found_by_what_they_are_for(tmp_path):
    for target in ("crops", "lines"):
        write_shards([make_example(0, "x")], tmp_path / target, seed=0, about={"target": target})
    assert find_shard_sets(tmp_path, task="pages") == [tmp_path / "lines"]
    assert find_shard_sets(tmp_path.parent, tmp_path.name, task="crops") == [tmp_path / "crops"]


def test_train_sets_lie_beside(prepared):
    assert sibling_sets(find_shard_sets(prepared, "val"), "train") == [prepared / "train"]
    assert sibling_sets(find_shard_sets(prepared, "val"), "test") == []


def test_shards_say_their_task(prepared, tmp_path):
    assert task_of(ShardSet(find_shard_sets(prepared, "val"))) == "chartqa"
    write_shards([make_example(0, "x")], tmp_path / "lines", seed=0, about={"target": "lines"})
    assert task_of(ShardSet(tmp_path / "lines")) == "pages"
    write_shards([make_example(0, "x")], tmp_path / "mute", seed=0)
    for folders in ([tmp_path / "mute"], [prepared / "train", tmp_path / "lines"]):
        with pytest.raises(ValueError, match="do not say which one task they are for; name it with --task"):
            task_of(ShardSet(folders))


def test_fingerprint_changes_with_the_examples(prepared):
    one, other = ShardSet(prepared / "train"), ShardSet(prepared / "val-human")
    assert fingerprint(one) == fingerprint(ShardSet(prepared / "train")) != fingerprint(other)
    assert fingerprint([make_example(0, "x")]) == ""


def test_groups_are_chosen_whole(tmp_path):
    examples = [make_example(at, "x", group_id=name) for at, name in enumerate("aabbbcdd")]
    write_shards(examples, tmp_path / "set", seed=0)
    for found in (examples, ShardSet(tmp_path / "set")):
        assert evenly_spaced(found, 2, by_group=True) == [0, 1, 5]  # the first and the third of four groups
        assert evenly_spaced(found, 9, by_group=True) == list(range(8))
        assert evenly_spaced(found, 2) == [0, 4]
