from pathlib import Path

import pytest
import torch

import pixread
from pixread.checkpoints.folder import load
from pixread.targets import devanagari
from pixread.train.mine import mine
from pixread.train.recipes import make_recipe
from pixread.train.start import start_model, with_vocabulary
from tests.conftest import MakeCheckpoint


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def test_a_new_script_leaves_what_the_model_knows() -> None:
    """The shipped reader with more tokens gives its old tokens the same logits, and keeps their ids."""
    known, tokenizer = start_model(make_recipe("finetune-nano", {}))
    grown, larger = with_vocabulary(known, len(tokenizer) + 5), tokenizer.with_characters("אבגדה")
    assert len(larger) == len(tokenizer) + 5 == grown.config.vocab_size
    text = "<Total: 12,50 €>"
    assert larger.encode(text) == tokenizer.encode(text)
    assert larger.decode(larger.encode(f"<img_alt=דג> {text}")) == f"<img_alt=דג> {text}"
    assert max(larger.encode("אבגדה")) == len(larger) - 1 and len(larger.encode("אבגדה")) == 5

    ids = torch.tensor([[0, *tokenizer.encode(text)]])
    hidden = known.config.hidden_size
    memory = torch.randn(1, len(ids[0]), hidden)
    before, after = known.decoder.head(memory), grown.decoder.head(memory)
    assert torch.equal(before, after[..., : before.shape[-1]])
    assert torch.allclose(after[..., before.shape[-1] :], before.mean(dim=-1, keepdim=True).expand(1, -1, 5), atol=1e-3)
    assert torch.equal(known.decoder.token_embedding(ids), grown.decoder.token_embedding(ids))


def test_a_vocabulary_that_is_large_enough_stays() -> None:
    model, tokenizer = start_model(make_recipe("line-words", {"devanagari": "0.5"}))
    assert with_vocabulary(model, len(tokenizer)) is model
    assert set(map(len, map(tokenizer.encode, devanagari.ALPHABET))) == {1}
    assert tokenizer.with_characters(devanagari.ALPHABET).encode("कखग") == tokenizer.encode("कखग")


def test_shares_lie_between_0_and_1() -> None:
    with pytest.raises(ValueError, match=r"devanagari must lie between 0 and 1, got 1\.5"):
        make_recipe("line-pages", {"devanagari": "1.5"})


@pytest.mark.parametrize("settings", [{"decoder_start_token_id": 300}, {"eos_token_id": [310, 311]}])
def test_labels_with_other_starts_and_ends_are_refused(
    make_checkpoint: MakeCheckpoint, tmp_path: Path, settings: dict[str, object]
) -> None:
    """Labels began with 0 and ended with 1 whatever a checkpoint said, and outputs of what came of it had no end."""
    folder = make_checkpoint(**settings)
    with pytest.raises(ValueError, match=r"start with the token \d+ and end with .*, but labels start with 0 and end"):
        start_model(make_recipe("finetune-nano", {"init": str(folder)}))
    with pytest.raises(ValueError, match="but labels start with 0 and end with 1"):
        mine(pixread.load(folder, device="cpu"), tmp_path, tmp_path / "out")


def test_the_end_of_labels_is_the_one_that_is_saved(make_checkpoint: MakeCheckpoint, tmp_path: Path) -> None:
    """Of several ends the config's first was, whichever the labels had."""
    folder = make_checkpoint(eos_token_id=[310, 1])
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"eos_token_id": 1', '"eos_token_id": [310, 1]'))
    assert load(folder).config.eos == 310
    model, _ = start_model(make_recipe("finetune-nano", {"init": str(folder)}))
    assert (model.config.pad, model.config.eos) == (0, 1)
