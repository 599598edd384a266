"""pixread.render.site: what the loopback server gives out, and what it keeps."""

import urllib.error
import urllib.request
from dataclasses import dataclass

import pytest

from pixread.render.site import HOST, Site, content_type


@dataclass(frozen=True)
class Mounted:
    port: int
    url: str


@pytest.fixture
def site(tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    root = tmp_path / "site"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "a b.html").write_text("<p>page")
    (root / "style.css").write_text("p { color: red }")
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    with Site() as site:
        yield Mounted(site.port, site.mount(root, root / "sub" / "a b.html"))


def get(site: Mounted, url: str, **headers: str):
    address = url.replace(f"http://{HOST}", f"http://127.0.0.1:{site.port}")
    return urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=5)


def base(site: Mounted) -> str:
    return site.url.rsplit("/", 2)[0]


def test_a_page_and_its_folder_are_found(site):
    assert get(site, site.url).read() == b"<p>page"
    assert get(site, f"{base(site)}/style.css").headers["Content-Type"] == "text/css; charset=utf-8"


def test_addresses_from_the_top_are_looked_up_in_the_folder(site):
    assert get(site, f"http://{HOST}/style.css").read() == b"p { color: red }"


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/link.txt", "/missing.txt", "/sub", "/%00"]
)
def test_nothing_outside_the_folder_is_given_out(site, path):
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(site, base(site) + path)


def test_leaving_the_folder_never_finds_a_file_of_the_same_name_inside(site):
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(site, f"{base(site).removesuffix('/-')}/style.css")


def test_an_unchanged_file_is_not_sent_twice(site):
    tag = get(site, site.url).headers["ETag"]
    with pytest.raises(urllib.error.HTTPError, match="304"):
        get(site, site.url, **{"If-None-Match": tag})


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.html", "é".encode(), "text/html; charset=utf-8"),  # says nothing, is utf-8
        ("a.html", "é".encode("latin-1"), "text/html"),  # says nothing, is something else: left to the browser
        ("a.html", b"<meta charset=koi8-r>", "text/html"),  # says it itself
        ("a.xhtml", b"<html/>", "application/xhtml+xml"),
        ("a.mjs", b"1", "text/javascript; charset=utf-8"),
        ("a.unknown", b"1", "application/octet-stream"),
    ],
)
def test_content_types(tmp_path, name, data, kind):
    assert content_type(tmp_path / name, data) == kind
