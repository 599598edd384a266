"""pixread.inspect: what a person sees of a shard set."""

import io
import re

import pytest
from PIL import Image

from pixread.inspect import gallery
from pixread.records import Box, DrawnBox, Example
from pixread.shards import write_shards

OWN_ELEMENTS = {"main", "article", "h2", "a", "div", "img", "svg", "ul", "li", "p", "pre", "dl", "dt", "dd"}
OWN_ELEMENTS |= {"details", "summary"}


def example(number: int, target: str = "<<a><b>>", **changes) -> Example:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 20), "white").save(buffer, changes.pop("format", "PNG"))
    return Example(id=f"example {number}", image=buffer.getvalue(), targets=(target,), **changes)


def page_of(tmp_path, examples, **settings) -> str:
    write_shards(
        examples,
        tmp_path / "set",
        seed=0,
        about={"target": "parse", "rendered": 3, "pages": 4, "skipped": {"timeout": 1}},
    )
    return gallery(tmp_path / "set", tmp_path / "out", **settings).read_text()


def test_an_example_shows_its_picture_boxes_tree_prompt_and_meta(tmp_path):
    boxes = (DrawnBox(Box(1, 2, 30, 15.5), "region"), DrawnBox(Box(3, 4, 5, 6), "mask"))
    shown = example(0, "<<Home><img_src=logo img_alt=Our logo>>", boxes=boxes, prompt="what?", meta={"words": 1})
    text = page_of(tmp_path, [shown])
    assert (tmp_path / "out" / "gallery-pictures" / "0.png").read_bytes() == shown.image
    assert 'src="gallery-pictures/0.png"' in text
    assert '<rect class="region" x="1" y="2" width="30" height="15.5"/>' in text
    assert '<g class="mask"><rect x="3" y="4" width="5" height="6"/>' in text
    assert (
        '<summary>2 nodes</summary><ul><li class="text">Home</li><li class="image"><b>src</b> logo <b>alt</b> Our logo'
        in text
    )
    assert '<p class="prompt">what?</p>' in text
    assert "<dt>words</dt><dd>1</dd>" in text
    assert "1 of 1 examples &middot; parse, 3 of 4 pages rendered, 1 skipped: timeout" in text


def test_labels_are_shown_with_their_text(tmp_path):
    label = DrawnBox(Box(1, 2, 30, 10), "label", "<A>")
    text = page_of(tmp_path, [example(0, boxes=(label,))])
    rectangle = '<rect class="label" x="1" y="2" width="30" height="10"/>'
    assert f'<g class="label">{rectangle}<text x="16" y="7" font-size="7">&lt;A&gt;</text></g>' in text


def test_plain_targets_and_line_boxes_are_shown(tmp_path):
    text = page_of(tmp_path, [example(0, "one & two\nthree", meta={"lines": [[1, 2, 3, 4]]}, format="WEBP")])
    assert "<pre>one &amp; two\nthree</pre>" in text
    assert '<rect class="line" x="1" y="2" width="3" height="4"/>' in text
    assert (tmp_path / "out" / "gallery-pictures" / "0.webp").exists()


def test_nothing_from_an_example_becomes_markup(tmp_path):
    evil = "<script>alert(1)</script>"
    meta = {"<b>": evil}
    text = page_of(tmp_path, [example(0, evil, prompt=evil, source=evil, group_id=evil, meta=meta)])
    body = text[text.index("<main>") :]
    assert "<script" not in body
    assert set(re.findall(r"<(\w+)", body)) <= OWN_ELEMENTS


def test_some_are_chosen_by_seed_and_an_older_gallery_is_replaced(tmp_path):
    examples = [example(number) for number in range(30)]
    first, other = (page_of(tmp_path, examples, limit=5, seed=seed) for seed in (0, 1))
    numbers = [re.findall(r'<article id="example-(\d+)"', text) for text in (first, other)]
    assert numbers[0] != numbers[1]
    assert [len(found) for found in numbers] == [5, 5]
    assert numbers[1] == sorted(numbers[1], key=int)
    assert sorted(path.stem for path in (tmp_path / "out" / "gallery-pictures").iterdir()) == sorted(numbers[1])


@pytest.mark.parametrize(
    ("count", "limit", "sentence"),
    [(1, 0, "limit must be at least 1, got 0"), (0, 5, "the shard set has no examples, so there is nothing to show")],
)
def test_bad_arguments_are_refused(tmp_path, count, limit, sentence):
    with pytest.raises(ValueError, match=sentence):
        page_of(tmp_path, [example(number) for number in range(count)], limit=limit)
    assert not (tmp_path / "out").exists()
