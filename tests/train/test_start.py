import pytest

from pixread.checkpoints.folder import load
from pixread.train.recipes import make_recipe
from pixread.train.start import start_model
from tests.conftest import MakeCheckpoint


@pytest.mark.parametrize("settings", [{"decoder_start_token_id": 300}, {"eos_token_id": [310, 311]}])
def test_labels_with_other_starts_and_ends_are_refused(
    make_checkpoint: MakeCheckpoint, settings: dict[str, object]
) -> None:
    """Labels began with 0 and ended with 1 whatever a checkpoint said, and outputs of what came of it had no end."""
    folder = make_checkpoint(**settings)
    with pytest.raises(ValueError, match=r"start with the token \d+ and end with .*, but labels start with 0 and end"):
        start_model(make_recipe("finetune-laptop", {"init": str(folder)}))


def test_the_end_of_labels_is_the_one_that_is_saved(make_checkpoint: MakeCheckpoint) -> None:
    """Of several ends the config's first was, whichever the labels had."""
    folder = make_checkpoint(eos_token_id=[310, 1])
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"eos_token_id": 1', '"eos_token_id": [310, 1]'))
    assert load(folder).config.eos == 310
    model, _ = start_model(make_recipe("finetune-laptop", {"init": str(folder)}))
    assert (model.config.start_id, model.config.eos) == (0, 1)
