"""`pixread bench read`: real readers on pages written for the test, and what is made of their readings."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pixread.bench.harness.report import Report
from pixread.bench.reading.read import ReadConfig, bench_read
from pixread.bench.reading.results import Journal
from pixread.evaluate import quick_score
from pixread.reader.load import load
from pixread.shards import ShardSet, write_shards
from tests.bench.reading.textless import write_textless
from tests.bench.reading.written import page, with_sign, write_pages
from tests.conftest import Run

PAGES = (
    page("site/<b>one</b>.html", "Reading the morning paper", "with a cup of coffee", "and time"),
    with_sign(page("site/two.html", "Stations of the northern line", "Open every day", with_photo=False)),
    page("other/three.html", "Новости города", with_photo=False),
)
FAKE = """#!/bin/sh
if [ "$1" = --version ]; then echo 'tesseract 5.9.9'; exit 0; fi
{body}
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pages(tmp_path_factory.mktemp("shards"), *PAGES)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is all of PATH, but for what is put into it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def put(folder: Path, body: str) -> None:
    """A tesseract that does what is said."""
    path = folder / "tesseract"
    path.write_text(FAKE.format(body=body))
    path.chmod(0o755)


def figures(report: Report, reader: str = "pixread") -> dict[str, float]:
    return {figure.name: figure.median for figure in report.figures if figure.variant == reader}


def test_scores_are_those_of_evaluation(data: Path):
    """The words of pages and the trees of regions, as the shipped model reads them in this process."""
    found = figures(bench_read(ReadConfig(data=data, against=("none",), threads=1)))
    reader = load(device="cpu")
    score, scores = quick_score(reader, [data / "lines"], task="pages")
    assert found["word F1"] == pytest.approx(score, abs=1e-6)
    assert found["word recall"] == pytest.approx(scores["recall"], abs=1e-6)
    regions = quick_score(reader, [data / "parse"], task="parse")[1]
    assert found["tree similarity of a region, of 3"] == pytest.approx(regions["tree_similarity"], abs=1e-6)


def test_the_shipped_model_is_measured(run: Run, data: Path, tmp_path: Path):
    out = tmp_path / "out"
    ended = run("bench", "read", "--data", data, "--against", "none", "--threads", 1, "--out", out)
    assert ended.code == 0, ended.err
    assert "Reading 3 screenshots" in ended.out
    assert "True words that were missed, of 100" in ended.out
    written = json.loads((out / "read.json").read_text(encoding="utf-8"))
    found = {figure["name"]: figure["median"] for figure in written["figures"]}
    assert found["word F1, Latin script (2 of 3 pages)"] > 0.8
    assert found["word F1, Cyrillic script (1 of 3 pages)"] > 0.4, "two words in Cyrillic"
    assert found["tree similarity of a region, of 3"] > 0.4
    assert 0 <= found["pictures found, of 1"] <= 1
    assert found["seconds a page"] > 0
    assert found["peak memory (MiB)"] > 50
    assert written["about"]["settings"]["model"] == "the shipped model"
    reliability = written["about"]["reliability"]["pixread"]
    # Nine, eight and two words; those of the sign do not count.
    assert reliability["words"] == sum(one["words"] for one in reliability["bins"]) == 9 + 2 + 8 + 2
    assert found["expected calibration error of words"] == reliability["error"]
    assert "Words of pixread by confidence" in ended.out
    lines = [json.loads(line) for line in (out / "pages.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["source"] for line in lines] == [one.source for one in PAGES]
    assert sorted(path.name for path in out.iterdir()) == ["pages.html", "pages.jsonl", "read.json"]
    gallery = (out / "pages.html").read_text(encoding="utf-8")
    assert "3 pages, from the worst read to the best" in gallery
    assert "&lt;b&gt;one" in gallery
    assert "<b>one" not in gallery
    assert "http" not in gallery
    assert gallery.count('<svg class="reliability"') == 1
    assert gallery.count("<img src=") == gallery.count('<img src="data:image/') == 3


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="the program tesseract is not installed")
def test_tesseract_reads(data: Path, tiny_checkpoint: Path):
    report = bench_read(ReadConfig(data=data, model=str(tiny_checkpoint), against=("tesseract",), limit=1, threads=1))
    found = figures(report, "Tesseract")
    assert found["word F1"] > 0.8
    assert found["reading order (Kendall's tau)"] == 1
    assert found["peak memory (MiB)"] > 5
    assert found["no line read there"] == 0
    assert "tree similarity of the page" not in found
    assert report.about["versions"]["Tesseract"][0].isdigit()


def test_rapidocr_reads(data: Path, tmp_path: Path):
    pytest.importorskip("rapidocr")
    from pixread.bench.reading.readers import RapidOcr

    picture = tmp_path / "page.png"
    picture.write_bytes(ShardSet(data / "lines")[0].image)
    found = RapidOcr(num_threads=1).read(str(picture))
    assert [text for text, *_ in found["lines"]] == ["Reading the morning paper", "with a cup of coffee", "and time"]
    assert found["seconds"] > 0
    x, y, width, height = found["lines"][0][1]
    assert (x, y) == pytest.approx((20, 20), abs=8)
    assert 200 < width < 320
    assert 15 < height < 45
    words = found["lines"][0][2]
    assert len(words) == 4
    assert x <= words[0][0] < words[1][0] < words[2][0] < words[3][0] < x + width


def test_pictures_without_text(tmp_path: Path, tiny_checkpoint: Path):
    """Shards hold pages whose truth is empty; the tiny model may say anything of them."""
    write_textless(tmp_path, each=1)
    report = bench_read(ReadConfig(data=tmp_path, model=str(tiny_checkpoint), against=("none",), threads=1))
    found = figures(report)
    assert found["words invented on a picture without text, mean of 7"] >= 0
    assert 0 <= found["word F1"] <= 1


def test_old_shards_have_no_structure(tmp_path: Path, tiny_checkpoint: Path):
    """Shards of before the tree was kept, and without regions: both are left out, and the report says so."""
    write_pages(tmp_path / "new", PAGES[0], regions=False)
    kept = [replace(one, meta={"lines": one.meta["lines"]}) for one in ShardSet(tmp_path / "new" / "lines")]
    write_shards(kept, tmp_path / "old" / "lines", seed=0, about={"target": "lines"})
    report = bench_read(ReadConfig(data=tmp_path / "old", model=str(tiny_checkpoint), against=("none",), threads=1))
    assert not any("tree" in name or "picture" in name for name in figures(report))
    said = " ".join(report.notes)
    assert "The shards hold no trees of whole pages" in said
    assert "There is no shard set parse beside the pages" in said


def test_an_interrupted_run_goes_on(data: Path, program: Path, tiny_checkpoint: Path, tmp_path: Path):
    """The program fails at the second page; with it mended, only what is left is read."""
    table = "level\\tpage\\tblock\\tpar\\tline\\tword\\tleft\\ttop\\twidth\\theight\\tconf\\ttext\\n"
    row = "5\\t1\\t1\\t1\\t1\\t1\\t20\\t20\\t90\\t26\\t96\\t{word}\\n"
    log = tmp_path / "log"
    say = f"printf '{table}{row}'"
    # It has read the first page twice by then: once to warm up.
    put(
        program,
        f"echo x >> {log}\n[ $(/usr/bin/wc -l < {log}) -gt 2 ] && {{ echo no more >&2; exit 3; }}\n"
        + say.format(word="first"),
    )
    out = tmp_path / "out"
    config = ReadConfig(data=data, model=str(tiny_checkpoint), against=("tesseract",), threads=1, out=out)
    with pytest.raises(RuntimeError, match="tesseract failed with exit code 3: no more"):
        bench_read(config)
    assert sorted(path.name for path in out.iterdir()) == ["pages.jsonl.unfinished"]
    regroup(out / "pages.jsonl.unfinished", script="other")  # as an older version wrote
    put(program, say.format(word="second"))
    with pytest.raises(ValueError, match="cannot be resumed, it had limit None, now 2"):
        bench_read(replace(config, resume=True, limit=2))
    told: list[tuple[int, int]] = []
    bench_read(replace(config, resume=True), progress=lambda done, total, note: told.append((done, total)))
    assert told == [(2, 3), (3, 3)]
    lines = [json.loads(line) for line in (out / "pages.jsonl").read_text(encoding="utf-8").splitlines()]
    read = [(text, box[0], box[2]) for line in lines for text, box in line["readings"]["Tesseract"]["lines"]]
    assert read == [(word, 20, 90) for word in ("first", "second", "second")]
    assert [line["script"] for line in lines] == ["latin", "latin", "cyrillic"]


def regroup(path: Path, *, script: str) -> None:
    """Writes another script to the pages of an unfinished run."""
    head, *lines = path.read_text(encoding="utf-8").splitlines()
    pages = [json.dumps({**json.loads(line), "script": script}) for line in lines]
    path.write_text("\n".join([head, *pages, ""]), encoding="utf-8")


def test_half_a_line_is_left_out(tmp_path: Path):
    """What an interruption leaves of the last page; a file that was cut in its first line holds no pages."""
    unfinished = tmp_path / "pages.jsonl.unfinished"
    unfinished.write_text('{"threads": 1}\n{"index": 0, "id')
    assert Journal(tmp_path, {"threads": 1}, resume=True).results == []
    assert unfinished.read_text() == '{"threads": 1}\n'


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--against", "abbyy"], 1, "against tesseract and rapidocr, or none of them, got 'abbyy'"),
        (["--against", "none,tesseract"], 1, "or none of them, got 'none, tesseract'"),
        (["--against", "tesseract"], 1, "Tesseract is not installed; it comes with the package tesseract-ocr"),
        (["--resume"], 2, "--resume needs --out"),
    ],
)
def test_bad_usage(run: Run, data: Path, program: Path, arguments: list[str], code: int, said: str):
    assert list(program.iterdir()) == []
    ended = run("bench", "read", "--data", data, *arguments)
    assert ended.code == code
    assert said in " ".join(ended.err.split())


def test_bad_shards(run: Run, data: Path, tmp_path: Path):
    nothing = run("bench", "read", "--data", tmp_path / "nowhere", "--against", "none", "--out", tmp_path / "out")
    assert (nothing.code, len(nothing.err.splitlines())) == (1, 1)
    assert "nowhere" in nothing.err
    regions = run("bench", "read", "--data", data / "parse", "--against", "none", "--out", tmp_path / "out")
    assert regions.code == 1
    assert "holds no whole pages; pixread render --targets lines,parse makes them" in regions.err
    assert not (tmp_path / "out").exists()


def test_a_program_that_cannot_say_its_version_is_no_reader(run: Run, data: Path, program: Path):
    path = program / "tesseract"
    path.write_text("#!/bin/sh\necho broken >&2\nexit 127\n")
    path.chmod(0o755)
    ended = run("bench", "read", "--data", data, "--against", "tesseract")
    assert (ended.code, ended.err) == (1, "pixread: tesseract --version failed with exit code 127: broken\n")
