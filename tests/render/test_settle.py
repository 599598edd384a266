"""pixread.render.settle: what shows only when it is scrolled to, loads late or moves with the window."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.render.pages import text_of

pytestmark = pytest.mark.browser

STYLE = """<style>body {font: 20px Arial; margin: 0} section {height: 600px} .r {opacity: 0; transition: opacity .4s}
.r.on {opacity: 1}</style>"""
SECTIONS = "".join(f"<section class=r><h2>Title {i}</h2></section>" for i in range(6))
TITLES = [f"Title {i}" for i in range(6)]


@pytest.fixture
def picture(tmp_path):
    """A noisy picture of 500 x 300 pixels beside the page."""
    noise = np.random.default_rng(0).integers(0, 255, (300, 500, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "pic.png")


def pixels(screenshot):
    return np.asarray(Image.open(io.BytesIO(screenshot.png)).convert("RGB"))


REVEALERS = {
    "on turning the wheel": "addEventListener('wheel', () => 0); let at = -1; (function look() {"
    "requestAnimationFrame(look); if (scrollY !== at) { at = scrollY; all(e => top(e) < innerHeight * .9, on) } })()",
    "on scroll": "addEventListener('scroll', () => all(e => top(e) < innerHeight * .9, on))",
    "on scroll, by a property": "onscroll = () => all(e => top(e) < innerHeight * .9, on)",
    "on resize alone": "addEventListener('resize', () => all(e => top(e) < innerHeight, on))",
    "in the next frame": "addEventListener('scroll', () => requestAnimationFrame(() => "
    "all(e => top(e) < innerHeight, on)))",
    "by a clock that looks for scrolling": "let moved = true; addEventListener('scroll', () => moved = true);"
    "setInterval(() => { if (moved) all(e => e.offsetTop <= scrollY + innerHeight - 50, on); moved = false }, 50)",
    "in view only, by events": "const look = () => all(() => true, e => e.classList.toggle('on', "
    "top(e) < innerHeight && e.getBoundingClientRect().bottom > 0)); addEventListener('scroll', look); look()",
    "in view only, by an observer": "const o = new IntersectionObserver(found => found.forEach(f => "
    "f.target.classList.toggle('on', f.isIntersecting))); all(() => true, e => o.observe(e))",
    # AOS without `once`: places are measured once, and what is scrolled away from vanishes.
    "by places measured once": "onload = () => { const at = items.map(e => e.offsetTop - innerHeight + 120);"
    "addEventListener('scroll', () => items.forEach((e, i) => e.classList.toggle('on', scrollY >= at[i]))) }",
    "when half of it is seen": "const o = new IntersectionObserver(found => found.forEach(f => { if (f.isIntersecting) "
    "on(f.target) }), {threshold: .5, rootMargin: '0px 0px -15% 0px'}); all(() => true, e => o.observe(e))",
}


@pytest.mark.parametrize("script", REVEALERS.values(), ids=REVEALERS.keys())
@pytest.mark.parametrize("head", ["", "<style>html {scroll-behavior: smooth; scroll-snap-type: y mandatory}</style>"])
def test_sections_that_scripts_reveal_are_shown(show, script, head):
    """Only what was revealed without scrolling used to be drawn: two of these six."""
    helpers = "const items = [...document.querySelectorAll('.r')], top = e => e.getBoundingClientRect().top,"
    helpers += "on = e => e.classList.add('on'), all = (which, what) => items.filter(which).forEach(what);"
    page = show(f"{SECTIONS}<section></section><script>{{{helpers}{script}}}</script>", head=STYLE + head)
    assert text_of(page).split("|") == TITLES


@pytest.mark.parametrize("range_", ["entry 0% cover 40%", "cover"])
def test_sections_that_a_timeline_of_scrolling_reveals_are_shown(show, range_):
    frames = "0% {opacity: 0} 100% {opacity: 1}" if "entry" in range_ else "0%, 100% {opacity: 0} 50% {opacity: 1}"
    style = f"<style>@keyframes s {{{frames}}} section {{animation: s linear both; animation-timeline: view();"
    page = show(SECTIONS.replace("class=r", ""), head=f"{STYLE}{style} animation-range: {range_}}}</style>")
    assert text_of(page).split("|") == TITLES


def test_what_depends_on_the_place_is_as_at_the_top(show):
    page = show(
        "<header id=h style='position:fixed;top:0'>large</header><p style='margin-top:90px;height:3000px'>long</p>"
        "<a id=b style='position:fixed;bottom:9px;display:none'>back to top</a><script>"
        "addEventListener('scroll', () => { h.textContent = scrollY > 50 ? 'small' : 'large';"
        "b.style.display = scrollY > 200 ? 'block' : 'none' })</script>"
    )
    assert text_of(page) == "large|long"


def test_scripts_that_fit_things_to_the_window_do_not_hear_that_it_grows(show):
    page = show(
        "<div id=h>hero</div><p style='height:2000px'>below</p><script>"
        "const fit = () => h.style.height = innerHeight + 'px'; fit(); addEventListener('resize', fit)</script>"
    )
    assert page.height == pytest.approx(8 + 1024 + 20 + 2000 + 16, abs=16)


LAZY = {
    "loading=lazy": "<img loading=lazy alt=v{i} src='pic.png?{i}'>",
    "loading=lazy, srcset alone": "<img loading=LAZY alt=v{i} srcset='pic.png?{i} 1x'>",
    "in a <picture>": "<picture><source srcset='pic.png?{i}'><img loading=lazy alt=v{i}></picture>",
    "by an observer": "<img class=o alt=v{i} data-src='pic.png?{i}'>",
    "by scrolling": "<img class=s alt=v{i} data-src='pic.png?{i}'>",
    "behind a section": "<div style='content-visibility:auto'><img alt=v{i} src='pic.png?{i}'></div>",
}
LOADERS = """<script>const load = e => { if (e.dataset.src) e.src = e.dataset.src; delete e.dataset.src };
const o = new IntersectionObserver(found => found.forEach(f => f.isIntersecting && load(f.target)));
document.querySelectorAll('.o').forEach(e => o.observe(e));
const look = () => document.querySelectorAll('.s').forEach(e => e.getBoundingClientRect().top < innerHeight && load(e));
addEventListener('scroll', look); look()</script>"""


@pytest.mark.usefixtures("picture")
@pytest.mark.parametrize("image", LAZY.values(), ids=LAZY.keys())
def test_pictures_that_load_when_they_are_near_push_down_what_follows(show, image):
    """Without width and height they have none until they load: the picture of the page used to end too high."""
    body = "".join(f"<h2>Title {i}</h2>{image.format(i=i)}" for i in range(6))
    pages = [show(f"{body}<p>The end{LOADERS}", head=STYLE) for _ in range(2)]
    assert text_of(pages[0]).split("|") == [*TITLES, "The end"]
    assert pages[0].height > 6 * 300
    assert pages[0] == pages[1]


def test_lazy_frames_are_read(show, tmp_path):
    (tmp_path / "frame.html").write_text("<!doctype html><p>framed")
    body = "".join(f"<h2>Title {i}</h2><iframe loading=lazy src='frame.html?{i}'></iframe>" for i in range(6))
    page = show(body, head="<style>iframe {margin-bottom: 500px}</style>")
    assert text_of(page).split("|") == [part for title in TITLES for part in (title, "framed")]


def test_sections_with_a_guessed_height_are_as_high_as_they_are(show):
    style = "<style>section {content-visibility: auto; contain-intrinsic-size: 9px 50px} p {height: 500px}</style>"
    body = "".join(f"<section><h2>Title {i}</h2><p></p></section>" for i in range(6))
    page = show(body, head=style)
    assert text_of(page).split("|") == TITLES
    assert page.height > 6 * 500


@pytest.mark.parametrize(
    "when",
    [
        "addEventListener('scroll', () => { if (scrollY + innerHeight > document.body.scrollHeight - 10) more() })",
        "new IntersectionObserver(found => { if (found[0].isIntersecting) more() }).observe(s)",
    ],
)
def test_a_page_that_grows_without_end_ends_at_the_highest_picture(show, when):
    more = "for (let i = 0; i < 40; i++) l.insertAdjacentHTML('beforeend', '<p>item</p>')"
    body = f"<div id=l></div><div id=s>.</div><script>function more() {{ {more} }} more(); {when}</script>"
    page = show(body)
    assert 2000 < page.height <= 4096
    assert page == show(body)


def test_answers_that_scripts_wait_for_come_before_the_picture(show, tmp_path):
    """The picture used to be taken while they were on their way: sometimes with them, sometimes without."""
    (tmp_path / "items.json").write_text('["one"]')
    script = """fetch('items.json').then(r => r.json()).then(j => fetch('items.json?2')).then(r => r.text()).then(t => {
      p.textContent = t; const x = new XMLHttpRequest(); x.open('GET', 'items.json?3');
      x.onload = () => setTimeout(() => { q.textContent = x.responseText }, 9000); x.send() })"""
    assert text_of(show(f"<p id=p>waits</p><p id=q>waits</p><script>{script}</script>")) == '["one"]|waits'


@pytest.mark.usefixtures("picture")
def test_what_the_browser_keeps_for_a_page_comes_before_the_picture(show):
    """Databases, caches and files answer in real time: now and then the picture was taken before they had."""
    script = """(async () => {
        const cache = await caches.open('c'); await cache.put('/q', new Response('cached'));
        const root = await navigator.storage.getDirectory(); const file = await root.getFileHandle('f', {create: true});
        const size = (await file.getFile()).size; const cookies = (await cookieStore.getAll()).length;
        const db = await new Promise(done => { const r = indexedDB.open('d');
            r.onupgradeneeded = () => r.result.createObjectStore('s'); r.onsuccess = () => done(r.result) });
        const store = db.transaction('s', 'readwrite').objectStore('s'); store.put('kept', 1);
        const kept = await new Promise(done => { const r = store.get(1); r.onsuccess = () => done(r.result) });
        document.querySelector('p').textContent = `${await (await caches.match('/q')).text()} ${size} ${kept}`;
    })()"""
    assert {text_of(show(f"<p>start</p><script>{script}</script>")) for _ in range(4)} == {"cached 0 kept"}


def test_backgrounds_of_what_is_revealed_are_drawn(show):
    script = "addEventListener('scroll', () => document.querySelectorAll('.r').forEach(e => e.classList.add('on')))"
    style = STYLE + "<style>.r.on {background: url(pic.png)}</style>"
    pages = [show(f"{SECTIONS}<script>{script}</script>", head=style) for _ in range(3)]
    assert {page.png for page in pages} == {pages[0].png}
    assert np.ptp(pixels(pages[0])[3000:3300, :500].astype(int), axis=(0, 1)).min() > 200


def test_large_pictures_are_drawn_when_they_are_decoded(show, tmp_path):
    """Chromium leaves pictures blank that it has not decoded yet: the same page gave other bytes every time."""
    noise = np.random.default_rng(1).integers(0, 255, (2000, 2000, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "large.png")
    body = "<p>text</p>" + "".join(f"<img src='large.png?{i}' width=400 decoding=async>" for i in range(4))
    assert len({show(body).png for _ in range(4)}) == 1


@pytest.mark.usefixtures("picture")
def test_the_same_page_gives_the_same_bytes_every_time(show):
    images = "".join(f"<h2>Section {i}</h2><img loading=lazy src='pic.png?{i}' alt='view {i}'>" for i in range(6))
    reveal = "const e = document.querySelector('.r:not(.on)'); if (e) e.classList.add('on')"
    body = f"{images}{SECTIONS}<script>addEventListener('scroll', () => {{ {reveal} }})</script>"
    assert len({show(body, head=STYLE).png for _ in range(8)}) == 1
