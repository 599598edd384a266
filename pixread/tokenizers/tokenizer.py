"""Text <-> token ids, with the ids of the T5 family: pad 0 (also the decoder's start), eos 1, unk 2.

A vocabulary trained here spells characters that it lacks in UTF-8 bytes, so that any Unicode comes back. That of the
released checkpoints has an unknown token instead, which vanishes when ids become text again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tokenizers import AddedToken, decoders, models, trainers
from tokenizers import Tokenizer as Backend

from pixread.tokenizers.added_tokens import ADDED_TOKENS_FILE, CONFIG_FILE, add_tokens
from pixread.tokenizers.sentencepiece import SPIECE_FILE, read_spiece
from pixread.tokenizers.token_bytes import Pieces

PAD, EOS, UNK = 0, 1, 2
SPECIALS = ("<pad>", "</s>", "<unk>")
BYTES = tuple(f"<0x{value:02X}>" for value in range(256))
MARKUP = ("<img_src=", "<img_alt=", " img_alt=")  # one id each: the grammar's own words
TOKENIZER_FILE = "tokenizer.json"
FILES = (TOKENIZER_FILE, CONFIG_FILE, "special_tokens_map.json", ADDED_TOKENS_FILE, SPIECE_FILE)
MOST_EXTRA_IDS = 100_000  # what a damaged file asks for is not built
UNTYPEABLE = " "  # what special pieces of a unigram model end in while it is in use


class Tokenizer:
    """A thin shell round a `tokenizers` backend: lists of ids in and out, special tokens never parsed from text.

    `num_rows` is how many tokens the model knows, where that may be fewer than the tokenizer's: T5's 100 extra ids lie
    outside of the embedding of Pix2Struct. `files` are what the tokenizer was read from.
    """

    def __init__(
        self, backend: Backend, *, num_rows: int | None = None, files: Mapping[str, bytes] | None = None
    ) -> None:
        # A page may show the characters "</s>": text, not the end of the sequence.
        backend.encode_special_tokens = True
        self._backend = backend
        self.pieces = Pieces(backend)
        self._num_rows = num_rows
        self._files = dict(files or {})

    def __len__(self) -> int:
        return self._backend.get_vocab_size()

    def encode(self, text: str) -> list[int]:
        """Ids of the text, without eos. Raises ValueError, naming the token, where the model does not know one."""
        ids = list(self._backend.encode(text, add_special_tokens=False).ids)
        self.check(ids)
        return ids

    def check(self, ids: Sequence[int]) -> None:
        """Raises ValueError for the first id that the model has no row for."""
        limit = len(self) if self._num_rows is None else self._num_rows
        for number in ids:
            if not 0 <= number < limit:
                name = self._backend.id_to_token(number) if 0 <= number < len(self) else None
                token = "no token" if name is None else f"the token {name.removesuffix(UNTYPEABLE)!r}"
                raise ValueError(f"the id {number} is {token}, but the model knows the ids 0 to {limit - 1} only")

    def decode(self, ids: Sequence[int]) -> str:
        """The text of the ids; special tokens are left out, broken UTF-8 becomes U+FFFD."""
        return str(self._backend.decode(list(ids), skip_special_tokens=True))

    def files(self) -> dict[str, bytes]:
        """File name -> content, as `transformers` reads them beside a checkpoint; those it was read from stay so."""
        config = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "pad_token": SPECIALS[PAD],
            "eos_token": SPECIALS[EOS],
            "unk_token": SPECIALS[UNK],
            "clean_up_tokenization_spaces": False,
        }
        specials = {name: config[name] for name in ("pad_token", "eos_token", "unk_token")}
        made = {
            CONFIG_FILE: json.dumps(config, indent=2).encode(),
            "special_tokens_map.json": json.dumps(specials, indent=2).encode(),
        }
        # Told apart because a backend that was read differs from its file (`_without_typed_specials`).
        backend = {} if TOKENIZER_FILE in self._files else {TOKENIZER_FILE: self._backend.to_str(pretty=True).encode()}
        return {**backend, **made, **self._files}

    @classmethod
    def load(cls, folder: str | Path, *, num_rows: int | None = None) -> Tokenizer:
        """Reads tokenizer.json of a checkpoint folder, else spiece.model. Raises ValueError in one sentence."""
        files = {name: Path(folder, name).read_bytes() for name in FILES if Path(folder, name).is_file()}
        if TOKENIZER_FILE not in files and SPIECE_FILE not in files:
            raise ValueError(f"the checkpoint folder {folder} has neither {TOKENIZER_FILE} nor {SPIECE_FILE}")
        if TOKENIZER_FILE not in files:
            backend = read_spiece(Path(folder, SPIECE_FILE), extra_ids=_extra_ids(files.get(CONFIG_FILE)))
            files[TOKENIZER_FILE] = backend.to_str().encode()
        try:
            backend = Backend.from_str(_without_typed_specials(files[TOKENIZER_FILE]))
        except Exception as error:  # the backend raises bare Exception for any bad file
            raise ValueError(f"{Path(folder, TOKENIZER_FILE)} is not a tokenizer file: {error}") from error
        try:
            add_tokens(backend, files)
        except ValueError as error:
            raise ValueError(f"the tokenizer of {folder} cannot be read: {error}") from error
        return cls(backend, num_rows=num_rows, files=files)


def _without_typed_specials(content: bytes) -> str:
    """tokenizer.json, its special pieces renamed so that no text contains them.

    SentencePiece never finds a control piece in text, but the unigram model of `tokenizers` takes "</s>" in a text for
    the end, and "<extra_id_0>" for an id outside of the embedding. A blank never reaches that model, so a name with a
    blank is out of its reach.
    """
    raw = json.loads(content)
    if not isinstance(raw, dict) or raw.get("model", {}).get("type") != "Unigram":
        return content.decode("utf-8-sig")
    special = {token["content"] for token in raw["added_tokens"] if token["special"]}
    for token in raw["added_tokens"]:
        token["content"] += UNTYPEABLE if token["content"] in special else ""
    raw["model"]["vocab"] = [
        [piece + UNTYPEABLE if piece in special else piece, score] for piece, score in raw["model"]["vocab"]
    ]
    return json.dumps(raw)


def _extra_ids(config: bytes | None) -> int:
    """How many `<extra_id_...>` follow the vocabulary: 100 in T5, unless tokenizer_config.json says otherwise."""
    try:
        number = json.loads(config or b"{}").get("extra_ids", 100)
    except (ValueError, RecursionError, AttributeError) as error:
        raise ValueError(f"{CONFIG_FILE} must hold a JSON object: {error}") from error
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= MOST_EXTRA_IDS:
        raise ValueError(
            f"extra_ids in {CONFIG_FILE} must be a whole number from 0 to {MOST_EXTRA_IDS}, got {number!r}"
        )
    return number


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
