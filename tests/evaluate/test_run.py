"""The whole evaluation, with a reader that knows part of the truth."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pixread.evaluate import EVALUATION_TASKS, evaluate
from pixread.files import temporary_path
from pixread.shards import write_shards
from tests.evaluate.scripted_reader import ScriptedReader, make_example

ANSWERS = {0: "<<alpha beta>>", 1: "<<gamma>>", 2: "<>", 3: "<<delta wrong>>", 4: "<<epsilon>>"}
TRUTHS = {0: "alpha beta", 1: "gamma delta", 2: "zeta", 3: "delta right", 4: "epsilon"}
F1 = {0: 1.0, 1: 2 / 3, 2: 0.0, 3: 0.5, 4: 1.0}


def examples():
    return [make_example(number, truth) for number, truth in TRUTHS.items()]


def run(out: Path, shards=None, *, reader=None, **options):
    shards = examples() if shards is None else shards
    return evaluate(shards, model=reader or ScriptedReader(ANSWERS), task="pages", out=out, **options)


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_metrics_and_predictions_agree(tmp_path):
    seen = []
    metrics = run(tmp_path / "out", batch_size=2, progress=lambda done, total, score: seen.append((done, total, score)))
    assert json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8")) == metrics
    found = lines(tmp_path / "out" / "predictions.jsonl")
    assert {line["index"]: line["scores"]["f1"] for line in found} == pytest.approx(F1)
    assert metrics["scores"]["f1"] == pytest.approx(sum(F1.values()) / 5)
    assert metrics["by_site"]["site1"]["scores"]["f1"] == pytest.approx((F1[1] + F1[3]) / 2)
    assert found[0]["prediction"] == "alpha beta"
    assert found[0]["targets"] == ["alpha beta"]
    assert found[0]["boxes"] == [[0, 0, 120, 40]]
    assert found[0]["score"] == -0.5
    assert metrics["interval"][0] <= metrics["scores"]["f1"] <= metrics["interval"][1]
    assert [(done, total) for done, total, _ in seen] == [(2, 5), (4, 5), (5, 5)]
    assert [score for *_, score in seen] == pytest.approx([5 / 6, 13 / 24, metrics["scores"]["f1"]])


def test_only_the_finished_files_are_left(tmp_path):
    run(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["metrics.json", "predictions.jsonl", "report.html"]


def test_batches_make_no_difference(tmp_path):
    scores = [run(tmp_path / str(size), batch_size=size)["by_site"] for size in (1, 3, 99)]
    assert scores[0] == scores[1] == scores[2]


def test_shards_from_a_folder_and_its_split(tmp_path):
    write_shards(examples(), tmp_path / "shards" / "dev", seed=0, about={})
    from_split = run(tmp_path / "a", tmp_path / "shards", split="dev")
    from_folder = run(tmp_path / "b", tmp_path / "shards" / "dev")
    assert from_split["scores"] == from_folder["scores"] == pytest.approx(run(tmp_path / "c")["scores"])


def test_limit_spreads_over_the_set(tmp_path):
    run(tmp_path, limit=2)
    assert [line["index"] for line in lines(tmp_path / "predictions.jsonl")] == [0, 2]


def test_broken_pictures_are_counted_and_the_others_read(tmp_path):
    shards = examples()
    whole = shards[1].image
    shards[1] = make_example(1, TRUTHS[1], image=whole[: len(whole) // 2])
    shards[2] = make_example(2, TRUTHS[2], image=b"GIF89a but not really")
    shards[4] = make_example(4, TRUTHS[4], image=b"")
    metrics = run(tmp_path, shards, batch_size=3)
    assert (metrics["examples"], metrics["skipped"]) == (2, 3)
    assert sum(metrics["reasons"].values()) == 3
    assert not any("example" in reason for reason in metrics["reasons"]), "reasons are of kinds, not of examples"
    assert metrics["scores"]["f1"] == pytest.approx((F1[0] + F1[3]) / 2)
    errors = {line["index"]: line["error"] for line in lines(tmp_path / "predictions.jsonl")}
    assert [index for index, error in errors.items() if error is None] == [0, 3]
    assert "example-1" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_picture_that_the_reader_refuses_does_not_take_its_batch_along(tmp_path):
    reader = ScriptedReader(ANSWERS, refuses=frozenset({2}))
    metrics = run(tmp_path, reader=reader, batch_size=5)
    assert metrics["examples"] == 4
    assert metrics["reasons"] == {"picture 2 is refused": 1}
    assert [line["index"] for line in lines(tmp_path / "predictions.jsonl")] == [0, 1, 2, 3, 4]


def test_half_a_surrogate_pair_stops_nothing(tmp_path):
    metrics = run(tmp_path, [make_example(0, "alpha beta", source="site/caf\udce9.html")])
    assert metrics["examples"] == 1
    assert lines(tmp_path / "predictions.jsonl")[0]["source"] == "site/caf?.html"


def test_all_pictures_broken_is_a_result_too(tmp_path):
    metrics = run(tmp_path, [make_example(0, "a", image=b"x")])
    assert metrics["examples"] == 0
    assert (tmp_path / "report.html").exists()


class Interrupted(ScriptedReader):
    """Knows the truth until it is stopped, in its third batch."""

    def parse(self, images, /, *, region=None):
        if len(self.batches) == 2:
            raise KeyboardInterrupt
        return super().parse(images, region=region)


def test_resume_goes_on_where_it_stopped(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, reader=Interrupted(ANSWERS), batch_size=2)
    unfinished = tmp_path / "predictions.jsonl.unfinished"
    assert [line["index"] for line in lines(unfinished)] == [0, 1, 2, 3]
    assert not (tmp_path / "metrics.json").exists()

    with unfinished.open("a", encoding="utf-8") as stream:
        stream.write('{"index": 4, "id": "exa')  # the line that was being written
    again = ScriptedReader(ANSWERS)
    metrics = run(tmp_path, reader=again, batch_size=2, resume=True)
    assert again.batches == [1]
    assert metrics["scores"]["f1"] == pytest.approx(sum(F1.values()) / 5)
    assert [line["index"] for line in lines(tmp_path / "predictions.jsonl")] == [0, 1, 2, 3, 4]


def test_resume_refuses_other_settings(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, reader=Interrupted(ANSWERS), batch_size=2)
    with pytest.raises(ValueError, match=r"cannot be resumed, it had limit None, now 4$"):
        run(tmp_path, reader=ScriptedReader(ANSWERS), limit=4, resume=True)


def test_without_resume_everything_is_read_again(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, reader=Interrupted(ANSWERS), batch_size=2)
    again = ScriptedReader(ANSWERS)
    run(tmp_path, reader=again, batch_size=5)
    assert again.batches == [5]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"task": "page"}, f"unknown evaluation task 'page'; known are {', '.join(EVALUATION_TASKS)}"),
        ({"task": None}, "name the task of these examples: they come from no shards that would say it"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"limit": 0}, "limit must be at least 1, got 0"),
        ({"shards": []}, "there is nothing to evaluate: list holds no examples"),
        ({"split": "dev"}, "a split (dev) can only be chosen from a folder, not from opened shards"),
        ({"shards": [make_example(0)]}, "example example-0 has no target to be scored against"),
    ],
)
def test_bad_settings_are_one_sentence(tmp_path, options, sentence):
    settings = {"shards": examples(), "task": "pages", "model": ScriptedReader(ANSWERS), "out": tmp_path} | options
    with pytest.raises(ValueError) as error:
        evaluate(settings.pop("shards"), **settings)
    assert str(error.value) == sentence


def test_unwritable_out_is_one_sentence_before_anything_is_read(tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("a file", encoding="utf-8")
    reader = ScriptedReader(ANSWERS)
    for out in (taken, taken / "below"):
        with pytest.raises(ValueError, match=r"^cannot write to .*taken.*: (File exists|Not a directory)$"):
            run(out, reader=reader)
    assert reader.batches == []
    assert taken.read_text(encoding="utf-8") == "a file"


def test_full_disk_is_one_sentence(tmp_path, monkeypatch):
    """/dev/full takes no byte; the predictions written so far stay where they are."""
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")

    def on_full_disk(path, *, kind="writing"):
        aside = temporary_path(path, kind=kind)
        if path.name == "report.html.unfinished":
            aside.symlink_to("/dev/full")
        return aside

    monkeypatch.setattr("pixread.files.temporary_path", on_full_disk)
    with pytest.raises(ValueError, match=r"^cannot write to .*: No space left on device$"):
        run(tmp_path)
    assert len(lines(tmp_path / "predictions.jsonl.unfinished")) == 5
    assert not (tmp_path / "metrics.json").exists()


def test_parse_task_reads_the_region(tmp_path):
    shards = [make_example(0, "<<a><b>>", masks=1), make_example(1, "<<c>>", masks=0)]
    reader = ScriptedReader({0: "<<a><b>>", 1: "<<x>>"})
    metrics = evaluate(shards, model=reader, task="parse", out=tmp_path)
    assert metrics["main"] == "edit_similarity"
    assert metrics["scores"]["exact_match"] == 0.5
    assert metrics["by_masked"]["masked"]["scores"]["tree_similarity"] == 1
    assert metrics["by_masked"]["unmasked"]["scores"]["tree_similarity"] == 0.5


def test_crops_task_reads_in_one_pass(tmp_path):
    reader = ScriptedReader({0: "one line", 1: "another"})
    metrics = evaluate(
        [make_example(0, "one line"), make_example(1, "an other")], model=reader, task="crops", out=tmp_path
    )
    assert metrics["scores"]["exact_match"] == 0.5
    assert metrics["scores"]["character_error_rate"] == pytest.approx(1 / 16)
