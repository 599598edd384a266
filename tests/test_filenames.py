"""Names that other systems wrote, and the files that they leave in folders."""

import unicodedata
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixread.filenames import (
    AmbiguousError,
    Folders,
    OutsideError,
    data_below,
    find_path,
    is_data,
    is_page_name,
    printable,
    suffix_of,
)


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


@pytest.mark.parametrize(
    ("there", "name"),
    [
        ("a.png", "a.png"),
        ("a.png", "./a.png"),
        ("scans/a.png", "scans\\a.png"),
        ("scans/a.png", ".\\scans\\a.png"),
        ("scans/a.png", "scans//a.png"),
        ("a b.png", "a%20b.png"),
        ("\u00e9/a.png", "%C3%A9/a.png"),
        ("\u00e9/a.png", "e%CC%81%5Ca.png"),
        ("a.png", " a.png\t"),
        ("a.png", "a.png\r"),
        (" a.png", " a.png"),
        ("caf\u00e9.png", "cafe\u0301.png"),
        ("cafe\u0301.png", "caf\u00e9.png"),
        ("cafe\u0301/u\u0308.png", "caf\u00e9\\\u00fc.png"),
        ("u\u0308/caf\u00e9.png", "\u00fc/cafe\u0301.png"),
        ("\u1112\u1161\u11ab.png", "\ud55c.png"),
        ("\u212b.png", "\u00c5.png"),
        ("DSC_1.JPG", "DSC_1.jpg"),
        ("Scans/dsc.jpeg", "scans/DSC.JPEG"),
        ("100%.png", "100%.png"),
        ("100%.png", "100%25.png"),
        ("C:\\a.png", "C:\\a.png"),
    ],
)
def test_a_file_is_found_by_the_names_it_has_elsewhere(tmp_path: Path, there: str, name: str):
    put(tmp_path, there, "other.png")
    assert Folders(tmp_path / "none", tmp_path).find(name) == tmp_path / there
    assert find_path(name, below=tmp_path) == tmp_path / there


@pytest.mark.parametrize(
    ("there", "name", "found"),
    [
        (["a%20b.png", "a b.png"], "a%20b.png", "a%20b.png"),
        (["a\\b.png", "a/b.png"], "a\\b.png", "a\\b.png"),
        (["\u00e9.png", "e\u0301.png"], "\u00e9.png", "\u00e9.png"),
        (["\u00e9.png", "e\u0301.png"], "e\u0301.png", "e\u0301.png"),
        (["a.png", "A.PNG"], "A.PNG", "A.PNG"),
        (["e\u0301.PNG", "e\u0301.png"], "\u00e9.png", "e\u0301.png"),
        (["A/x.png", "a/y.png"], "a/X.png", "A/x.png"),
        ([" a.png", "a.png"], " a.png", " a.png"),
    ],
)
def test_the_name_as_it_stands_comes_first(tmp_path: Path, there: list[str], name: str, found: str):
    put(tmp_path, *there)
    assert Folders(tmp_path).find(name) == tmp_path / found


def test_of_two_names_in_the_same_case_none_is_guessed(tmp_path: Path):
    put(tmp_path, "a\u030a\u00e9.png", "\u00e5e\u0301.png")
    with pytest.raises(AmbiguousError, match=r"2 files differ in case or Unicode normal form alone: 'a\\u030a\\xe9"):
        Folders(tmp_path).find("\u00e5\u00e9.png")
    put(tmp_path, "b.JPG", "B.jpg")
    with pytest.raises(AmbiguousError, match=r"'B.jpg', 'b.JPG'"):
        Folders(tmp_path).find("b.jpg")


@pytest.mark.parametrize(
    "name",
    [
        *("/a.png", "../a.png", "scans/../../a.png", "..\\a.png", "%2e%2e/a.png", "%2Fa.png", " ../a.png", "a.png\0"),
        *("C:\\scans\\a.png", "c:/a.png", "\\\\server\\scans\\a.png", "file:///C:/a.png", "D%3A%5Ca.png"),
    ],
)
def test_no_spelling_leaves_the_folder(tmp_path: Path, name: str):
    put(tmp_path, "a.png", "data/b.png")
    with pytest.raises(OutsideError):
        Folders(tmp_path / "data").find(name)


@pytest.mark.parametrize("name", ["", ".", "gone.png", "data", "x" * 200, "\ud800.png", "a.png/b"])
def test_what_is_not_there_is_none(tmp_path: Path, name: str):
    put(tmp_path, "a.png", "data/b.png")
    assert Folders(tmp_path).find(name) is None


@pytest.mark.parametrize(
    "name",
    [
        *("._a.jsonl", ".DS_Store", "Thumbs.db", "THUMBS.DB", "desktop.ini", "ehthumbs.db", "Icon\r", ".git/config"),
        *("__MACOSX/a.jsonl", "a/__MACOSX/._b.png", "a/.hidden/b.png", "~$a.jsonl", "~$page.html"),
        *("a/@eaDir/b.png/SYNOPHOTO_THUMB_M.jpg", "$RECYCLE.BIN/a.jsonl", "#recycle/a.html"),
    ],
)
def test_files_of_the_system_are_no_data(tmp_path: Path, name: str):
    put(tmp_path, name, "a.jsonl", "b/c.png")
    assert not is_data(PurePosixPath(name))
    assert [path for path in data_below(tmp_path, "**/*") if path.is_file()] == [
        tmp_path / "a.jsonl",
        tmp_path / "b/c.png",
    ]


def test_a_hidden_folder_that_is_named_is_meant(tmp_path: Path):
    put(tmp_path, ".cache/a.html")
    assert data_below(tmp_path / ".cache", "*.html") == [tmp_path / ".cache" / "a.html"]


@given(st.text())
def test_what_is_shown_steers_no_terminal_and_loses_nothing(text: str):
    shown = printable(text)
    assert shown.isprintable()
    assert shown == text or len(shown) > len(text)


def test_signs_that_cannot_be_seen_are_shown():
    assert printable("\ufeffa\u202eb\x1b[31m\n\u200d\udce9 \u00e9") == (
        r"\ufeffa\u202eb\x1b[31m\n\u200d\udce9 " + unicodedata.normalize("NFC", "e\u0301")
    )


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("style.css", ".css"),
        ("STYLE.CSS", ".css"),
        ("style.css?ver=5.2", ".css"),
        ("style.css?ver=5.2.css", ".css"),  # wget --adjust-extension
        ("style.css@ver=5.2", ".css"),  # wget for Windows
        ("style.css%3Fver=5.2", ".css"),
        ("style.css%3fver=5.2", ".css"),
        ("page.html?file=a.png", ".html"),
        ("thumb.php?file=a.jpg", ".jpg"),
        ("logo@2x.png", ".png"),
        ("index.php?id=3", ".php?id=3"),
        ("LICENSE", ""),
    ],
)
def test_the_query_in_the_name_of_a_mirrored_file_is_no_part_of_its_suffix(name, suffix):
    """`style.css?ver=5.2` was served as application/octet-stream, and the page came out unstyled."""
    assert suffix_of(name) == suffix


@pytest.mark.parametrize(
    ("name", "is_page"),
    [
        *[("a.html", True), ("a.XHT", True), ("a.html?id=3", True), ("index.html@p=1", True), ("a.htm%3Fx", True)],
        *[("a.php", False), ("a.css?x=.htm", False), ("html", False), ("a.txt", False)],
    ],
)
def test_names_of_pages(name, is_page):
    assert is_page_name(name) == is_page
