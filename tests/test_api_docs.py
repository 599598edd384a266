"""docs/api.md against the code: its signatures, its tables of fields, its exit codes and its examples."""

import contextlib
import dataclasses
import importlib
import inspect
import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from PIL import Image, ImageDraw, ImageFont

import pixread
from pixread import records
from pixread.cli import app
from pixread.cli.formats import Format, as_json, node_as_json
from pixread.generate.options import DecodingKeywords, DecodingOptions
from pixread.reader.line_by_line import PageReader
from pixread.reader.load import LoadOptions
from pixread.reader.reader import Reader
from pixread.records import Box, Node, Reading
from tests.conftest import Run

DOCS = Path(__file__).parent.parent / "docs"
TEXT = (DOCS / "api.md").read_text(encoding="utf-8")
FONT = Path(pixread.__file__).parent / "assets" / "fonts" / "LiberationSans-Regular.ttf"
READERS = {"PageReader": PageReader, "Reader": Reader}
READER_METHODS = ("parse", "read", "sample", "score", "stream")


def sections() -> dict[str, str]:
    """The text below each heading of the third level, up to the next heading."""
    parts = re.split(r"^#{2,3} (.*)$", TEXT, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def fenced(language: str, text: str = TEXT) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def signatures() -> Iterator[tuple[str, str, str]]:
    """The name, the signature and the section of everything that can be called."""
    for title, text in sections().items():
        for line in "".join(fenced("text", text)).splitlines():
            name, bracket, rest = line.partition("(")
            yield name, bracket + rest, title


def rows(text: str, head: str) -> list[list[str]]:
    """The cells of the table whose first column is headed so, without its head."""
    table = re.search(rf"^\| {head} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, flags=re.MULTILINE)
    assert table is not None, head
    return [[cell.strip() for cell in line.strip("| ").split("|")] for line in table[1].splitlines()]


def names(text: str, head: str) -> list[str]:
    return [name for row in rows(text, head) for name in re.findall(r"`([^`]+)`", row[0])]


def resolved(name: str) -> Any:
    """What a dotted name stands for; readers go by the names of their classes."""
    first, *rest = name.split(".")
    if first in READERS:
        return getattr(READERS[first], rest[0])
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def written_signature(function: Any) -> str:
    """Without `self`, and without the annotations of arguments."""
    signature = inspect.signature(function)
    shown = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in signature.parameters.values()
        if parameter.name != "self"
    ]
    arguments = str(signature.replace(parameters=shown, return_annotation=inspect.Signature.empty))
    returned = "" if inspect.isclass(function) else f" -> {signature.return_annotation}"
    return f"{arguments}{returned}"


SIGNATURES = list(signatures())
RECORDS = [title.strip("`") for title in sections() if title.startswith("`pixread.records.")]


@pytest.mark.parametrize(("name", "signature", "title"), SIGNATURES, ids=[name for name, _, _ in SIGNATURES])
def test_a_signature_is_that_of_the_code(name: str, signature: str, title: str):
    assert signature == written_signature(resolved(name))
    prose = re.sub(r"^```.*?^```$", "", sections()[title], flags=re.MULTILINE | re.DOTALL)
    parameters = inspect.signature(resolved(name)).parameters
    explained = set(re.findall(r"`(\w+)`", prose))
    assert [one for one in parameters if one != "self" and one not in explained] == []


def test_everything_public_is_there():
    listed = {name for name, _, _ in SIGNATURES}
    assert {f"pixread.{name}" for name in pixread.__all__} - {"pixread.__version__"} <= listed
    assert "`pixread.__version__`" in TEXT
    for name, kind in READERS.items():
        methods = {method for method, _ in inspect.getmembers(kind, callable) if not method.startswith("_")}
        assert methods - {"load"} == set(READER_METHODS)
        assert {f"{name}.{method}" for method in READER_METHODS} <= listed


def test_the_keywords_are_all_there():
    assert set(names(sections()["`pixread.load`"], "option")) == LoadOptions.__optional_keys__
    decoding = names(sections()["Decoding keywords"], "keyword")
    assert decoding == [field.name for field in dataclasses.fields(DecodingOptions)]
    assert set(decoding) == DecodingKeywords.__optional_keys__


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_has_these_fields(name: str):
    record, text = resolved(name), sections()[f"`{name}`"]
    assert names(text, "field") == [field.name for field in dataclasses.fields(record)]
    more = {
        member
        for member, value in inspect.getmembers(record)
        if not member.startswith("_") and (isinstance(value, property) or inspect.isroutine(value))
    }
    assert {member for member in more if not re.search(rf"`(?:\w+\.)?{member}[`(]", text)} == set()


def test_kinds_are_all_there():
    for name, kinds in (("Region", records.RegionKind), ("DrawnBox", records.BoxKind)):
        text = sections()[f"`pixread.records.{name}`"]
        assert all(f"`{kind}`" in text for kind in get_args(kinds))


@pytest.mark.parametrize("base", [ValueError, UserWarning])
def test_errors_and_warnings_exist(base: type[Exception]):
    found = [resolved(name) for name in re.findall(r"`(pixread\.[\w.]+(?:Error|Warning))`", TEXT)]
    assert len([kind for kind in found if issubclass(kind, base)]) >= 2
    assert all(issubclass(kind, ValueError | UserWarning) for kind in found)


def test_json_has_these_fields():
    tree = Node(children=(Node(text="a", box=Box(0, 0, 1, 1), confidence=1.0), Node(image="b", alt="c")))
    reading = Reading("<<a><img_src=b img_alt=c>>", tree, 0.0, 10, 10, 0.1)
    assert names(sections()["JSON"], "field") == list(as_json(reading, file="a.png", model="m"))
    keys = {key for node in tree.walk() for key in node_as_json(node)}
    assert set(names(sections()["JSON"], "node field")) == keys


def test_the_command_line_is_as_said(tmp_path: Path, run: Run):
    text = sections()["Command line"]
    commands = {command.callback.__name__ for command in app.registered_commands if command.callback}
    commands |= {str(group.name) for group in app.registered_groups}
    assert set(re.findall(r"`(\w+)`", text.partition("Results go")[0])) == commands
    draw_pictures(tmp_path)
    page, missing = tmp_path / "page.png", tmp_path / "missing.png"
    whole, some, wrong = (
        run("parse", page, "--format", Format.json, "--device", "cpu"),
        run("parse", missing, page, "--device", "cpu"),
        run("parse", page, "--format", "unknown"),
    )
    assert [whole.code, some.code, wrong.code] == [0, 1, 2]
    assert json.loads(whole.out)["file"] == str(page)
    assert some.out.strip()
    assert some.err.startswith("pixread: ")


def draw_pictures(folder: Path) -> None:
    """The pictures that the examples name."""
    for name, words in (("page.png", "Total 12.00"), ("chart.png", "Sales 2019")):
        picture = Image.new("RGB", (640, 200), "white")
        ImageDraw.Draw(picture).text((40, 80), words, font=ImageFont.truetype(FONT, 28), fill="black")
        picture.save(folder / name)


def test_the_examples_run(tmp_path: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch):
    """One after the other; what stands behind `# -> ` is what they print."""
    draw_pictures(tmp_path)
    shutil.copytree(tiny_checkpoint, tmp_path / "my-checkpoint")
    monkeypatch.chdir(tmp_path)
    code, printed = "\n".join(fenced("python")), io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "docs/api.md", "exec"), {})
    expected = re.findall(r"^# -> (.*)$", code, flags=re.MULTILINE)
    lines = iter(printed.getvalue().splitlines())
    assert [one for one in expected if one not in lines] == []  # in this order
