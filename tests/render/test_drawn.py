"""The text of a page is what is drawn of it, which the DOM alone does not tell."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from tests.render.pages import Show, lines_of, text_of

pytestmark = pytest.mark.browser

CUT = "overflow:hidden;white-space:nowrap;text-overflow:ellipsis;font:20px monospace"


def cut_to_width_of(shown: str) -> str:
    """A line of Hebrew in a box 3 px wider than `shown`, whichever of the installed fonts draws the letters."""
    return (
        "<div dir=rtl style='display:inline-grid;font:20px sans-serif'>"
        f"<p style='visibility:hidden;white-space:nowrap;padding-left:3px'>{shown}</p>"
        f"<p style='{CUT};font:inherit;width:0;min-width:100%'>שלום עולם טוב מאוד</div>"
    )


# Name -> (body, text of the leaves that are to be found, parted by bars).
DRAWN = {
    "capitals behind hyphens and stops": (
        "<p style='text-transform:capitalize'>state-of-the-art and/or e.g. o'neil 3rd",
        "State-Of-The-Art And/Or E.G. O'neil 3rd",
    ),
    "capitals across elements": ("<p style='text-transform:capitalize'>in<b>ner</b> <b>m</b>ost", "In|ner|M|ost"),
    "Turkish": ("<p lang=tr style='text-transform:uppercase'>istanbul diyarbakır", "İSTANBUL DİYARBAKIR"),
    "Greek": ("<p lang=el style='text-transform:uppercase'>άνθρωπος", "ΑΝΘΡΩΠΟΣ"),
    "more letters than written": ("<p style='text-transform:uppercase'>die straße ist ﬁn", "DIE STRASSE IST FIN"),
    "a broken word with more letters": (
        "<p style='text-transform:uppercase;width:4ch;font:20px monospace;overflow-wrap:anywhere'>straße",
        "STRASSE",
    ),
    "small capitals": ("<p style='font-variant:small-caps'>Small caps", "SMALL CAPS"),
    "first line": ("<style>p::first-line{text-transform:uppercase}</style><p>one<br>two", "ONE|two"),
    "first letter": ("<style>p::first-letter{font-size:3em;text-transform:uppercase}</style><p>once upon", "Once upon"),
    "an input in capitals": ("<input style='text-transform:uppercase' value=abc>", "ABC"),
    "override": (
        "<p><span style='unicode-bidi:bidi-override;direction:rtl'>moc.elpmaxe@ofni</span>",
        "info@example.com",
    ),
    "override by element": ("<p><bdo dir=rtl>(cba) fed</bdo>", "def (abc)"),
    "override by character": ("<p>&#x202e;gnp.exe&#x202c; file", "exe.png file"),
    "override of right-to-left letters": ("<p><bdo dir=ltr>שלום</bdo>", "םולש"),
    "an isolate inside of an override": (
        "<p><bdo dir=rtl>cba <span style='unicode-bidi:isolate;direction:ltr'>plain</span></bdo>",
        "abc|plain",
    ),
    "direction without letters of it": ("<p dir=rtl>Hello, world!", "!Hello, world"),
    "numbers from right to left": ("<p dir=rtl>(555) 123-4567", "123-4567 (555)"),
    "right-to-left text stays as it is read": ("<p dir=rtl>שלום (עולם) 123!", "שלום (עולם) 123!"),
    "isolates in right-to-left text": ("<p dir=rtl>שלום &#x2068;abc&#x2069; 12 עולם", "שלום abc 12 עולם"),
    "ellipsis": (f"<p style='{CUT};width:10.5ch'>some long text", "some long…"),
    "ellipsis within a word": (f"<p style='{CUT};width:8.5ch'>abcdefghijkl", "abcdefg…"),
    "ellipsis over elements": (f"<p style='{CUT};width:12.5ch'>one <b>two three</b> <i>four</i>", "one|two thr…"),
    "ellipsis under zoom": (f"<div style='zoom:1.5'><p style='{CUT};width:10.5ch'>some long text</div>", "some long…"),
    "ellipsis from right to left": (cut_to_width_of("שלום עולם …"), "שלום עולם …"),
    "ellipsis within a word from right to left": (cut_to_width_of("שלום עו…"), "שלום עו…"),
    "ellipsis at the start of a path": (
        f"<p dir=rtl style='{CUT};width:12.5ch;text-align:left'>/usr/share/long/file.txt",
        "…g/file.txt/",
    ),
    "no ellipsis where all fits": (f"<p style='{CUT};width:20ch'>some long text", "some long text"),
    "ellipsis of an input": (f"<input style='{CUT};width:8.5ch;padding:0' value=abcdefghijkl>", "abcdefg…"),
    "clamped lines": (
        "<p style='display:-webkit-box;-webkit-line-clamp:2;-webkit-box-orient:vertical;overflow:hidden;width:10.5ch;"
        "font:20px monospace'>aaaa bbbb cccc dddd eeee",
        "aaaa bbbb cccc dddd…",
    ),
    "soft hyphens": (
        "<p style='width:9ch;font:20px monospace'>inter&shy;national&shy;ization",
        "inter-national-ization",
    ),
    "soft hyphens that break nothing": ("<p>inter&shy;national", "international"),
    "a hyphen of the author's": (
        "<p style='width:9ch;font:20px monospace;hyphenate-character:\"=\"'>inter&shy;national",
        "inter=national",
    ),
    # They got a hyphen where a word went on in the next line.
    "no hyphens in Japanese": (
        "<p lang=ja style='width:5em;font-size:20px;hyphens:auto'>メンテナツールの概要",
        "メンテナツールの概要",
    ),
    "no hyphens in Korean": (
        "<p lang=ko style='width:3em;font-size:20px;hyphens:auto'>대한민국사람들",
        "대한민국사람들",
    ),
    "wbr": ("<p>super<wbr>cali<!-- -->fragi", "supercalifragi"),
    "wbr at a break": ("<p style='width:6ch;font:20px monospace'>super<wbr>cali", "supercali"),
    "back of a card": (
        "<div style='position:relative;transform-style:preserve-3d;height:30px'><p style='position:absolute;"
        "backface-visibility:hidden'>front</p><p style='position:absolute;backface-visibility:hidden;"
        "transform:rotateY(180deg)'>back</p></div>",
        "front",
    ),
    "a turned card": (
        "<div style='transform:rotateY(180deg);transform-style:preserve-3d;height:30px;width:200px'>"
        "<p style='backface-visibility:hidden;margin:0'>front</p>"
        "<p style='backface-visibility:hidden;margin:0;rotate:y 180deg'>back</p></div>",
        "back",
    ),
    "mirrored": ("<p style='transform:scaleX(-1)'>mirrored<p>plain", "plain"),
    "text security": ("<p style='-webkit-text-security:disc'>secret4711", "••••••••••"),
    "square security": ("<p style='-webkit-text-security:square'>abc", "■■■"),
    "blurred": ("<p style='font-size:20px;filter:blur(9px)'>illegible<p>plain", "plain"),
    "blurred a little": ("<p style='font-size:20px;filter:blur(1px)'>legible", "legible"),
    "blurred, and then enlarged": (
        "<p style='font-size:5px;filter:blur(1px);scale:3;transform-origin:0 0'>illegible<p>plain",
        "plain",
    ),
    "blurred by what lies over it": (
        "<div style='position:relative'>veiled"
        "<i style='position:absolute;inset:0;backdrop-filter:blur(8px)'></i></div><p>plain",
        "plain",
    ),
    "blurred by a filter of its own": (
        "<svg width=0 height=0><filter id=b><feGaussianBlur stdDeviation=8></filter></svg>"
        "<p style='font-size:20px;filter:url(#b)'>illegible<p>plain",
        "plain",
    ),
    "nothing but the haze of a shadow": (
        "<p style='font-size:20px;color:transparent;text-shadow:0 0 6px red,0 0 9px rgba(0,0,0,.6)'>illegible<p>plain",
        "plain",
    ),
    "nothing but a sharp shadow": (
        "<p style='font-size:20px;color:transparent;text-shadow:0 0 1px #000'>legible",
        "legible",
    ),
    "faded by a filter": ("<p style='filter:opacity(5%)'>faint<p>plain", "plain"),
    "numbers of a list": ("<ol start=3><li>a<li>b</ol>", "3.|a|4.|b"),
    "letters of a list": ("<ol type=a reversed><li>x<li>y</ol>", "b.|x|a.|y"),
    "bullets": ("<ul><li>x</ul>", "•|x"),
    "markers of one's own": ("<ul style='list-style:\"— \"'><li>x</ul>", "—|x"),
    "no markers": ("<ul style='list-style:none'><li>x</ul>", "x"),
    "generated text": ("<style>p::before{content:'Note: '}p::after{content:' (end)'}</style><p>x", "Note:|x|(end)"),
    "attributes and counters": (
        "<style>h4{counter-increment:c}h4::before{content:counter(c, upper-roman) '. ' attr(x)}</style><h4 x=A>a</h4>",
        "I. A|a",
    ),
    "quotes": ("<q>x</q>", "“|x|”"),
    "numbers of a right-to-left list": ("<ol dir=rtl><li>שלום עולם</ol>", "1.|שלום עולם"),
    "generated text in two directions": (
        "<style>p::before{content:'שלום abc '}</style><p dir=rtl>עולם",
        "שלום abc|עולם",
    ),
    "hidden generated text": ("<style>p::before{content:'no';visibility:hidden}</style><p>x", "x"),
    "a clearing full stop": ("<style>p::after{content:'.';display:block;height:0;overflow:hidden}</style><p>x", "x"),
    "generated glyphs of an icon font": ("<style>p::before{content:'\\f015'}</style><p>x", "x"),
    "placed generated text": ("<style>p::before{content:'→';position:absolute;left:300px}</style><p>x", "→|x"),
    "MathML": (
        "<math><msup><mi>x</mi><mn>2</mn></msup><mo>&InvisibleTimes;</mo><mi>y</mi><semantics><mi>z</mi>"
        "<annotation encoding=tex>\\zeta</annotation></semantics></math>",
        "x|2|y|z",
    ),
    "ruby": ("<ruby>東<rp>(</rp><rt>とう</rt><rp>)</rp></ruby>", "東|とう"),
    "date": ("<input type=date><input type=time value=13:05>", "mm/dd/yyyy|01:05 PM"),
    "file": ("<input type=file>", "Choose File|No file chosen"),
    "rows of a list box": ("<select multiple><optgroup label=g><option>a<option>b</select>", "g|a|b"),
    "an unnamed details": ("<details>closed</details>", "Details"),
}


@pytest.mark.parametrize("case", DRAWN)
def test_drawn_text(show: Show, case: str) -> None:
    body, expected = DRAWN[case]
    assert text_of(show(body)) == expected


def test_lines_have_the_hyphens_that_are_drawn(show: Show) -> None:
    page = show("<p style='width:9ch;font:20px monospace'>inter&shy;national&shy;ization")
    assert lines_of(page) == ["inter-", "national-", "ization"]


def test_ruby_does_not_break_the_line_of_its_base(show: Show) -> None:
    page = show("<p style='font-size:30px'>a<ruby>b<rt>x</rt></ruby>c<ruby>d<rt>y</rt></ruby>e")
    assert lines_of(page) == ["a b c d e", "x", "y"]


def test_markers_stand_in_the_line_of_their_item(show: Show) -> None:
    assert lines_of(show("<ol><li>first words</ol>")) == ["1. first words"]


@pytest.mark.parametrize("start", range(0, 0x110000, 0x11000))
def test_no_character_without_a_glyph_is_kept(show: Show, start: int) -> None:
    """A list of such characters had the bidirectional controls missing; now it is the Unicode property."""
    # What Python's tables call formats or controls, and the default ignorable ones that they call otherwise.
    others = {0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10)}
    prefix_signs = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
    hieroglyph_controls = range(0x13430, 0x13440)
    found = [
        code
        for code in range(start, min(start + 0x11000, sys.maxunicode + 1))
        if (unicodedata.category(chr(code)) in ("Cf", "Cc") or code in others)
        and code not in prefix_signs
        and code not in hieroglyph_controls
        and not chr(code).isspace()
        and code not in (0, *range(0x80, 0xA0))  # as character references they stand for other characters
        and code not in (0x202D, 0x202E)  # they turn what follows
    ]
    if not found:
        return
    references = "".join(f"a&#{code};b" for code in found)
    assert set(text_of(show(f"<p style='overflow-wrap:anywhere'>{references}")).split()) <= {"ab" * len(found)}


@pytest.mark.parametrize("text", ["می‌خواهم", "क्‍ष", "👩‍🚀"])
def test_joiners_that_shape_letters_are_kept(show: Show, text: str) -> None:
    page = show(f"<p>{text}")
    assert text_of(page) == text
