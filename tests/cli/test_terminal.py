"""What is shown of names and texts that would steer a terminal."""

import io
import json
import sys
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rich.table import Table

from pixread.cli.terminal import MOST_ALIKE, WarningPrinter, progress_bar, result, say, show_table, shown
from pixread.images.text_drawing import warn_of_lost
from tests.conftest import Run

EVIL = "a\x1b[31m\x1b]0;title\x07\u202eb\x9b2J\u2066"
STEERING = "\x1b\x07\x9b\u202e\u2066"


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        return True


@given(st.text())
def test_json_means_the_same_as_before(text: str):
    assert json.loads(shown(json.dumps(text, ensure_ascii=False))) == text


@pytest.mark.parametrize("text", ["नमस्ते क्‍ष", "👩‍👩‍👧", "a\tb\nc", "x\u00a0y", "日本\u3000語", "مرحبا"])
def test_what_is_written_in_any_script_stays(text: str):
    assert shown(text) == text


def test_tables_messages_and_bars_do_not_steer_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    table = Table(EVIL)
    table.add_row(EVIL)
    show_table(table, width=200)
    say(EVIL)
    said = capsys.readouterr()
    assert not set(STEERING) & set(said.out + said.err)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress_bar("[red]" + EVIL) as show:
        show(1, 2, EVIL)
    assert not set(STEERING) - {"\x1b"} & set(terminal.getvalue())
    assert "[red]" in terminal.getvalue(), "a name is no markup"


def test_results_are_exact_where_they_are_piped_on(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    result(EVIL)
    assert capsys.readouterr().out == f"{EVIL}\n"
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    result(EVIL)
    assert not set(STEERING) & set(terminal.getvalue())


def test_names_of_files_do_not_steer_the_terminal(run: Run, tmp_path: Path, tiny_checkpoint: Path):
    """A picture may be called anything; its name stands above its text, in errors and in JSON."""
    path = tmp_path / "evil\x1b[31m\u202e\x07.png"
    Image.new("RGB", (40, 20), "white").save(path)
    for form in ("text", "json"):
        ended = run("parse", path, tmp_path / "none\x1b[2J.png", "--model", tiny_checkpoint, "--format", form)
        assert ended.code == 1
        assert not set(STEERING) & set(ended.out + ended.err)
        assert r"\u001b[31m\u202e\u0007.png" in ended.out
        assert r"none\x1b[2J.png" in ended.err
    assert json.loads(ended.out)["file"] == str(path)


def test_a_warning_is_said_once_and_few_of_a_kind(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Training said again at every step which characters of a question are lost."""
    monkeypatch.setattr(warnings, "showwarning", WarningPrinter())
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        for _ in range(3):
            for number in range(2):
                warn_of_lost(chr(0xE000 + number))
        few = capsys.readouterr().err
        for number in range(1000):
            warn_of_lost(chr(0xE000 + number))
        many = capsys.readouterr().err
    assert few.count("no installed font has") == 2
    assert many.count("no installed font has") == MOST_ALIKE - 2
    assert many.endswith("further warnings of this kind are not shown\n")
