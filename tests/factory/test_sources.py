"""pixread.factory.sources: what a person names becomes pages."""

import pytest

from pixread.factory.sources import Source, find_pages


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
    with pytest.raises(ValueError, match=r"is not a readable list of pages: it is not UTF-8 \(byte 0xe9 in line 1\)"):
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


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfa.html\r\nhttp://h/x\r\n",
        b"a.html\rhttp://h/x\r",
        "\ufeffa.html\r\nhttp://h/x\r\n".encode("utf-16-le"),
        b"\xef\xbb\xbf# pages\r\n\r\n  a.html \r\n\xef\xbb\xbfhttp://h/x\r\n\x1a",
        b"._a.html\n./a.html\nThumbs.db\nhttp://h/x\n",
    ],
)
def test_lists_are_read_as_any_system_writes_them(tmp_path, text):
    """A byte order mark became part of the first name, and made an address a path."""
    for name in ("a.html", "._a.html", "Thumbs.db"):
        (tmp_path / name).write_text("<p>x")
    (tmp_path / "pages.txt").write_bytes(text)
    assert [source.name for source in find_pages(tmp_path / "pages.txt")] == ["a.html", "http://h/x"]


@pytest.mark.parametrize(
    ("there", "line"),
    [
        ("sub/a.html", "sub\\a.html"),
        ("sub/a b.html", "sub/a%20b.html"),
        ("cafe\u0301/u\u0308.html", "caf\u00e9/\u00fc.html"),
        ("caf\u00e9/\u00fc.html", "cafe\u0301\\u\u0308.html"),
        ("A.HTM", "a.htm"),
        (" a.html", " a.html"),
        ("#a.html", "./#a.html"),
    ],
)
def test_pages_are_found_by_names_of_other_systems(tmp_path, there, line):
    (tmp_path / there).parent.mkdir(exist_ok=True)
    (tmp_path / there).write_text("<p>x")
    (tmp_path / "pages.txt").write_text(line, encoding="utf-8")
    (listed,) = find_pages([tmp_path / "pages.txt"])
    assert listed == Source(str(tmp_path / there), str(tmp_path), there)
    (named,) = find_pages(f"{tmp_path}/{line}")
    assert named.address == str(tmp_path / there)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("a\u202e\x1b[2J.html", r"/a\\u202e\\x1b\[2J.html does not exist"),
        ("C:\\pages\\a.html", r"C:\\pages\\a.html is a path of another machine"),
        ("\\\\server\\a.html", "is a path of another machine"),
        ("file:///C:/a.html", "is the address of a file, not its path"),
    ],
)
def test_what_a_list_names_wrongly_is_shown_with_all_its_signs(tmp_path, line, sentence):
    (tmp_path / "pages.txt").write_text(line, encoding="utf-8")
    with pytest.raises(ValueError, match=sentence):
        find_pages(tmp_path / "pages.txt")


def test_files_of_the_system_are_no_pages(tmp_path):
    for name in ("a.html", "._a.html", "__MACOSX/a.html", "__MACOSX/._a.html", ".trash/b.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("<p>x")
    assert [source.name for source in find_pages(tmp_path)] == [f"{tmp_path.name}/a.html"]
    with pytest.raises(ValueError, match="no HTML page in"):
        find_pages(tmp_path / "._a.html")


def test_one_several_or_any_number_of_sources_may_be_given(site):
    """A single text was taken for a list of letters, and a path had no place among texts."""
    single, expected = site / "single.html", [Source(str(site / "single.html"), None, str(site / "single.html"))]
    for given in (single, str(single), [single], (str(single), single), (one for one in [single]), expected):
        assert find_pages(given) == expected
    assert find_pages("HTTPS://example.org/x")[0].address == "https://example.org/x"
