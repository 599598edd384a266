"""`pixread bench read --conditions`: the shipped reader on pages written for the test, and matrices by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from pixread.bench.reading.condition_figures import F1_DIFFERENCE, WORST, matrix_figures, matrix_notes
from pixread.bench.reading.conditions import PIXEL_CONDITIONS
from pixread.bench.reading.read import ReadConfig
from pixread.bench.reading.read_conditions import ConditionsConfig, bench_conditions
from pixread.bench.reading.results import PageResult, page_result
from pixread.factory.local import render_shards
from pixread.images.open import open_picture
from pixread.records import Mark
from pixread.render.page import RenderSettings
from pixread.shards import ShardSet
from tests.bench.reading.written import PHOTO, example_of, page, write_pages
from tests.conftest import Run

PAGES = (
    page("site/one.html", "Reading the morning paper", "with a cup of coffee"),
    page("site/two.html", "Stations of the northern line", with_photo=False),
    page("other/three.html", "Москва и область", with_photo=False),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pages(tmp_path_factory.mktemp("shards"), *PAGES, regions=False)


def test_the_shipped_model_is_measured(run: Run, data: Path, tmp_path: Path):
    out = tmp_path / "out"
    only = ["--only", "turned-3", "--only", "as-rendered"]
    command = ["bench", "read", "--data", data, "--against", "none", "--threads", 1, "--out", out, "--conditions"]
    ended = run(*command, *only)
    assert ended.code == 0, ended.err
    assert "Reading 3 screenshots in 2 conditions" in ended.out
    written = json.loads((out / "conditions.json").read_text(encoding="utf-8"))
    found = {(figure["case"], figure["name"]): figure["median"] for figure in written["figures"]}
    clean = found["Word F1, Latin script (2 pages)", "as rendered"]
    assert clean > 0.8
    assert found[WORST, "Latin script (2 pages)"] <= clean
    assert found["Seconds a page", "turned by 3 degrees"] > 0
    assert any(note.startswith("pixread: worst word F1") for note in written["notes"])
    lines = [json.loads(line) for line in (out / "conditions.jsonl").read_text(encoding="utf-8").splitlines()]
    # Each page in all conditions, in the order of the table.
    assert [(line["index"], line["condition"]) for line in lines[:3]] == [
        (0, "as-rendered"),
        (0, "turned-3"),
        (1, "as-rendered"),
    ]
    assert len(lines) == 6
    gallery = (out / "conditions.html").read_text(encoding="utf-8")
    assert gallery.count("<article>") == 2
    assert "other/three.html" not in gallery  # it is read worst, but two of three pages are Latin
    assert "<h3>turned by 3 degrees</h3>" in gallery


def test_an_interrupted_run_goes_on(data: Path, tiny_checkpoint: Path, tmp_path: Path):
    """The run is stopped after two of four pictures; another reader, here another checkpoint, cannot go on with it."""
    read = ReadConfig(data=data, model=str(tiny_checkpoint), against=("none",), limit=2, threads=1, out=tmp_path)
    config = ConditionsConfig(read=read, only=("as-rendered", "size-50"))
    told: list[tuple[int, int]] = []

    def stop(done: int, total: int, note: str) -> None:
        told.append((done, total))
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench_conditions(config, progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["conditions.jsonl.unfinished"]
    again = replace(config, read=replace(read, resume=True))
    with pytest.raises(ValueError, match=r"cannot be resumed, it had limit 2, now 1"):
        bench_conditions(replace(again, read=replace(again.read, limit=1)))
    bench_conditions(again, progress=stop)
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.browser
def test_pages_are_rendered_anew(tmp_path: Path, tiny_checkpoint: Path):
    """Each condition has a truth of its own; one page of two is not named by --pages, and that is said."""
    site = tmp_path / "site"
    site.mkdir()
    phone = "<style>#wide{display:none}@media(min-width:600px){#wide{display:block}}</style>"
    dark = "<style>@media(prefers-color-scheme:dark){body{background:black;color:white}}</style>"
    (site / "one.html").write_text(f"<!doctype html>{phone}{dark}<p>Seen everywhere<p id=wide>at desks only")
    (site / "two.html").write_text("<!doctype html><p>Another page")
    render = RenderSettings(width=700, height=64)
    render_shards(site, tmp_path / "data", targets="lines", render=render, workers=1)
    only = ("as-rendered", "phone", "device-scale-2", "zoom-50", "no-antialiasing", "dark")
    out = tmp_path / "out"
    read = ReadConfig(data=tmp_path / "data", model=str(tiny_checkpoint), against=("none",), threads=1, out=out)
    bench_conditions(ConditionsConfig(read=read, only=only, pages=site))
    lines = [json.loads(line) for line in (out / "conditions.jsonl").read_text(encoding="utf-8").splitlines()]
    truths = {line["condition"]: line["truth"] for line in lines if line["source"] == "site/one.html"}
    assert truths == dict.fromkeys(only, "Seen everywhere\nat desks only") | {"phone": "Seen everywhere"}
    shown = {name: open_picture(ShardSet(out / "rendered" / name / "lines")[0].image) for name in only[1:]}
    assert {name: image.size for name, image in shown.items()} == {
        "phone": (1170, 2532),
        "device-scale-2": (1400, 128),
        "zoom-50": (700, 64),
        "no-antialiasing": (700, 64),
        "dark": (700, 64),
    }
    assert len(shown["no-antialiasing"].getcolors() or ()) == 2
    assert shown["dark"].getpixel((0, 0)) == (0, 0, 0)
    assert len(shown["zoom-50"].getcolors() or ()) > 2
    (site / "two.html").unlink()
    again = ConditionsConfig(read=replace(read, out=None), only=("dark",), pages=site)
    assert "dark colours: 1 of 2 pages were not named or not rendered" in bench_conditions(again).notes


def test_pages_of_another_list_are_refused(data: Path, tmp_path: Path):
    (tmp_path / "other.html").write_text("<p>x")
    read = ReadConfig(data=data, against=("none",))
    with pytest.raises(
        ValueError, match=r"names none of the pages in the shards, the first of which is site/one.html$"
    ):
        bench_conditions(ConditionsConfig(read=read, pages=tmp_path))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--conditions", "--only", "rain"], 1, "there is no condition 'rain', choose from as-rendered, jpeg-60"),
        (["--only", "jpeg-60"], 2, "--only needs --conditions"),
        (["--conditions", "--only", "phone"], 1, "phone renders the pages anew: name their HTML with --pages"),
    ],
)
def test_bad_usage(run: Run, data: Path, arguments: list[str], code: int, said: str):
    ended = run("bench", "read", "--data", data, "--against", "none", *arguments)
    assert ended.code == code
    assert said in " ".join(ended.err.split())


def result(number: int, condition: str, ours: str, theirs: str) -> PageResult:
    """A page of four words, read twice."""
    example = example_of(page(f"a/{number}.html", "one two", "three four", with_photo=False))
    said = {
        name: {"lines": [(text, None)], "seconds": 1.0, "memory_mib": 1.0}
        for name, text in (("pixread", ours), ("Other", theirs))
    }
    return page_result(number, example, said, condition=condition)


def test_the_matrix():
    all_four, half = "one two three four", "one two"
    cells = {
        "as rendered": [result(0, "as-rendered", all_four, half), result(1, "as-rendered", all_four, all_four)],
        "half size": [result(0, "size-50", half, all_four), result(1, "size-50", "", all_four)],
    }
    figures = {(one.case, one.variant, one.name): one for one in matrix_figures(cells)}
    script = "Latin script (2 pages)"
    assert figures[f"Word F1, {script}", "pixread", "as rendered"].median == 1
    assert figures[f"Word F1, {script}", "Other", "as rendered"].median == pytest.approx((2 / 3 + 1) / 2)
    assert figures[f"Word recall, {script}", "pixread", "half size"].median == 0.25
    assert figures[WORST, "pixread", script].median == pytest.approx(1 / 3)
    assert figures[WORST, "Other", script].median == pytest.approx(5 / 6)
    half_size = figures[f"{F1_DIFFERENCE}, {script}", "Other", "half size"]
    assert half_size.median == pytest.approx(-2 / 3)
    assert half_size.values == pytest.approx((-1, -2 / 3, -1 / 3))
    assert figures[f"{F1_DIFFERENCE}, {script}", "Other", "all conditions"].median == pytest.approx((1 / 6 - 2 / 3) / 2)
    assert (f"{F1_DIFFERENCE}, {script}", "pixread", "half size") not in figures
    assert matrix_notes(cells)[0] == f"pixread: worst word F1 0.333 (half size; {script})"


def test_unscored_parts_are_carried_along():
    """On the turned page the photograph stands elsewhere: what is read at its old place counts, at its new does not."""
    shown = page("a/0.html", "one two")
    example = example_of(replace(shown, marks=(Mark("picture", PHOTO),)))
    turned = next(condition for condition in PIXEL_CONDITIONS if condition.name == "turned-3")
    after = turned.picture(open_picture(example.image, name="page"), seed=0).size
    map_boxes = partial(turned.quads, before=(shown.width, shown.height), after=after, seed=0)
    (quad,) = map_boxes([PHOTO])
    x, y = (sum(corner[axis] for corner in quad) / 4 for axis in (0, 1))
    lines = [("EXIT", [x - 30, y - 10, 60, 20]), ("kept", [PHOTO.x + 30, PHOTO.y, 60, 12])]
    said = {"pixread": {"lines": lines, "seconds": 1.0, "memory_mib": 1.0}}
    assert page_result(0, example, said, condition="turned-3", map_boxes=map_boxes).readings["pixread"].text == "kept"


def test_readers_that_differ_in_nothing_have_an_interval_of_nothing():
    cells = {"as rendered": [result(number, "as-rendered", "one", "one") for number in range(3)]}
    (figure,) = [
        one for one in matrix_figures(cells) if one.case.startswith(F1_DIFFERENCE) and one.name == "as rendered"
    ]
    assert figure.values == (0, 0, 0)
