"""What a file is, found as a browser and a web server find it: by name, destination of the request, and bytes.

Sources: the MIME Sniffing standard (mimesniff.spec.whatwg.org) and the HTML standard, "Determining the character
encoding" (html.spec.whatwg.org).
"""

from __future__ import annotations

import codecs
import html.entities
import re

from pixread.filenames import HTML_TYPE, MEDIA_TYPES, SCRIPT_TYPE, suffix_of

# The type of a file of unknown name by the destination of the request (Sec-Fetch-Dest): style sheets
# and module scripts of another type would be thrown away.
_TYPE_BY_DESTINATION = {
    "style": "text/css",
    **dict.fromkeys(("script", "worker", "sharedworker"), SCRIPT_TYPE),
}
_SPACE = rb"\t\n\f\r "
_HTML_START = re.compile(
    rb"(?:\xef\xbb\xbf)?["
    + _SPACE
    + rb"]*<(?:!--|(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|"
    rb"body|br|p)[" + _SPACE + rb">])",
    re.IGNORECASE,
)
_SVG_START = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*|<!doctype svg[^>]*>\s*)*<svg[\s>]", re.I | re.S
)

_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_BINARY_STARTS = (
    *(
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"GIF87a",
        b"GIF89a",
        b"%PDF-",
        b"%!PS-Adobe-",
        b"PK\x03\x04",
        b"\x1f\x8b\x08",
    ),
    *(b"Rar \x1a\x07", b"RIFF", b"OggS\0", b"ID3", b"wOFF", b"wOF2", b"\x1aE\xdf\xa3", b"bplist00"),
)
_BINARY_BYTES = bytes({*range(9), 0x0B, *range(0x0E, 0x1B), *range(0x1C, 0x20)})
_BINARY_SHARE = 0.1  # a few stray control characters are the mistakes of a text

_ENTITY = re.compile(rb"&([A-Za-z][A-Za-z0-9]*);")
_XML_ENTITIES = {"lt", "gt", "amp", "quot", "apos"}

_PRESCANNED_BYTES = 1024
# The encodings of browsers (WHATWG Encoding Standard), by Python's names. To another label they do not listen.
_ENCODINGS = {"utf-8", "ascii", "cp866", "cp874", "koi8-r", "koi8-u", "mac-roman", "mac-cyrillic", "tis-620"}
_ENCODINGS |= {f"cp{number}" for number in range(1250, 1259)} | {f"iso8859-{number}" for number in range(1, 17)}
_ENCODINGS |= {"gb2312", "gbk", "gb18030", "hz", "big5", "big5hkscs", "euc_jp", "iso2022_jp", "shift_jis", "cp932"}
_ENCODINGS |= {"euc_kr", "cp949", "iso2022_kr", "utf-16", "utf-16-le", "utf-16-be"}
_PYTHONS_LABELS = {"latin-1", "latin_1"}  # Python's names for what browsers call latin1
# Elements whose content is text: a <meta> in them is none.
_RAW_TEXT = {b"script", b"style", b"title", b"textarea", b"xmp", b"iframe", b"noembed", b"noframes"}
_MARKUP = re.compile(rb"<(?:(!--)|(meta)(?=[" + _SPACE + rb"/])|(/?[a-z])|[!/?])", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    rb"[" + _SPACE + rb"/]*([^" + _SPACE + rb"/>][^" + _SPACE + rb"/>=]*)"
    rb"(?:["
    + _SPACE
    + rb"]*=["
    + _SPACE
    + rb"]*(?:\"([^\"]*)\"|'([^']*)'|([^"
    + _SPACE
    + rb">\"'][^"
    + _SPACE
    + rb">]*)|))?"
)
_CONTENT_CHARSET = re.compile(
    rb"charset[" + _SPACE + rb"]*=[" + _SPACE + rb"]*(?:\"([^\"]*)\"|'([^']*)'|([^" + _SPACE + rb";\"']+))",
    re.IGNORECASE,
)


def is_binary(start: bytes) -> bool:
    """Whether a file that begins so is no text: by the mark of its format, or by many control characters."""
    if start.startswith(_BOMS):
        return False
    if start.startswith(_BINARY_STARTS):
        return True
    return len(start) - len(start.translate(None, _BINARY_BYTES)) > _BINARY_SHARE * len(start)


def content_type(name: str, data: bytes, *, wanted: str = "") -> str | None:
    """The Content-Type that a web server would send, or None to leave it to the browser.

    `wanted` is what the browser means to use the file as (Sec-Fetch-Dest). Of HTML and plain text that says nothing
    else about itself the charset is named where it is UTF-8. Style sheets and scripts get none: they have rules of
    their own (@charset, the encoding of the document).
    """
    mime = MEDIA_TYPES.get(suffix_of(name)) or _sniffed(data, wanted=wanted)
    if mime == HTML_TYPE:
        return mime if _has_own_charset(data) or not _is_utf8(data) else f"{mime}; charset=utf-8"
    if mime in {"text/plain", "text/csv"} and _is_utf8(data):
        return f"{mime}; charset=utf-8"
    return mime


def with_numbered_entities(data: bytes) -> bytes:
    """XHTML with the named characters of HTML, which XML does not know, written as numbers."""

    def numbered(match: re.Match[bytes]) -> bytes:
        name = match[1].decode("ascii")
        characters = "" if name in _XML_ENTITIES else html.entities.html5.get(f"{name};", "")
        return "".join(f"&#{ord(character)};" for character in characters).encode("ascii") or match[0]

    return _ENTITY.sub(numbered, data)


def _sniffed(data: bytes, *, wanted: str) -> str | None:
    """The type of a file by its bytes, where its name has no known suffix."""
    # Style sheets and scripts may begin with the mark of an HTML comment.
    if _HTML_START.match(data) and not (wanted in _TYPE_BY_DESTINATION and data.lstrip().startswith(b"<!--")):
        return HTML_TYPE
    if wanted == "image" and _SVG_START.match(data):
        return MEDIA_TYPES[".svg"]
    return _TYPE_BY_DESTINATION.get(wanted)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _has_own_charset(data: bytes) -> bool:
    """Whether a page has a byte order mark, or a <meta> that names another encoding than UTF-8."""
    return data.startswith(_BOMS) or declared_charset(data) not in {None, "utf-8"}


def declared_charset(data: bytes) -> str | None:
    """The encoding that the first 1024 bytes of a page declare, by Python's name ("prescan a byte stream").

    Only `<meta>` counts, and what stands in comments or in attributes of other elements does not. None where nothing is
    declared that exists.
    """
    data = data[:_PRESCANNED_BYTES]
    position = 0
    while match := _MARKUP.search(data, position):
        comment, meta, tag = match.groups()
        if comment:
            # The dashes that open a comment may be those that close it.
            end = data.find(b"-->", match.start() + 2)
            position = len(data) if end < 0 else end + 3
        elif meta or tag:
            start = match.end() if meta else _name_end(data, match.end())
            attributes, position = _attributes(data, start)
            name = data[match.start() + 1 : start].lower()
            if name in _RAW_TEXT:
                position = _content_end(data, position, name)
            if meta and (charset := _charset_of_meta(attributes)):
                return charset
        else:
            end = data.find(b">", match.end())
            position = len(data) if end < 0 else end + 1
    return None


def _name_end(data: bytes, start: int) -> int:
    match = re.compile(rb"[" + _SPACE + rb">]").search(data, start)
    return match.start() if match else len(data)


def _content_end(data: bytes, start: int, name: bytes) -> int:
    """Where the end tag of an element begins whose content is text."""
    end = data.lower().find(b"</" + name, start)
    return len(data) if end < 0 else end


def _attributes(data: bytes, position: int) -> tuple[dict[bytes, bytes], int]:
    """The attributes that follow, by name in small letters, and where they end; of two alike the first counts."""
    attributes: dict[bytes, bytes] = {}
    while attribute := _ATTRIBUTE.match(data, position):
        name, *values = attribute.groups()
        attributes.setdefault(name.lower(), next((value for value in values if value is not None), b""))
        position = attribute.end()
    return attributes, position


def _charset_of_meta(attributes: dict[bytes, bytes]) -> str | None:
    label = attributes.get(b"charset")
    if label is None and attributes.get(b"http-equiv", b"").strip().lower() == b"content-type":
        inner = _CONTENT_CHARSET.search(attributes.get(b"content", b""))
        label = next((part for part in inner.groups() if part is not None), None) if inner else None
    if label is None:
        return None
    name = label.decode("ascii", "replace").strip().lower()
    if name == "x-user-defined":
        return "cp1252"
    try:
        encoding = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    if encoding not in _ENCODINGS or name in _PYTHONS_LABELS:
        return None
    # A declaration that can be read byte by byte cannot be true of UTF-16.
    return "utf-8" if encoding.startswith("utf-16") else encoding
