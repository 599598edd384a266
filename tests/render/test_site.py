"""pixread.render.site: what the loopback server gives out, and what it keeps."""

import urllib.error
import urllib.request
from dataclasses import dataclass

import pytest

from pixread.render.site import HOST, Site


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
    assert get(site, f"{base(site)}/style.css").headers["Content-Type"] == "text/css"


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
    ("on_disk", "asked"),
    [
        ("style.css?ver=5.2", "style.css%3Fver=5.2"),  # wget --convert-links
        ("style.css?ver=5.2", "style.css?ver=5.2"),
        ("style.css@ver=5.2", "style.css?ver=5.2"),
        ("style.css@ver=5.2", "style.css%3Fver=5.2"),
        ("style.css%3Fver=5.2", "style.css?ver=5.2"),
        ("style.css%3Fver=5.2", "style.css%253Fver=5.2"),
        ("style.css%3Fver=5.2", "style.css%3Fver=5.2"),
        ("style.css?ver=5.2.css", "style.css?ver=5.2"),
        ("css?family=Open Sans:400,700", "css?family=Open%20Sans:400,700"),
        ("css?family=Open%20Sans", "css?family=Open%20Sans"),
        ("get?u=%2Fa%2Fb", "get?u=/a/b"),
        ("index.html?p=1", "?p=1"),
        ("style.css", "style.css?ver=5.2"),
        ("style.css", "style.css?"),
    ],
)
def test_a_query_may_be_a_part_of_the_name_on_disk(tmp_path, on_disk, asked):
    (tmp_path / on_disk).write_text("found")
    (tmp_path / "page.html").write_text("")
    with Site() as site:
        mounted = Mounted(site.port, site.mount(tmp_path, tmp_path / "page.html"))
        assert get(mounted, mounted.url.replace("page.html", asked)).read() == b"found"


def test_the_file_with_the_query_in_its_name_comes_first(tmp_path):
    for name in ("page.html", "page.html?id=3"):
        (tmp_path / name).write_text(name)
    with Site() as site:
        mounted = Mounted(site.port, site.mount(tmp_path, tmp_path / "page.html?id=3"))
        assert get(mounted, mounted.url).read() == b"page.html?id=3"
        assert get(mounted, mounted.url.replace("%3Fid%3D3", "?id=3")).read() == b"page.html?id=3"
        assert get(mounted, mounted.url.replace("%3Fid%3D3", "?id=4")).read() == b"page.html"


def test_a_query_leads_nowhere_outside(site):
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(site, f"{base(site)}/x?/../../../secret.txt")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(site, f"{base(site)}/x?{'y' * 5000}")


def test_an_unnamed_file_is_what_the_browser_wants_it_to_be(site, tmp_path):
    (tmp_path / "site" / "css").write_text("p {}")
    assert get(site, f"{base(site)}/css").headers["Content-Type"] is None
    assert get(site, f"{base(site)}/css", **{"Sec-Fetch-Dest": "style"}).headers["Content-Type"] == "text/css"
