"""The classifiers of the assembly are fitted to what a page's tree says of its lines."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pixread.assembly.classifier import STRUCTURE_WEIGHTS, read_classifiers
from pixread.assembly.fit.labelled_page import LabelledPage, label_page, token_leaves
from pixread.assembly.fit.structure import SETTINGS, TrainingSettings, fit_classifier, fit_structure
from pixread.assembly.fit.structure_samples import SAMPLE_SOURCES
from tests.assembly.fit.drawn_tree import drawn_page

LONG = "When a paragraph is longer than the column is wide, it\ncontinues in the next line, and ends where\nit ends."
SECTIONS = [["A heading", LONG], ["Another one", LONG, "And a single line."]]


def labelled() -> LabelledPage:
    return label_page(*drawn_page(SECTIONS))


def test_the_lines_of_a_labelled_page_are_those_that_are_drawn():
    page = labelled()
    assert [line.text for line in page.lines] == [
        text for section in SECTIONS for paragraph in section for text in paragraph.split("\n")
    ]
    assert [" ".join(word.word.text for word in words) for words in page.words] == [line.text for line in page.lines]
    assert token_leaves(page.lines[1], page.words[1]) == [1] * len(page.lines[1].tokens)


def test_lines_of_one_text_are_wrapped_and_others_are_not():
    page = labelled()
    labels = [label for _, label, _ in SAMPLE_SOURCES["paragraphs"].samples(page)]
    assert labels == [False, True, True, False, False, True, True, False]


def test_no_span_ends_in_plain_paragraphs():
    for name in ("leaves", "texts"):
        samples = list(SAMPLE_SOURCES[name].samples(labelled()))
        assert samples and not any(label for _, label, _ in samples)


def test_the_sections_of_a_page_are_its_groups():
    samples = list(SAMPLE_SOURCES["groups"].samples(labelled()))
    assert sum(label for _, label, _ in samples) == len(SECTIONS)


@pytest.mark.parametrize("name", SAMPLE_SOURCES)
def test_every_sample_has_the_named_features(name: str):
    for features, _, weight in SAMPLE_SOURCES[name].samples(labelled()):  # type: ignore[index]
        assert len(features) == len(SAMPLE_SOURCES[name].features)  # type: ignore[index]
        assert np.isfinite(features).all() and weight >= 1


def test_a_classifier_learns_what_can_be_learnt():
    features = np.random.default_rng(0).normal(size=(2000, 3)) * (1, 10, 0) + (0, 5, 1)
    labels = features[:, 0] * (features[:, 1] - 5) > 0
    settings = TrainingSettings(units=12, epochs=60, weight_decay=0.01)
    classifier = fit_classifier(features, labels, names=("a", "b", "constant"), settings=settings)
    assert classifier.features == ("a", "b", "constant")
    assert ((classifier.logits(features) > 0) == labels).mean() > 0.85


def test_fitting_one_classifier_leaves_the_others_as_they_are():
    shipped = read_classifiers()
    [fitted] = fit_structure([labelled()], shipped, ["groups"])
    assert fitted.name == "groups" and fitted.accuracy > 0.8
    assert fitted.classifier.features == shipped["groups"].features
    assert read_classifiers().keys() == shipped.keys() == SETTINGS.keys()


@pytest.mark.slow
@pytest.mark.browser
def test_the_command_fits_to_a_list_of_pages(tmp_path: Path):
    body = "".join(f"<div><h2>Section {number}</h2><p>{LONG} {LONG}</div>" for number in range(4))
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "page.html").write_text(f"<!doctype html><title>t</title>{body}", encoding="utf-8")
    (tmp_path / "list.txt").write_text("site/page.html\nsite/missing.html\n", encoding="utf-8")
    out = tmp_path / "structure.json"
    command = [sys.executable, "-m", "pixread.assembly.fit", "structure", str(tmp_path / "list.txt"), str(out)]
    ended = subprocess.run([*command, "paragraphs"], check=True, capture_output=True, text=True)
    assert ended.stdout.startswith("paragraphs: ") and "of 1 pages" in ended.stdout
    assert "missing.html" in ended.stderr
    shipped, fitted = (json.loads(path.read_text(encoding="utf-8")) for path in (STRUCTURE_WEIGHTS, out))
    assert {name for name in shipped if shipped[name] != fitted[name]} == {"paragraphs"}
    wrong = subprocess.run([*command, "nothing"], capture_output=True, text=True)
    assert wrong.returncode == 2 and "the classifiers are" in wrong.stderr
