"""pixread.scale.sources: what a person names becomes pages."""

import pytest

from pixread.scale.sources import Source, find_pages


@pytest.fixture
def site(tmp_path):
    for name in (
        "site/b.html",
        "site/a.HTM",
        "site/sub/c.xhtml",
        "site/.hidden/d.html",
        "site/style.css",
        "single.html",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("<p>hello")
    return tmp_path


def test_a_folder_is_the_root_of_its_pages(site):
    folder = str(site / "site")
    assert find_pages([folder]) == [
        Source(f"{folder}/{name}", folder, f"site/{name}") for name in ("a.HTM", "b.html", "sub/c.xhtml")
    ]


def test_files_addresses_and_lists_mix_and_nothing_comes_twice(site):
    single = str(site / "single.html")
    (site / "pages.txt").write_text("# a list\n\nsite\n  https://example.org/x  \nsingle.html\n")
    found = find_pages(["https://example.org/x", single, str(site / "pages.txt"), single])
    assert [source.name for source in found] == [
        "https://example.org/x",
        single,
        "site/a.HTM",
        "site/b.html",
        "site/sub/c.xhtml",
    ]
    assert found[1] == Source(single, None, single)


def test_what_is_no_page_is_refused(site):
    for given, sentence in [
        (["nowhere.html"], "nowhere.html does not exist: name HTML files, folders, "),
        (
            [str(site / "site" / "style.css")],
            r"style.css is no page: HTML files end in .htm, .html, .xht, .xhtml, lists in .txt",
        ),
        ([str(site / "site" / "empty")], "no HTML page in .*empty"),
        ([], "no HTML page in an empty list"),
    ]:
        (site / "site" / "empty").mkdir(exist_ok=True)
        with pytest.raises(ValueError, match=sentence):
            find_pages(given)
    (site / "latin.txt").write_bytes(b"caf\xe9.html")
    with pytest.raises(ValueError, match=r"is not a list of pages in UTF-8: .* at byte 3"):
        find_pages([str(site / "latin.txt")])
    (site / "round.txt").write_text("round.txt")
    with pytest.raises(ValueError, match=r"round.txt names round.txt: a list cannot hold other lists"):
        find_pages([str(site / "round.txt")])


def test_files_below_a_list_may_load_from_all_of_its_folder(tmp_path):
    (tmp_path / "site").mkdir()
    for path in (tmp_path / "site" / "a.html", tmp_path / "b.html"):
        path.write_text("<p>x")
    (tmp_path / "lists").mkdir()
    (tmp_path / "pages.txt").write_text("site/a.html\n")
    (tmp_path / "lists" / "other.txt").write_text("../b.html\n")
    inside, outside = find_pages([str(tmp_path / "pages.txt"), str(tmp_path / "lists" / "other.txt")])
    assert (inside.root, inside.name) == (str(tmp_path), "site/a.html")
    assert outside.root is None
