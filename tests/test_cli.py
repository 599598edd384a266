"""The command line as a user meets it: what is printed where, which files appear, and how it ends."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

import pixread
from pixread.cli import sentence
from pixread.cli.formats import node_as_json, outline
from pixread.cli.report import section
from pixread.markup import parse as parse_tree
from pixread.records import Box, Example, Node, Reading
from pixread.shards import sets_in, write_shards
from tests.conftest import Run
from tests.drawn import draw_text

PIXREAD = [sys.executable, "-m", "pixread"]


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A picture with a heading and two lines."""
    image = Image.new("RGB", (400, 160), "white")
    draw_text(image, (20, 20), "The heading of it", size=26)
    draw_text(image, (20, 80), "and below it two lines")
    draw_text(image, (20, 104), "of text <that> are & stay short")
    image.save(tmp_path / "page.png")
    return tmp_path / "page.png"


def test_json_has_one_line_a_picture(run: Run, page: Path, tiny_checkpoint: Path):
    ended = run("parse", page, page, "--model", tiny_checkpoint, "--format", "json")
    assert (ended.code, ended.err) == (0, "")
    first, second = (json.loads(line) for line in ended.out.splitlines())
    assert list(first) == ["file", "model", "width", "height", "text", "tree", "score", "seconds"]
    assert first["file"] == str(page)
    assert first["model"] == str(tiny_checkpoint)
    assert (first["width"], first["height"]) == (400, 160)
    assert first["text"] == second["text"]
    assert first["score"] < 0 < first["seconds"]
    assert 0 < first["tree"]["confidence"] <= 1


def test_a_page_is_read_with_boxes(run: Run, page: Path):
    """By the shipped reader."""
    ended = run("parse", page, "--format", "json")
    assert (ended.code, ended.err) == (0, "")
    found = json.loads(ended.out)
    assert found["model"] == "the shipped model"
    leaves = [node for node in walk(found["tree"]) if "text" in node]
    assert num_lines(leaves) == 3
    assert all(len(leaf["box"]) == 4 and 0 < leaf["confidence"] <= 1 for leaf in leaves)
    part = json.loads(run("parse", page, "--format", "json", "--region", "0,70,400,90").out)
    leaves = [node for node in walk(part["tree"]) if "text" in node]
    assert num_lines(leaves) == 2
    assert all(leaf["box"][1] >= 70 for leaf in leaves)


def num_lines(leaves: list[dict]) -> int:
    """How many lines of the page, which are 24 pixels apart at least, the boxes of the leaves reach."""
    tops = [(top, top + height) for leaf in leaves for _, top, _, height in [leaf["box"]]]
    return sum(any(top < middle < bottom for top, bottom in tops) for middle in (36, 88, 113))


def walk(node: dict) -> list[dict]:
    return [node, *(below for child in node.get("children", []) for below in walk(child))]


def test_html_is_the_grammar_and_text_an_outline(run: Run, page: Path):
    as_html = run("parse", page, "--format", "html")
    assert as_html.out.startswith("<")
    tree = parse_tree(as_html.out)
    as_text = run("parse", page)
    shown = [line.strip() for line in as_text.out.splitlines() if line.strip()]
    # The outline of a reading knows which texts stand on one line, that of its simplified HTML does not.
    assert letters(" ".join(shown)) == letters(outline(tree))
    assert 1 <= len(shown) <= 3


def letters(text: str) -> str:
    return "".join(text.split())


def test_a_question_is_asked(run: Run, page: Path, tiny_checkpoint: Path):
    options = ("--model", tiny_checkpoint, "--format", "json")
    asked = run("parse", page, *options, "--question", "What is the heading of it?")
    silent = run("parse", page, *options)
    assert json.loads(asked.out)["score"] != json.loads(silent.out)["score"]


def test_beams_search_further(run: Run, page: Path, tiny_checkpoint: Path):
    options = ("--model", tiny_checkpoint, "--format", "json")
    found = json.loads(run("parse", page, *options, "--beams", 4).out)
    reader = pixread.load(tiny_checkpoint)
    assert found["text"] == reader.read(page, beams=4).text
    assert found["score"] != json.loads(run("parse", page, *options).out)["score"]


def test_a_bad_picture_does_not_stop_the_others(run: Run, page: Path, tmp_path: Path, tiny_checkpoint: Path):
    (tmp_path / "broken.png").write_bytes(page.read_bytes()[:300])
    (tmp_path / "paper.pdf").write_bytes(b"%PDF-1.7")
    files = (tmp_path / "broken.png", tmp_path / "none.png", page, tmp_path / "paper.pdf")
    ended = run("parse", *files, "--model", tiny_checkpoint, "--format", "json", "--out", tmp_path / "out")
    assert ended.code == 1
    assert [json.loads(line)["file"] for line in ended.out.splitlines()] == [str(page)]
    said = ended.err.splitlines()
    assert len(said) == 4
    assert said[0].startswith(f"pixread: {tmp_path}/broken.png is cut off or damaged")
    assert said[1] == f"pixread: cannot read {tmp_path}/none.png: No such file or directory"
    assert said[2].startswith(f"pixread: {tmp_path}/paper.pdf is a PDF, which pixread does not read yet")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["page.json", "report.html"]


def test_out_writes_a_file_for_each_and_a_report(run: Run, page: Path, tmp_path: Path):
    other = tmp_path / "other" / "page.png"
    other.parent.mkdir()
    other.write_bytes(page.read_bytes())
    out = tmp_path / "deep" / "out"
    ended = run("parse", page, other, "--out", out, "--format", "html")
    assert ended.code == 0
    assert ended.err == f"wrote {out}/report.html\n"
    assert sorted(path.name for path in out.iterdir()) == ["page-2.html", "page.html", "report.html"]
    assert (out / "page.html").read_text() == ended.out.splitlines(keepends=True)[0]
    report = (out / "report.html").read_text()
    assert report.count('<section class="reading">') == 2
    assert report.count("<rect ") == report.count('class="leaf text"') >= 4
    assert "http" not in report.replace("http://www.w3.org", "")


def test_an_interrupted_command_leaves_no_half_report(
    run: Run, page: Path, tmp_path: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
):
    def stop(*arguments: object, **options: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("pixread.cli.parse.written", stop)
    ended = run("parse", page, "--model", tiny_checkpoint, "--out", tmp_path / "out")
    assert ended.code == 130
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["parse"], "Missing argument"),
        (["parse", "x.png", "--region", "1,2,3"], "a region is four numbers X,Y,W,H"),
        (["parse", "x.png", "--region", "1,2,-3,4"], "a region is four numbers X,Y,W,H"),
        (["parse", "x.png", "--format", "xml"], "xml"),
        (["parse", "x.png", "--beams", "0"], "beams"),
        (["parse", "x.png", "--dtype", "int3"], "int3"),
        (["train", "warmup-base", "--out", "x", "--set", "steps"], "--set takes name=value"),
        (["unknown"], "unknown"),
    ],
)
def test_bad_usage_ends_with_2(run: Run, arguments: list[str], words: str):
    ended = run(*arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert words in " ".join(ended.err.replace("│", " ").split())


def test_failures_are_one_sentence(run: Run, page: Path, tmp_path: Path, tiny_checkpoint: Path):
    (tmp_path / "file").write_text("")
    cases: list[tuple[list[object], str]] = [
        (["parse", page, "--model", tmp_path / "none"], f"{tmp_path}/none is not a checkpoint folder"),
        (["parse", page, "--model", tmp_path], f"{tmp_path} is neither a checkpoint folder (no config.json) nor a"),
        (["parse", page, "--model", tiny_checkpoint, "--device", "quantum"], "the device 'quantum' cannot be used"),
        (["parse", page, "--model", tiny_checkpoint, "--out", tmp_path / "file"], f"cannot write to {tmp_path}/file: "),
        (["parse", page, "--model", tiny_checkpoint, "--region", "0,0,999,9"], f"{page}: the region 0,0,999,9 "),
        (
            ["parse", page, "--question", "Why?"],
            f"{page}: the shipped model reads pages and answers no questions: load a",
        ),
        (
            ["parse", page, "--beams", "2"],
            f"{page}: beams cannot be given to the page reader, which writes no tokens: ",
        ),
        (["inspect", tmp_path / "none"], f"{tmp_path}/none"),
        (["train", "no-such", "--out", tmp_path / "run"], "no recipe 'no-such'; the recipes are "),
        (["evaluate", tmp_path / "none", "--out", tmp_path / "scores"], ""),
        (["bench", "encode", "--dtypes", "int3"], "the encode bench has no variant in 'int3'; choose from "),
        (["render", tmp_path / "none", "--out", tmp_path / "shards"], f"{tmp_path}/none does not exist"),
    ]
    for arguments, start in cases:
        ended = run(*arguments)
        assert (ended.code, ended.out) == (1, ""), arguments
        assert ended.err.startswith(f"pixread: {start}"), ended.err
        assert ended.err.count("\n") == 1, ended.err


def test_unexpected_errors_say_how_to_see_more(run: Run, page: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("pixread.cli.parse.load_reader", fail)
    ended = run("parse", page)
    assert ended.code == 1
    assert ended.err == "pixread: ZeroDivisionError: by zero (set PIXREAD_DEBUG=1 to see where it happened)\n"
    monkeypatch.setenv("PIXREAD_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        run("parse", page)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("two\nlines"), "two lines"),
        (OSError(28, "No space left on device", "x.json"), "x.json: No space left on device"),
        (MemoryError(), "there is not enough memory for this"),
        (
            ModuleNotFoundError("No module named 'apted'", name="apted"),
            "this needs the Python package apted; pip instal",
        ),
    ],
)
def test_sentences(error: Exception, said: str):
    assert sentence(error).startswith(said)


def test_help_is_quick_and_loads_nothing_heavy():
    code = "import sys; from pixread.cli import app; print('torch' in sys.modules, 'numpy' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["False", "False"]
    ended = subprocess.run([*PIXREAD, "--help"], capture_output=True, text=True, check=True)
    for name in ("parse", "render", "inspect", "train", "evaluate", "bench"):
        assert f" {name} " in ended.stdout
    version = subprocess.run([*PIXREAD, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout == f"{pixread.__version__}\n"


def test_ctrl_c_ends_with_130(page: Path, tiny_checkpoint: Path):
    files = [str(page)] * 3000
    command = [*PIXREAD, "parse", *files, "--model", str(tiny_checkpoint)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it is at work now
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert process.stderr is not None
        assert process.returncode == 130
        assert "Traceback" not in process.stderr.read()


def test_a_closed_pipe_is_no_failure_to_tell_of(page: Path, tiny_checkpoint: Path):
    command = [*PIXREAD, "parse", *[str(page)] * 50, "--model", str(tiny_checkpoint)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_node_as_json():
    tree = Node(
        children=(
            Node(text="a < b", box=Box(1, 2, 3, 4), confidence=0.123456),
            Node(image="logo", alt="The logo"),
            Node(alt="only"),
            Node(),
        )
    )
    assert node_as_json(tree) == {
        "children": [
            {"text": "a < b", "box": [1, 2, 3, 4], "confidence": 0.1235},
            {"image": "logo", "alt": "The logo"},
            {"alt": "only"},
            {"children": []},
        ]
    }


def test_outline():
    rows = Node(children=(Node(text="one"), Node(children=(Node(text="two"), Node(image="x", alt="y")))))
    assert (
        outline(Node(children=(Node(text="Title"), rows, Node(alt="z")))) == "Title\n\none\n  two\n  [x y]\n\n[image z]"
    )
    assert outline(Node(text="only")) == "only"
    assert outline(Node()) == ""


def test_report_escapes_what_was_read():
    tree = Node(children=(Node(text='<script>"&', box=Box(1, 2, 30, 4), confidence=0.2), Node(text="plain")))
    reading = Reading("", tree, -1.0, 50, 40, 0.5, (Box(1, 2, 30, 4),))
    shown = section("a<b>.png", Image.new("RGB", (50, 40)), reading)
    assert "<script>" not in shown
    assert "a&lt;b&gt;.png" in shown
    assert "1 region," in shown
    assert shown.count("&lt;script&gt;") == 2
    assert 'class="unsure"' in shown
    assert shown.count('data-node="0"') == 2


def make_shards(folder: Path, page: Path, *, target: str) -> None:
    example = Example(id="1", image=page.read_bytes(), targets=("a line",), group_id="g", source="s")
    write_shards([example], folder, seed=0, about={"target": target})


def test_inspect_and_evaluate(run: Run, page: Path, tmp_path: Path, tiny_checkpoint: Path):
    make_shards(tmp_path / "shards" / "crops", page, target="crops")
    shown = run("inspect", tmp_path / "shards", "--out", tmp_path / "gallery")
    assert (shown.code, shown.out) == (0, f"{tmp_path}/gallery/index.html\n")
    assert (tmp_path / "gallery" / "index.html").is_file()
    ended = run("evaluate", tmp_path / "shards", "--model", tiny_checkpoint, "--out", tmp_path / "scores")
    assert ended.code == 0, ended.err
    assert "crops" in ended.out
    assert json.loads((tmp_path / "scores" / "metrics.json").read_text())["task"] == "crops"


def test_train_then_read(run: Run, page: Path, tmp_path: Path):
    small = ("size=nano", "vocab_size=600", "steps=2", "batch_size=2", "workers=0", "evaluate_examples=0", "threads=1")
    options = [part for change in small for part in ("--set", change)]
    ended = run("train", "warmup-base", "--out", tmp_path / "run", *options)
    assert ended.code == 0, ended.err
    assert ended.out == f"{tmp_path}/run/step-00000002\n"
    read = run("parse", page, "--model", tmp_path / "run", "--format", "json", "--max-new-tokens", 3)
    assert read.code == 0, read.err
    assert json.loads(read.out)["model"] == str(tmp_path / "run" / "step-00000002")


@pytest.mark.browser
def test_pages_are_rendered_and_read(run: Run, tmp_path: Path, tiny_checkpoint: Path):
    (tmp_path / "page.html").write_text("<h1>A heading</h1><p>and a paragraph of some words</p>")
    (tmp_path / "empty.html").write_text("<p></p>")
    ended = run(
        "parse", tmp_path / "page.html", tmp_path / "empty.html", "--model", tiny_checkpoint, "--format", "json"
    )
    assert ended.code == 1
    assert json.loads(ended.out)["width"] == 1024
    assert ended.err.startswith(f"pixread: {tmp_path}/empty.html: ")
    shards = tmp_path / "shards"
    made = run("render", tmp_path / "page.html", "--targets", "parse,lines", "--out", shards, "--workers", 1)
    assert made.code == 0, made.err
    assert json.loads(made.out)["rendered"] == 1
    assert sets_in(shards) == [shards / "lines", shards / "parse"]


def test_convert_halves_the_weights_and_keeps_the_rest(run: Run, page: Path, tmp_path: Path, tiny_checkpoint: Path):
    ended = run("convert", tiny_checkpoint, tmp_path / "small", "--dtype", "bfloat16")
    assert (ended.code, ended.out.strip()) == (0, str(tmp_path / "small"))
    assert sorted(path.name for path in (tmp_path / "small").iterdir()) == sorted(
        path.name for path in tiny_checkpoint.iterdir()
    )
    weights = "model.safetensors"
    assert (tmp_path / "small" / weights).stat().st_size < 0.55 * (tiny_checkpoint / weights).stat().st_size
    assert run("parse", page, "--model", tmp_path / "small").code == 0
    assert run("convert", tmp_path / "none", tmp_path / "x").err == (
        f"pixread: {tmp_path / 'none'} is not a checkpoint folder\n"
    )


def test_an_earlier_report_stays_when_nothing_can_be_read(run: Run, page: Path, tmp_path: Path, tiny_checkpoint: Path):
    """An empty report replaced it, and was said to be written."""
    assert run("parse", page, "--model", tiny_checkpoint, "--out", tmp_path / "out").code == 0
    before = (tmp_path / "out" / "report.html").read_bytes()
    ended = run("parse", tmp_path / "none.png", "--model", tiny_checkpoint, "--out", tmp_path / "out")
    assert (ended.code, "wrote" in ended.err) == (1, False)
    assert (tmp_path / "out" / "report.html").read_bytes() == before
