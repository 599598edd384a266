"""Mining: what is kept is what the shipped reader reads otherwise than its target says."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from pixread.cli import app
from pixread.reader import Reader, load
from pixread.records import Example
from pixread.shards import ShardSet, write_shards
from pixread.targets.fonts import SHIPPED
from pixread.targets.warmup import WarmupSettings, examples
from pixread.train.mine import mine


@pytest.fixture(scope="module")
def reader() -> Reader:
    return load()


@pytest.fixture(scope="module")
def drawn() -> list[Example]:
    fonts = (str(SHIPPED / "LiberationSans-Regular.ttf"),)
    return examples(WarmupSettings(fonts=fonts, layout="line", max_chars=10, markup=True), count=40, seed=3)


def _read(reader: Reader, one: Example) -> str:
    return reader.read(Image.open(io.BytesIO(one.image))).text


def test_kept_is_what_is_read_otherwise(reader: Reader, drawn: list[Example], tmp_path: Path) -> None:
    """Told the target up to a token, or its own output: both are the same until the first mistake."""
    slip = [replace(one, id=f"slip {one.id}", targets=(one.targets[0].replace("e", "Q"),)) for one in drawn]
    slip = [one for one in slip if "Q" in one.targets[0]]
    write_shards([*drawn, *slip], tmp_path / "all", seed=0)
    mined = mine(reader, [tmp_path / "all"], tmp_path / "hard", batch_size=7)
    kept = {one.id: one for one in ShardSet(tmp_path / "hard")}
    assert mined.seen == len(drawn) + len(slip) and mined.kept == len(kept)
    right = {one.id for one in drawn if _read(reader, one) == one.targets[0]}
    assert len(right) > 20 and not right & set(kept)
    wrong = [one for one in (*drawn, *slip) if one.id not in right]
    assert sum(one.id in kept for one in wrong) + mined.hopeless == len(wrong) > 10
    assert all(kept[one.id] == one for one in wrong if one.id in kept), "picture and target as they were"


def test_targets_that_nothing_hints_at_are_doubted(reader: Reader, drawn: list[Example], tmp_path: Path) -> None:
    other = [replace(one, targets=("<zqxjkv>",)) for one in drawn[:5]]
    near = replace(drawn[0], id="near", targets=(drawn[0].targets[0][:-1] + "~>",))
    broken = replace(drawn[0], id="broken", image=b"no picture")
    write_shards([*other, near, broken], tmp_path / "all", seed=0)
    mined = mine(reader, [tmp_path / "all"], tmp_path / "hard")
    assert (mined.seen, mined.hopeless, mined.unusable) == (7, 5, 1)
    assert [one.id for one in ShardSet(tmp_path / "hard")] == ["near"]


def test_the_command_and_what_it_refuses(drawn: list[Example], tmp_path: Path) -> None:
    near = [replace(one, targets=(one.targets[0][:-1] + "~>",)) for one in drawn[:3]]
    write_shards(near, tmp_path / "all", seed=0)
    done = CliRunner().invoke(app, ["mine", str(tmp_path / "all"), "--out", str(tmp_path / "hard")])
    assert done.exit_code == 0 and json.loads(done.stdout)["kept"] == 3
    assert ShardSet(tmp_path / "hard").manifest["about"]["mined_with"] == "the shipped model"
    full = tmp_path / "full"
    full.mkdir()
    (full / "notes.txt").write_text("mine")
    refused = CliRunner().invoke(app, ["mine", str(tmp_path / "all"), "--out", str(full)])
    assert isinstance(refused.exception, ValueError) and "is not a shard set" in str(refused.exception)


def test_where_nothing_is_wrong_the_set_is_empty(reader: Reader, drawn: list[Example], tmp_path: Path) -> None:
    right = next(one for one in drawn if _read(reader, one) == one.targets[0])
    write_shards([right], tmp_path / "all", seed=0)
    assert mine(reader, [tmp_path / "all"], tmp_path / "hard").kept == 0
    assert len(ShardSet([tmp_path / "hard", tmp_path / "all"])) == 1, "an empty set does no harm among others"
    with pytest.raises(ValueError, match="there are no examples in"):
        mine(reader, [tmp_path / "hard"], tmp_path / "harder")
    assert not (tmp_path / "harder").exists()
