import pytest
import torch

from pixread.targets import devanagari
from pixread.train.recipes import make_recipe
from pixread.train.start import start_model, with_vocabulary


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
