"""Pages of `layout` shards: their words as lines, and pages drawn by chance that is none."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from pixread.records import LINE_ASCENT, LINE_DESCENT, Box, Lettering, Mark
from pixread.train.lines.pages import PagePool, TrueWord, lines_of, named_by_site
from tests.train.lines.layout_shards import Row, many_pages, page, row, write_pages


def lines(tmp_path: Path, words: list[Row]) -> list[str]:
    return [line.text for line in lines_of(read(tmp_path, words))]


def read(tmp_path: Path, words: list[Row]) -> tuple[TrueWord, ...]:
    return PagePool(write_pages(tmp_path / "set", [page("site/a", words)])).page(0).words


def test_a_page_is_what_was_written(tmp_path: Path) -> None:
    words = [row("Title", 5, flags=1 + 8), row("up", 60, baseline=None, angle=1.57, flags=2 + 4)]
    shards = write_pages(tmp_path / "set", [page("site/a.html", words, marks=[["icon", 1, 2, 3, 4]], shade=7)])
    found = PagePool(shards).page(0)
    assert (found.pixels.shape, found.pixels.dtype, int(found.pixels.mean())) == ((90, 120, 3), np.uint8, 7)
    assert found.site == "site"
    assert found.marks == (Mark("icon", Box(1, 2, 3, 4)),)
    title, up = found.words
    assert title == TrueWord("Title", Box(5, 22, 50, 22), 0, False, Lettering(20, 40, 0, bold=True, link=True))
    assert up.lettering == Lettering(20, None, 1.57, italic=True, mono=True)


def test_words_of_a_line_are_joined_from_left_to_right(tmp_path: Path) -> None:
    """Words come in document order: what floats to the right may come first."""
    words = [row("last", 90), row("first", 0), row(",", 50, glued=1), row("below", 0, 1)]
    assert lines(tmp_path, words) == ["first, last", "below"]


def test_a_line_is_parted_at_wide_gaps_and_at_words_without_a_baseline(tmp_path: Path) -> None:
    assert lines(tmp_path, [row("a", 0), row("b", 40), row("c", 81)]) == ["a b", "c"]
    assert lines(tmp_path, [row("a", 0), row("turned", 15, baseline=None), row("b", 80)]) == ["a", "b"]
    assert lines(tmp_path, [row("turned", 15, baseline=None)]) == []


def test_the_largest_word_places_the_box(tmp_path: Path) -> None:
    words = [row("x", 10), row("2", 20, size=10.0, baseline=30.0, glued=1), row("long", 35, size=10.0)]
    (line,) = lines_of(read(tmp_path, words))
    assert (line.baseline, line.size, line.text) == (40, 20, "x2 long")
    assert line.box == Box(10, 40 - LINE_ASCENT * 20, 65, (LINE_ASCENT + LINE_DESCENT) * 20)
    assert line.spans == ((10, 20), (20, 30), (35, 75))


def test_chunks_depend_on_seed_and_number_alone(tmp_path: Path) -> None:
    shards = many_pages(tmp_path / "set")
    pool = PagePool(shards)
    first = shades(pool, 3, 7)
    shades(pool, 3, 8)
    assert shades(PagePool(shards), 3, 7) == first
    assert shades(pool, 3, 8) != first != shades(pool, 4, 7)


def shades(pool: PagePool, seed: int, number: int) -> list[int]:
    return [int(page.pixels[0, 0, 0]) for page in pool.chunk(seed, number, 12)]


def test_sites_are_drawn_by_the_root_of_their_pages(tmp_path: Path) -> None:
    """A site with thousands of pages was all that was learnt from."""
    pool = PagePool(many_pages(tmp_path / "set"))  # 15 small, 45 large: of root 1 to 1.73
    drawn = Counter(page.site for number in range(25) for page in pool.chunk(0, number, 16))
    assert 1.4 < drawn["large"] / drawn["small"] < 2.1


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        (["one/a.html", "two/sub/b.html", "two/c.html"], ["one/a.html", "two/sub/b.html", "two/c.html"]),
        (["/home/me/pages/one/a.html", "/home/me/pages/two/b.html"], ["one/a.html", "two/b.html"]),
        (["pages/one/sub/a", "pages/two/b", "pages/index"], ["one/sub/a", "two/b", "pages/index"]),
        (["https://one.org/a", "https://two.org/b/c"], ["one.org/a", "two.org/b/c"]),
        (["one/a.html", "one/b.html"], ["one/a.html", "one/b.html"]),
        (["a.html"], ["a.html"]),
    ],
)
def test_a_site_is_where_sources_begin_to_differ(sources: list[str], names: list[str]) -> None:
    """Pages named by absolute paths were all of one site, so that each of its texts was common."""
    assert named_by_site(sources) == names


def test_held_out_pages_are_never_trained_on_and_stay_the_same(tmp_path: Path) -> None:
    pool = PagePool(many_pages(tmp_path / "set", count=200))
    held, trained = sources(pool.held_out()), sources(pool.training())
    assert held and not held & trained
    assert held | trained == sources(pool)
    fewer = PagePool(many_pages(tmp_path / "fewer", count=150))
    assert held & sources(fewer) <= sources(fewer.held_out())


def test_copies_of_a_page_are_held_out_together(tmp_path: Path) -> None:
    """`--vary` renders a page again with other words and fonts: it would be scored on what it was trained on."""
    copies = [page(f"site/{number % 5}", [row("a", 0)], shade=number) for number in range(20)]
    pool = PagePool(write_pages(tmp_path / "set", copies))
    assert (len(pool.held_out()), len(pool.training())) == (4, 16)


def sources(pool: PagePool) -> set[str]:
    return {word for number in range(len(pool)) for word in [pool.page(number).words[1].text]}


def test_texts_are_counted_by_site_and_words_are_given_once_a_site(tmp_path: Path) -> None:
    pages = [
        page("one/a", [row("Home", 0), row("(", 0, 1), row("page", 10, 1, glued=1)]),
        page("one/b", [row("Home", 0)]),
        page("two/a", [row("Home", 0)]),
    ]
    pool = PagePool(write_pages(tmp_path / "set", pages))
    assert pool.text_counts == {("one", "Home"): 2, ("one", "(page"): 1, ("two", "Home"): 1}
    assert pool.words() == ["Home", "(", "page", "Home"]
    assert sum(pool.training().text_counts.values()) < 4


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"target": "crops"}, r"set holds examples of 'crops', and lines are learnt from those of 'layout' \(pixread "),
        ({"target": ""}, "set does not name its target, and lines are learnt from those of 'layout'"),
        ({"words": []}, r"the page 'a' has no words as the 'layout' target writes them: "),
        ({"pages": 0}, "the shards to train on hold no pages"),
        ({"pages": 1}, "training needs at least two different pages: one of them is held out to score on"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path: Path, changes: dict, sentence: str) -> None:
    words = [row("a", 0)] if changes.get("words") is None else [["a", 0, 0]]
    pages = [page(name, words) for name in "ab"[: changes.get("pages", 2)]]
    shards = write_pages(tmp_path / "set", pages, target=changes.get("target", "layout"))
    with pytest.raises(ValueError, match=sentence):
        _ = PagePool(shards).training().page(0), PagePool(shards).page(0)


def test_no_shards_at_all_are_told() -> None:
    with pytest.raises(ValueError, match="no shard set was given"):
        PagePool([])


def test_damaged_sides_are_told(tmp_path: Path) -> None:
    broken = page("site/a", [row("a", 0)], marks=[["icon", 1, 2, -3, 4]])
    with pytest.raises(ValueError, match="the page 'site/a' has no marks as the 'layout' target writes them: a box"):
        PagePool(write_pages(tmp_path / "set", [broken])).page(0)
