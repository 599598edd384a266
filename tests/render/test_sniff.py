"""pixread.render.sniff: names, types and encodings as browsers and the standards have them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixread.render.sniff import content_type, declared_charset, is_binary


@pytest.mark.parametrize(
    ("name", "wanted", "data", "kind"),
    [
        ("a.html", "", "é".encode(), "text/html; charset=utf-8"),  # says nothing, is utf-8
        ("a.html", "", "é".encode("latin-1"), "text/html"),  # says nothing, is something else: left to the browser
        ("a.html", "", b"<meta charset=koi8-r>", "text/html"),  # says it itself
        ("a.html", "", b"<meta charset=no-such-name>", "text/html; charset=utf-8"),
        ("a.html", "", "\ufeffé".encode("utf-16"), "text/html"),  # a byte order mark comes first
        ("a.xhtml", "", b"<html/>", "application/xhtml+xml"),
        ("a.mjs", "", b"1", "text/javascript"),
        ("a.css", "", "é".encode(), "text/css"),  # @charset, else the encoding of the document
        ("a.txt", "", "é".encode(), "text/plain; charset=utf-8"),
        ("a.css", "script", b"1", "text/css"),  # a name that tells something is believed, as a web server would
        ("a.unknown", "", b"1", None),
        ("css?family=Open+Sans", "style", b"p {}", "text/css"),
        ("css?family=Open+Sans", "style", b"<!-- p {} -->", "text/css"),
        ("load.php", "script", b"1", "text/javascript"),
        ("load.php", "script", b"<!doctype html><p>not found", "text/html; charset=utf-8"),
        ("frame.php?id=1", "iframe", b"\n <!DOCTYPE HTML>", "text/html; charset=utf-8"),
        ("frame.php?id=1", "iframe", b"just text", None),
        ("logo", "image", b"<?xml version='1.0'?>\n<!-- x --><svg xmlns='...'/>", "image/svg+xml"),
        ("logo", "image", b"\x89PNG\r\n\x1a\n", None),
    ],
)
def test_content_types(name, wanted, data, kind):
    assert content_type(name, data, wanted=wanted) == kind


@pytest.mark.parametrize(
    ("data", "charset"),
    [
        (b"<meta charset=koi8-r>", "koi8-r"),
        (b"<META CHARSET = 'Windows-1252' >", "cp1252"),
        (b"<meta/charset=utf8>", "utf-8"),
        (b'<meta http-equiv="Content-Type" content="text/html; charset=ISO-8859-2">', "iso8859-2"),
        (b"<meta content='x; charset = \"gbk\"' http-equiv=content-type>", "gbk"),
        (b"<meta charset=utf-16le>", "utf-8"),  # nobody could have read it in UTF-16
        (b"<meta charset=x-user-defined>", "cp1252"),
        (b"<meta charset=nonsense><meta charset=koi8-r>", "koi8-r"),
        (b"<body><p>text</p><meta charset=koi8-r>", "koi8-r"),  # anywhere in the first 1024 bytes
        # What is no declaration.
        (b'<script src=a.js charset="koi8-r"></script>', None),
        (b"<?xml version='1.0' encoding='koi8-r'?><p>", None),
        (b"<!-- <meta charset=koi8-r> --><p>", None),
        (b"<!--><meta charset=koi8-r>", "koi8-r"),  # these dashes open the comment and close it
        (b"<a title='<meta charset=koi8-r>'>", None),
        (b"<metal charset=koi8-r>", None),
        (b"<script>a = '<meta charset=koi8-r>'</script><p>", None),
        (b"<TITLE><meta charset=koi8-r></title><meta charset=gbk>", "gbk"),
        *[(b"<meta charset=%s>" % label, None) for label in (b"latin-1", b"utf-32", b"utf-8-sig", b"cp437", b"rot13")],
        (b"<meta name=x content='text/html; charset=koi8-r'>", None),  # without http-equiv
        (b"<meta http-equiv=refresh content='1; charset=koi8-r'>", None),
        (b"<p>charset=koi8-r", None),
        (b" " * 1020 + b"<meta charset=koi8-r>", None),
        (b"<meta charset=koi8-r charset=gbk>", "koi8-r"),
        (b"</meta charset=koi8-r>", None),
        (b"<!x <meta charset=koi8-r>", None),
        (b"<meta charset", None),
        (b"<!--", None),
        (b"", None),
    ],
)
def test_the_encoding_is_declared_as_the_standard_says(data, charset):
    """Any `charset=` or `<?xml` in a file used to count as a declaration, and UTF-8 pages came out garbled."""
    assert declared_charset(data) == charset


@given(st.lists(st.sampled_from([b"<", b"meta", b" ", b"charset", b"=", b"'", b'"', b">", b"!--", b"-->", b"/", b"a"])))
def test_the_prescan_ends_on_any_bytes(parts):
    assert declared_charset(b"".join(parts)) is None


@pytest.mark.parametrize(
    ("start", "binary"),
    [
        (b"<!doctype html><p>one \0 in the text", False),
        (b"\xff\xfe<\0p\0", False),
        (b"plain \x1b[1mtext\x1b[0m with escapes", False),
        ("Größe".encode("latin-1"), False),
        (b"", False),
        (b"\x89PNG\r\n\x1a\n\0\0", True),
        (b"%PDF-1.4\nall of it in letters", True),
        (b"<\0p\0>\0", True),  # UTF-16 that does not say so is read by no browser
        (bytes(range(32)) * 8, True),
    ],
)
def test_a_stray_nul_does_not_make_a_page_binary(start, binary):
    """One NUL byte got a page refused as not_html; browsers render it."""
    assert is_binary(start) == binary
