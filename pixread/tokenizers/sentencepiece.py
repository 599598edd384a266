"""spiece.model -> a backend of the `tokenizers` library that gives SentencePiece's own ids.

Some checkpoint folders hold nothing but the SentencePiece model that T5, and hence Pix2Struct, was trained with.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, decoders, models, normalizers, pre_tokenizers, processors
from tokenizers import Tokenizer as Backend

SPIECE_FILE = "spiece.model"
UNIGRAM = 1  # kinds of models and of pieces, as SentencePiece numbers them
UNKNOWN, CONTROL, USER_DEFINED = 2, 3, 4
SPACE = "▁"


def read_spiece(path: Path, *, extra_ids: int = 100) -> Backend:
    """The backend of a T5 vocabulary; `<extra_id_99>` ... `<extra_id_0>` follow behind its last piece, as in T5.

    Needs the packages sentencepiece and protobuf. Raises ValueError, in one sentence, for a damaged file and for a
    model that segments text in another way than T5's.
    """
    from google.protobuf.message import DecodeError
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto()
    try:
        proto.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise ValueError(f"{path} is not a SentencePiece model") from error
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror or error}") from error
    if not proto.pieces:
        raise ValueError(f"{path} is not a SentencePiece model")
    _check(proto, path)
    return _backend(proto, [f"<extra_id_{number}>" for number in reversed(range(extra_ids))])


def _check(proto: Any, path: Path) -> None:
    trained, normal = proto.trainer_spec, proto.normalizer_spec
    wrong = {
        "not a unigram model": trained.model_type != UNIGRAM,
        "spells unknown characters in bytes": trained.byte_fallback,
        "keeps surplus blanks": not normal.remove_extra_whitespaces,
        "puts no blank before the text": not normal.add_dummy_prefix,
        "puts blanks behind words": trained.treat_whitespace_as_suffix,
    }
    faults = [what for what, is_so in wrong.items() if is_so]
    if faults:
        raise ValueError(f"{path} must be a SentencePiece model like T5's, but it {faults[0].replace('not', 'is not')}")


def _backend(proto: Any, extra: list[str]) -> Backend:
    vocabulary = [(piece.piece, piece.score) for piece in proto.pieces] + [(name, 0.0) for name in extra]
    backend = Backend(models.Unigram(vocabulary, unk_id=proto.trainer_spec.unk_id, byte_fallback=False))
    charsmap = proto.normalizer_spec.precompiled_charsmap
    if charsmap:
        backend.normalizer = normalizers.Precompiled(charsmap)
    # SentencePiece knows one blank, U+0020: what else looks like one has become it above, or is a character.
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(" +"), behavior="removed"),
            pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always", split=True),
        ]
    )
    backend.decoder = decoders.Metaspace(replacement=SPACE, prepend_scheme="always", split=True)
    special = [piece.piece for piece in proto.pieces if piece.type in (UNKNOWN, CONTROL)] + extra
    backend.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in special])
    backend.add_tokens(
        [AddedToken(piece.piece, normalized=False) for piece in proto.pieces if piece.type == USER_DEFINED]
    )
    eos = proto.pieces[proto.trainer_spec.eos_id].piece
    backend.post_processor = processors.TemplateProcessing(
        single=["$A", eos], pair=["$A", eos, "$B", eos], special_tokens=[(eos, proto.trainer_spec.eos_id)]
    )
    return backend
