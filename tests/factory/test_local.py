"""pixread.factory.local: whatever happens to pages and workers, the same shards come out."""

import json
from pathlib import Path

import pytest

from pixread.factory.local import PARTS, RenderProgress, render_shards, target_settings
from pixread.factory.sources import Source, find_pages
from pixread.render.page import RenderSettings
from pixread.shards import ShardSet
from pixread.targets.parse import ParseSettings
from tests.factory.renderers import broken, drawn, stillborn

ALL = ("parse", "lines", "crops")


@pytest.fixture(autouse=True)
def importable_by_workers(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run(sources, out, **changes):
    sources = [Source(one, None, one) if isinstance(one, str) else one for one in sources]
    return render_shards(sources, out, **{"targets": ALL, "workers": 1, "seed": 1, "open_renderer": drawn, **changes})


def test_order_and_bytes_do_not_depend_on_workers_or_timing(tmp_path):
    sources = [f"wait-{number}" if number % 9 == 0 else f"page-{number}" for number in range(40)]
    report = run(sources, tmp_path / "one", workers=1)
    assert report == run(sources, tmp_path / "three", workers=3)
    assert contents(tmp_path / "one") == contents(tmp_path / "three")
    assert (report["pages"], report["rendered"], report["skipped"]) == (40, 40, {})
    shards = {name: ShardSet(tmp_path / "one" / name) for name in ALL}
    assert [example.source for example in shards["lines"]] == sources
    assert report["examples"] == {name: len(shard) for name, shard in shards.items()}
    assert shards["crops"].manifest["about"]["target"] == "crops"
    assert contents(tmp_path / "one").keys() == {
        "skipped.tsv",
        *(f"{name}/{file}" for name in ALL for file in ("manifest.json", "train-00000-of-00001.parquet")),
    }


def test_parts_that_did_not_come_are_counted(tmp_path):
    report = run(["page-1", "part-1", "part-2"], tmp_path)
    assert (report["rendered"], report["lost_parts"]) == (3, 4)
    assert run(["page-1", "part-1", "part-2"], tmp_path, resume=True) == report


def test_sick_pages_are_skipped_and_counted(tmp_path):
    sources = ["page-1", "sick-1", "bug", "page-2", "sick-2", "page-3"]
    seen: list[RenderProgress] = []
    report = run(sources, tmp_path, progress=seen.append)
    assert report["skipped"] == {"failed": 1, "timeout": 2}
    assert (report["pages"], report["rendered"]) == (6, 3)
    assert [example.source for example in ShardSet(tmp_path / "lines")] == ["page-1", "page-2", "page-3"]
    assert ShardSet(tmp_path / "parse").manifest["about"]["skipped"] == {"failed": 1, "timeout": 2}
    assert (tmp_path / "skipped.tsv").read_text().splitlines()[:3] == [
        "source\treason\tmessage",
        "sick-1\ttimeout\tsick-1 took too long",
        "bug\tfailed\tTypeError: nobody expected this",
    ]
    assert [progress.done for progress in seen] == [1, 2, 3, 4, 5, 6]
    assert seen[-1] == RenderProgress(6, 6, sum(report["examples"].values()), {"timeout": 2, "failed": 1})


def test_a_worker_that_dies_is_replaced_and_the_page_skipped_the_second_time(tmp_path):
    flaky = str(tmp_path / "flaky")
    sources = ["page-1", "crash", "page-2", flaky, "page-3", *(f"page-{number}" for number in range(10, 20))]
    report = run(sources, tmp_path / "out", workers=2)
    assert report["skipped"] == {"crashed": 1}
    sources.remove("crash")
    assert [example.source for example in ShardSet(tmp_path / "out" / "lines")] == sources


@pytest.mark.timeout(60)
@pytest.mark.parametrize("place", range(4))
def test_a_page_whose_examples_bring_workers_down_is_found_among_its_neighbours(tmp_path, place):
    """Its examples are made while the next page is looked at: that one must not be skipped for it."""
    sources = [f"page-{number}" for number in range(4)]
    report = run([*sources[:place], "deadly", *sources[place:]], tmp_path, workers=1)
    assert report["skipped"] == {"crashed": 1}
    assert [example.source for example in ShardSet(tmp_path / "lines")] == sources


def test_a_worker_that_hangs_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("pixread.factory.local.HANG_TIMEOUT_S", 2)
    report = run(["page-1", "hang", "page-2"], tmp_path, render=RenderSettings(timeout_s=1))
    assert report["skipped"] == {"hung": 1}
    assert len(ShardSet(tmp_path / "lines")) == 2


@pytest.mark.parametrize(
    ("renderer", "sentence"),
    [(broken, "there is no browser here"), (stillborn, r"worker processes end before their first page \(crashed\)")],
)
def test_workers_that_cannot_work_end_the_run_with_a_sentence(tmp_path, renderer, sentence):
    with pytest.raises(OSError, match=sentence):
        run(["page-1"], tmp_path, open_renderer=renderer)
    assert run(["page-1"], tmp_path)["rendered"] == 1  # nothing was finished, so nothing is in the way


def test_varied_copies_differ_and_the_seed_decides(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        report = run(["page-1", "page-2"], tmp_path / name, vary=3, seed=seed)
        assert report["pages"] == 6
    assert contents(tmp_path / "a") == contents(tmp_path / "b") != contents(tmp_path / "c")
    examples = list(ShardSet(tmp_path / "a" / "lines"))
    assert len({example.targets for example in examples}) == len({example.id for example in examples}) == 6


class StopAfterError(Exception):
    """Stands for any end in the middle of a run."""


def stop_after(pages: int):
    def check(progress: RenderProgress) -> None:
        if progress.done == pages:
            raise StopAfterError

    return check


def test_an_interrupted_run_is_continued_to_the_same_bytes(tmp_path):
    sources = [f"page-{number}" for number in range(30)]
    run(sources, tmp_path / "whole")
    with pytest.raises(StopAfterError):
        run(sources, tmp_path / "out", progress=stop_after(20))
    assert [path.name for path in (tmp_path / "out").iterdir()] == [PARTS]
    with pytest.raises(ValueError, match="holds an interrupted run: continue it with resume, or delete"):
        run(sources, tmp_path / "out")
    with pytest.raises(ValueError, match="holds an interrupted run of other pages or settings: delete"):
        run(sources, tmp_path / "out", seed=2, resume=True)
    seen: list[RenderProgress] = []
    report = run(sources, tmp_path / "out", resume=True, progress=seen.append)
    assert [progress.done for progress in seen] == list(range(17, 31))
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert run(sources, tmp_path / "out", resume=True, open_renderer=broken) == report  # finished: nothing to do


def test_settings_reach_the_targets_and_the_manifest(tmp_path):
    settings = {"parse": ParseSettings(max_chars=30, picture="region")}
    run(["page-1"], tmp_path, targets=["parse"], settings=settings)
    shards = ShardSet(tmp_path / "parse")
    assert shards[0].targets == ("<A second paragraph>",)
    assert shards.manifest["about"]["job"]["settings"]["parse"]["picture"] == "region"
    json.dumps(shards.manifest)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"targets": []}, "no target was given: name some of parse, lines, crops"),
        ({"targets": ["ocr"]}, "there is no target 'ocr': choose from parse, lines, crops"),
        ({"sources": []}, "no HTML page in an empty list"),
        ({"workers": 0}, "workers must be at least 1, got 0"),
        ({"vary": -1}, r"vary must be 0 \(as it is\) or the number of varied copies, got -1"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_written(tmp_path, changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        run(**{"sources": ["page-1"], "out": tmp_path / "out", **changes})
    assert not (tmp_path / "out").exists()


def test_a_folder_with_something_else_is_not_overwritten(tmp_path):
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="lines exists and is not a shard set"):
        run(["page-1"], tmp_path)
    assert contents(tmp_path) == {"lines/thesis.txt": b"mine"}


@pytest.mark.browser
def test_real_pages_through_a_real_browser(tmp_path):
    site = tmp_path / "site"
    (site / "deep").mkdir(parents=True)
    (site / "style.css").write_text("p { margin-top: 100px } .secret { display: none }")
    linked = '<link rel=stylesheet href="../style.css">'
    (site / "deep" / "a.html").write_text(
        f"<!DOCTYPE html>{linked}<h1>A title</h1><p>seen <b>words</b>, said<p class=secret>not"
    )
    (site / "b.html").write_text("<!DOCTYPE html><ul><li>first item &lt;1&gt;</li><li>second item</li></ul>")
    (site / "c-empty.html").write_text("<!DOCTYPE html><body>")
    (site / "d-binary.html").write_bytes(b"\x89PNG\x00\x00")
    report = render_shards(find_pages([str(site)]), tmp_path / "out", targets=ALL, workers=1)
    assert (report["rendered"], report["skipped"]) == (2, {"empty": 1, "not_html": 1})
    lines = {example.source: example for example in ShardSet(tmp_path / "out" / "lines")}
    assert lines["site/deep/a.html"].targets == ("A title\nseen words, said",)
    assert lines["site/deep/a.html"].meta["lines"][1][1] >= 100
    parsed = {target for example in ShardSet(tmp_path / "out" / "parse") for target in example.targets}
    assert {"<<<•><first item &lt;1&gt;>><<•><second item>>>", "<<A title><<seen><words><, said>>>"} <= parsed


def test_target_settings_come_from_texts() -> None:
    chosen = target_settings({"crops.max_chars": "28", "crops.markup": "true", "parse.mask_rate": "0"})
    assert (chosen["crops"].max_chars, chosen["crops"].markup, chosen["parse"].mask_rate) == (28, True, 0.0)


@pytest.mark.parametrize("name", ["max_chars", "crop.max_chars", "crops."])
def test_a_setting_of_no_target_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"is no setting of a target: write TARGET\.NAME with one of parse"):
        target_settings({name: "1"})
