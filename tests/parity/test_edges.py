"""Where pixread and transformers part at the edges of what the parity table covers (docs/parity.md)."""

import numpy as np
import torch
from transformers.models.pix2struct.image_processing_pil_pix2struct import Pix2StructImageProcessorPil

from pixread.generate.beam import BeamSettings, beam_search
from pixread.models.pix2struct.patches import standardise
from tests.models.tiny import random_batch, tiny_model
from tests.parity.configs import random_model
from tests.parity.pictures import noise
from tests.parity.theirs import their_ids, their_inputs, their_model


def test_pictures_of_almost_one_shade_are_standardised_more_exactly():
    """The mean of millions of numbers near 255 is off in float32, and the deviation it is divided by is small."""
    pixels = np.asarray(noise(2000, 1500, seed=0, low=254))
    exact = (pixels - pixels.mean(dtype=np.float64)) / pixels.std(dtype=np.float64)

    theirs = Pix2StructImageProcessorPil().normalize(pixels.transpose(2, 0, 1)).transpose(1, 2, 0)
    off = [float(np.abs(found - exact).max()) for found in (standardise(pixels), theirs)]

    assert off[0] < 1e-5 < off[1]
    assert 2 * off[0] < off[1]


@torch.no_grad()
def test_padding_is_hidden_without_being_told():
    """Without an attention_mask their encoder finds the padding itself, but their decoder looks at it."""
    ours = random_model("tiny")
    theirs, batch = their_model(ours), random_batch(ours.config, [9, 4], length=20, padding=5)
    inputs = their_inputs(batch)

    masked = theirs(**inputs, labels=batch.labels).logits
    unmasked = theirs(flattened_patches=inputs["flattened_patches"], labels=batch.labels).logits

    torch.testing.assert_close(ours(batch), masked, atol=1e-4, rtol=0)
    assert (unmasked - masked).abs().max() > 0.1


def test_a_small_vocabulary_gives_fewer_outputs_instead_of_copies():
    ours = tiny_model(patch_dim=768, vocab_size=3)
    batch = random_batch(ours.config, [7])

    [found] = beam_search(ours, ours.prefill(batch), BeamSettings(beams=6), max_new_tokens=1)
    theirs, _ = their_ids(
        their_model(ours), batch, eos=ours.config.eos, num_beams=6, num_return_sequences=6, max_new_tokens=1
    )

    assert len(found) == len({tuple(one.ids) for one in found}) == 3
    assert len(theirs) == 6 > len({tuple(ids) for ids in theirs})
