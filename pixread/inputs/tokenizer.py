"""Text <-> token ids. Characters the vocabulary lacks are spelled in UTF-8 bytes, so that any Unicode comes back.

Ids as in the T5 family: pad 0 (also the decoder's start), eos 1, unk 2 (never produced, thanks to the bytes).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import AddedToken, decoders, models, trainers
from tokenizers import Tokenizer as Backend

PAD, EOS, UNK = 0, 1, 2
SPECIALS = ("<pad>", "</s>", "<unk>")
BYTES = tuple(f"<0x{value:02X}>" for value in range(256))
MARKUP = ("<img_src=", "<img_alt=", " img_alt=")  # one id each: the grammar's own words
FILE = "tokenizer.json"


class Tokenizer:
    """A thin shell round a `tokenizers` backend: lists of ids in and out, special tokens never parsed from text."""

    def __init__(self, backend: Backend) -> None:
        # A page may show the characters "</s>": text, not the end of the sequence.
        backend.encode_special_tokens = True
        self._backend = backend

    def __len__(self) -> int:
        return self._backend.get_vocab_size()

    def encode(self, text: str) -> list[int]:
        """Ids of the text, without eos."""
        return list(self._backend.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of the ids; special tokens are left out, broken UTF-8 becomes U+FFFD."""
        return str(self._backend.decode(list(ids), skip_special_tokens=True))

    def files(self) -> dict[str, bytes]:
        """File name -> content, as `transformers` reads them beside a checkpoint."""
        config = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "pad_token": SPECIALS[PAD],
            "eos_token": SPECIALS[EOS],
            "unk_token": SPECIALS[UNK],
            "clean_up_tokenization_spaces": False,
        }
        specials = {name: config[name] for name in ("pad_token", "eos_token", "unk_token")}
        return {
            FILE: self._backend.to_str(pretty=True).encode(),
            "tokenizer_config.json": json.dumps(config, indent=2).encode(),
            "special_tokens_map.json": json.dumps(specials, indent=2).encode(),
        }

    @classmethod
    def load(cls, folder: str | Path) -> Tokenizer:
        """Reads tokenizer.json of a checkpoint folder. Raises ValueError in one sentence."""
        path = Path(folder) / FILE
        if not path.is_file():
            raise ValueError(f"the checkpoint folder {folder} has no {FILE}")
        try:
            return cls(Backend.from_file(str(path)))
        except Exception as error:  # the backend raises bare Exception for any bad file
            raise ValueError(f"{path} is not a tokenizer file: {error}") from error


def train_tokenizer(texts: Iterable[str], *, vocab_size: int, alphabet: str = "") -> Tokenizer:
    """A byte-pair vocabulary with byte fallback, learnt from texts.

    `vocab_size` counts everything: 3 specials, 256 bytes, the markup, the characters and the merges; a size that the
    characters fill already gives a character tokenizer, the easiest to learn for a small reader of random strings.
    Characters of `alphabet` are always in. Raises ValueError when the size cannot hold them.
    """
    fixed = len(SPECIALS) + len(BYTES) + len(MARKUP)
    if vocab_size < fixed + len(set(alphabet)):
        raise ValueError(
            f"vocab_size must be at least {fixed + len(set(alphabet))} for this alphabet, got {vocab_size}"
        )
    learner = Backend(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - fixed,
        initial_alphabet=sorted(set(alphabet)),
        limit_alphabet=vocab_size - fixed,
        show_progress=False,
    )
    learner.train_from_iterator(texts, trainer)
    learnt = json.loads(learner.to_str())["model"]
    pieces = [*SPECIALS, *BYTES, *sorted(learnt["vocab"], key=learnt["vocab"].__getitem__)]
    vocab = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    merges = [tuple(pair) if isinstance(pair, list) else tuple(pair.split(" ")) for pair in learnt["merges"]]
    backend = Backend(models.BPE(vocab=vocab, merges=merges, byte_fallback=True, unk_token=SPECIALS[UNK]))
    backend.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    backend.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in SPECIALS])
    backend.add_tokens([AddedToken(name, normalized=False) for name in MARKUP])
    return Tokenizer(backend)
