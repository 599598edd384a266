from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from pixread.models.family import IGNORED_LABEL
from pixread.models.pix2struct.batch import PatchBatch
from pixread.models.pix2struct.config import SIZES
from pixread.models.pix2struct.model import Pix2Struct
from pixread.models.registry import sized
from tests.models.tiny import TINY, changed, random_batch, tiny_model


@pytest.mark.parametrize(
    ("name", "parameters", "in_encoder", "tensors"),
    [("base", 282_285_696, 91_835_904, 285), ("large", 1_336_107_264, 512_812_032, 423)],
)
def test_sizes_have_the_parameters_of_the_released_models(name: str, parameters: int, in_encoder: int, tensors: int):
    with torch.device("meta"):
        model = Pix2Struct(SIZES[name])

    assert sum(weight.numel() for weight in model.parameters()) == parameters
    assert sum(weight.numel() for weight in model.encoder.parameters()) == in_encoder
    assert len(model.state_dict()) == tensors


def test_sized_takes_the_vocabulary_of_the_tokenizer():
    assert sized("nano", vocab_size=321) == replace(SIZES["nano"], vocab_size=321)
    with pytest.raises(ValueError, match=r"^no model size 'huge'; the sizes are nano, base, large$"):
        sized("huge", vocab_size=321)


def test_heads_must_fill_the_hidden_size():
    with pytest.raises(ValueError, match="the decoder's num_heads \\* d_kv must be hidden_size, got 3 \\* 8 and 32"):
        changed(TINY, num_heads=3)


def test_padding_patches_change_nothing():
    model = tiny_model(dtype=torch.float64)
    batch = random_batch(TINY, [7, 3], length=6, padding=5)
    noisy = replace(batch, pixels=torch.where(batch.rows[..., None] > 0, batch.pixels, 9.0))

    logits = model(noisy)

    for row, size in enumerate([7, 3]):
        assert batch.labels is not None
        alone = PatchBatch(
            batch.pixels[row : row + 1, :size],
            batch.rows[row : row + 1, :size],
            batch.cols[row : row + 1, :size],
            batch.labels[row : row + 1],
        )
        torch.testing.assert_close(logits[row : row + 1], model(alone))


def test_a_label_is_never_seen_before_its_turn():
    model = tiny_model(dtype=torch.float64)
    batch = random_batch(TINY, [5], length=8)
    assert batch.labels is not None
    changed = batch.labels.clone()
    changed[0, 4] = (changed[0, 4] + 1) % TINY.vocab_size

    before, after = model(batch), model(replace(batch, labels=changed))

    torch.testing.assert_close(before[:, :5], after[:, :5])
    assert (before[:, 5] - after[:, 5]).abs().max() > 1e-3


def test_place_and_pixels_and_picture_matter():
    model = tiny_model()
    batch = random_batch(TINY, [5], length=3)
    logits = model(batch)

    for other in (
        replace(batch, rows=batch.rows % 19 + 1),
        replace(batch, cols=batch.cols % 19 + 1),
        replace(batch, pixels=-batch.pixels),
    ):
        assert (model(other) - logits).abs().max() > 1e-3


@pytest.mark.parametrize("encoder_layers", [1, 3])
def test_steps_give_the_logits_of_the_whole_sequence(encoder_layers: int):
    model = tiny_model(dtype=torch.float64, encoder_layers=encoder_layers, decoder_layers=2)
    batch = random_batch(TINY, [7, 3, 5], length=40)
    assert batch.labels is not None
    memory, ids = model.encode(batch), model.shift_right(batch.labels)

    cache = model.new_cache(3, 40)
    steps = [model.decoder_step(ids[:, position], memory, cache, position) for position in range(40)]

    torch.testing.assert_close(torch.stack(steps, dim=1), model(batch))


def test_shift_right_begins_with_the_pad_id():
    shifted = tiny_model().shift_right(torch.tensor([[5, 6, 1], [7, 1, 0]]))

    assert shifted.tolist() == [[0, 5, 6], [0, 7, 1]]


def test_half_precision_stays_near_float32_and_logits_are_float32():
    model = tiny_model()
    batch = random_batch(TINY, [7, 3], length=6)
    exact = model(batch)

    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = model(batch)
        first = model.prefill(batch).logits
    half = model.to(torch.bfloat16)(batch)

    for logits, reference in [(mixed, exact), (first, exact[:, 0]), (half, exact)]:
        assert logits.dtype == torch.float32
        torch.testing.assert_close(logits, reference, atol=0.15, rtol=0)
        assert not torch.equal(logits, reference)


def test_logits_start_with_unit_variance():
    model = tiny_model(hidden_size=192, num_heads=6, d_kv=32, d_ff=512, vocab_size=2000)

    logits = model(random_batch(model.config, [9, 9], length=20))

    assert logits.std().item() == pytest.approx(1, rel=0.1)


def test_gradients_reach_every_weight():
    model = tiny_model()
    model(random_batch(TINY, [7, 3], length=6)).square().sum().backward()

    still = [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert still == []


def test_a_batch_can_be_learnt_by_heart():
    model = tiny_model().train()
    batch = random_batch(TINY, [7, 3, 5, 6], length=8)
    assert batch.labels is not None
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(100):
        loss = F.cross_entropy(model(batch).flatten(0, 1), batch.labels.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    assert loss < 0.1


def test_dropout_acts_in_training_only():
    model = tiny_model(dropout=0.3)
    batch = random_batch(TINY, [7, 3], length=6)

    assert torch.equal(model(batch), model(batch))
    assert not torch.equal(model.train()(batch), model(batch))


def test_a_batch_without_labels_cannot_be_predicted():
    with pytest.raises(ValueError, match=r"^the batch has no labels to predict"):
        tiny_model()(random_batch(TINY, [3]))


def test_a_patch_outside_the_position_tables_is_refused():
    batch = random_batch(TINY, [3])
    batch.cols[0, 1] = 20

    with pytest.raises(ValueError, match=r"^a patch stands in row or column 20; this model knows up to 19$"):
        tiny_model().encode(batch)


@pytest.mark.parametrize(("id_", "place"), [(50, 0), (50, 3), (-1, 1)])
def test_an_id_outside_of_the_embedding_is_refused(id_: int, place: int):
    """T5's 100 extra ids, and negative ones but that of what is not learnt, would be an index out of range."""
    batch = random_batch(TINY, [3], length=4)
    assert batch.labels is not None
    batch.labels[0, place] = id_

    with pytest.raises(ValueError, match=rf"^the token id {id_} has no row; this model knows ids 0 to 49$"):
        tiny_model()(batch)


@pytest.mark.gpu
def test_cuda_gives_the_logits_of_the_processor():
    model = tiny_model()
    batch = random_batch(TINY, [70, 33], length=16)
    exact = model(batch)

    model, batch = model.cuda(), batch.to("cuda")
    torch.testing.assert_close(model(batch).cpu(), exact, atol=1e-3, rtol=0)
    with torch.autocast("cuda", dtype=torch.bfloat16):
        mixed = model(batch)
    mixed.square().sum().backward()
    torch.testing.assert_close(mixed.cpu(), exact, atol=0.2, rtol=0)
    assert model.decoder.relative_bias.table.weight.grad is not None


def test_what_is_not_learnt_is_fed_as_padding_and_changes_nothing() -> None:
    """Rows of different lengths: what stands behind a label's end is no id of the vocabulary."""
    model = tiny_model()
    batch = random_batch(TINY, [7, 3], length=6)
    assert batch.labels is not None
    ignored, padded = batch.labels.clone(), batch.labels.clone()
    ignored[1, 3:], padded[1, 3:] = IGNORED_LABEL, TINY.pad
    assert torch.equal(model(replace(batch, labels=ignored)), model(replace(batch, labels=padded)))
    wrong = ignored.masked_fill(ignored == IGNORED_LABEL, -1)
    with pytest.raises(ValueError, match="the token id -1 has no row"):
        model(replace(batch, labels=wrong))
