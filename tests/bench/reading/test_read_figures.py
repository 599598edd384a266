"""From what readers say of a page to figures: cases that a person can check."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pixread.bench.reading.condition_figures import matrix_figures, matrix_notes
from pixread.bench.reading.gallery import spread_by_score
from pixread.bench.reading.peers import PEERS, Peer, chosen_peers
from pixread.bench.reading.read_figures import ALL_WORDS_SCORED, INVENTED, MISSED, figures_of, metrics_of, notes_of
from pixread.bench.reading.results import PageResult, page_result
from pixread.records import Box, Mark
from tests.bench.reading.textless import KINDS, textless_example
from tests.bench.reading.written import PHOTO, example_of, page

PAGE = example_of(page("a/one.html", "one two", "Three four"))


def said(*lines: str, seconds: float = 1.0, **more: object) -> dict[str, object]:
    """Lines at the places of the truth's."""
    boxes = PAGE.meta["lines"]
    return {"lines": list(zip(lines, boxes, strict=False)), "seconds": seconds, "memory_mib": 10 * seconds, **more}


def test_figures_of_a_page():
    ours = said("one two", "three", tree="<<one two><three><img_src=image>>", pictures=[PHOTO.as_list(), [0, 0, 9, 9]])
    theirs = said("Three four", "one two one", seconds=3.0)
    results = [page_result(0, PAGE, {"pixread": ours, "Other": theirs}, [{"tree_similarity": 0.5}])]
    found = {(one.variant, one.case, one.name): one.median for one in figures_of(results, metrics_of(results, [PAGE]))}
    assert found["pixread", "", "word precision"] == pytest.approx(2 / 3)
    assert found["pixread", "", "word recall"] == 2 / 4
    assert found["pixread", "", "word F1"] == pytest.approx(4 / 7)
    assert found["Other", "", "word F1"] == pytest.approx(8 / 9)
    assert (found["Other", "", "seconds a page"], found["Other", "", "peak memory (MiB)"]) == (3, 30)
    assert found["pixread", "", "reading order (Kendall's tau)"] == 1
    # `one` stands twice; of the three other words, two pairs of three are swapped.
    assert found["Other", "", "reading order (Kendall's tau)"] == pytest.approx(-1 / 3)
    assert found["pixread", "Structure", "pictures found, of 1"] == 1
    assert found["pixread", "Structure", "pictures right, of 2 read"] == 0.5
    assert found["pixread", "Structure", "tree similarity of a region, of 1"] == 0.5
    # Four nodes. One text costs 6 of 10 characters, the picture 13 of the 13 characters of its name and alt.
    assert found["pixread", "Structure", "tree similarity of the page"] == pytest.approx(0.63, abs=0.03)
    assert found["pixread", MISSED, "case only"] == 25
    assert found["pixread", MISSED, "left out of a line"] == 25
    assert found["pixread", MISSED, "all"] == 50
    assert found["pixread", INVENTED, "case only"] == pytest.approx(100 / 3)
    assert ("Other", "Structure", "tree similarity of the page") not in found


def test_pages_are_averaged_and_words_counted_together():
    long = example_of(page("a/two.html", "a b c d", "e f g h", "i j k l", "m n o p"))
    results = [
        page_result(0, PAGE, {"pixread": said("one two", "Three four")}, ()),
        page_result(1, long, {"pixread": said("")}, ()),
    ]
    metrics = metrics_of(results, [PAGE, long])
    found = {(one.case, one.name): one.median for one in figures_of(results, metrics)}
    assert found["", "word F1"] == 0.5
    assert found[MISSED, "all"] == 80
    assert any("There is no shard set parse" in note for note in notes_of(results, metrics))


def test_a_page_of_nothing_but_signs_has_no_script():
    signs = example_of(page("a/three.html", "1 2 3"))
    results = [page_result(0, PAGE, {"pixread": said("x")}, ()), page_result(1, signs, {"pixread": said("1 2")}, ())]
    found = {(one.case, one.name): one.median for one in figures_of(results, metrics_of(results, [PAGE, signs]))}
    assert found["", "word F1, without letters (1 of 2 pages)"] == 0.8
    # The causes are told apart by script: of the signs one in three was missed, of the Latin words all.
    assert found[f"{MISSED}, without letters", "all"] == pytest.approx(100 / 3)
    assert found[f"{MISSED}, Latin script", "all"] == 100


def test_pages_with_a_share_of_letters_that_are_not_read_stand_apart():
    """Bug: pages of a Japanese manual counted as Latin, because half of their letters are of commands and names."""
    japanese = example_of(page("a/four.html", "one two", "Three これは"))
    outputs = {"pixread": said("one two"), "Other": said("one two", "Three これは")}
    results = [page_result(0, PAGE, outputs), page_result(1, japanese, outputs)]
    found = {(one.variant, one.name): one.median for one in figures_of(results, metrics_of(results, [PAGE, japanese]))}
    group = "word F1, scripts that pixread does not read (1 of 2 pages)"
    assert found["Other", group] == 1 > found["pixread", group]
    cases = {figure.case for figure in matrix_figures({"as rendered": results})}
    assert {"Word F1, Latin script (1 page)", "Word F1, scripts that pixread does not read (1 page)"} <= cases


def test_words_on_pictures_without_text_are_invented():
    examples = [textless_example(kind, seed=1) for kind in KINDS] + [PAGE]
    says = ["", "", "il1", "", "x  y z", "", "", "one two Three four"]
    results = [
        page_result(number, example, {"pixread": {"lines": [(text, None)], "seconds": 1.0, "memory_mib": 1.0}})
        for number, (example, text) in enumerate(zip(examples, says, strict=True))
    ]
    assert [result.num_words for result in results] == [0, 0, 0, 0, 0, 0, 0, 4]
    found = {one.name: one.median for one in figures_of(results, metrics_of(results, examples))}
    assert found["words invented on a picture without text, mean of 7"] == pytest.approx(4 / 7)
    assert found["word F1, Latin script (1 of 8 pages)"] == 1
    cells = {one.name: one.median for one in matrix_figures({"half size": results}) if "invented" in one.case}
    assert cells == {"half size": pytest.approx(4 / 7)}


def test_shown_pages_are_spread_from_worst_to_best():
    def result(index: int) -> PageResult:
        read = said(" ".join(["one", "two", "Three", "four"][: index % 5]))
        return page_result(index, PAGE, {"pixread": read}, ())

    results = [result(index) for index in range(25)]
    shown = [round(one.readings["pixread"].scores["recall"], 2) for one in spread_by_score(results)]
    assert len(shown) == 10
    assert shown == sorted(shown)
    assert (shown[0], shown[-1]) == (0, 1)
    assert len(spread_by_score(results[:1])) == 1


def test_words_on_unscored_parts_count_only_where_the_truth_has_them():
    """A page with text on a photograph, a logo of it, and a word on the background of which the truth has lines."""
    shown = page("a/one.html", "one two", "Three four", "five")
    example = example_of(replace(shown, marks=(Mark("picture", PHOTO), Mark("picture", Box(0, 45, 420, 100)))))
    on_photo = [[260, 170 + 20 * line, 60, 18] for line in range(2)]
    lines = [
        *zip(["one two", "Three fear"], example.meta["lines"], strict=False),
        ("EXIT five", on_photo[0]),
        ("x", on_photo[1]),
    ]
    result = page_result(0, example, {"pixread": {"lines": lines, "seconds": 1.0, "memory_mib": 1.0}})
    reading = result.readings["pixread"]
    assert reading.text == "one two\nThree fear\nfive"
    assert (reading.scores["precision"], reading.scores["recall"]) == (4 / 5, 4 / 5)
    assert [error.read for error in reading.errors] == [("fear",)]
    assert len(reading.lines) == 4  # they are shown all the same
    assert ALL_WORDS_SCORED not in notes_of([result], metrics_of([result], [example]))


def test_older_shards_do_not_tell_what_is_unscored():
    old = replace(PAGE, meta={"lines": PAGE.meta["lines"]})
    results = [page_result(0, old, {"pixread": said("one two", "Three", "EXIT")})]
    assert results[0].readings["pixread"].text == "one two\nThree"
    assert ALL_WORDS_SCORED in notes_of(results, metrics_of(results, [old]))
    assert matrix_notes({"half size": results})[-1] == ALL_WORDS_SCORED


def test_a_package_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    with pytest.raises(ValueError, match=r"^RapidOCR is not installed; pip install 'pixread\[rapidocr\]' installs it"):
        chosen_peers(("rapidocr",))


def test_peers_that_are_there_take_part(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    chosen = chosen_peers(None)
    assert "tesseract" not in [peer.name for peer, _ in chosen.versions]
    assert any(note.startswith("Tesseract is not installed") for note in chosen.notes)
    assert chosen_peers(("none",)).versions == ()
    assert {peer.name for peer in PEERS} == {"tesseract", "rapidocr"}
    assert all(isinstance(peer, Peer) and "install" in peer.missing for peer in PEERS)
