import pytest
import yaml

from pixread.checkpoints.card import CardFacts, make_card

PLAIN = CardFacts(license="mit", parameters=282_285_696, is_vqa=False, max_patches=2048)


def test_a_card_says_only_what_is_known():
    card = make_card("somebody/reader", PLAIN)

    front, text = card.removeprefix("---\n").split("\n---\n", 1)
    assert yaml.safe_load(front)["license"] == "mit"
    assert text.splitlines()[1] == "# reader"
    assert "282.3 million parameters that reads a picture in one pass. It takes up to 2048 patches" in text
    assert "## Scores\n\nNot measured." in text
    assert "## Training\n\nNot recorded." in text
    assert text.endswith("## Licence\n\nmit\n")


@pytest.mark.parametrize(
    ("is_vqa", "tag", "call"),
    [
        (False, "image-to-text", 'reader.read("picture.png")'),
        (True, "visual-question-answering", 'reader.read("picture.png", "What is the total?")'),
    ],
)
def test_the_example_fits_the_task(is_vqa: bool, tag: str, call: str):
    facts = CardFacts(license="mit", parameters=1, is_vqa=is_vqa, max_patches=1)
    card = make_card("somebody/reader", facts)

    assert yaml.safe_load(card.split("---\n")[1])["pipeline_tag"] == tag
    assert f'reader = pixread.load("somebody/reader")\nprint({call}.text)' in card


def test_what_looks_like_yaml_stays_a_text():
    facts = CardFacts(license="other: x", parameters=1, is_vqa=False, max_patches=1)
    assert yaml.safe_load(make_card("x/y", facts).split("---\n")[1])["license"] == "other: x"
