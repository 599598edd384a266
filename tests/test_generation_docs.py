"""What docs/generation.md tells people to run works, with the shipped model."""

import re
from pathlib import Path

import pytest

from pixread.reader import load

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "generation.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)


def test_there_is_something_to_run():
    assert len(BLOCKS) == 6


@pytest.mark.parametrize("code", BLOCKS)
def test_the_examples_run(code: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(ROOT)
    exec(compile(code, "docs/generation.md", "exec"), {})
    said = capsys.readouterr().out
    assert said.strip()
    assert "False" not in said


def test_a_reader_that_the_page_speaks_of_is_shipped():
    assert load(device="cpu").reads == "regions"
