"""Tokens that a folder adds to the vocabulary beside tokenizer.json, as older versions of `transformers` wrote them."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Mapping
from typing import Any

from tokenizers import AddedToken
from tokenizers import Tokenizer as Backend

CONFIG_FILE = "tokenizer_config.json"  # added_tokens_decoder: id -> token with its flags
ADDED_TOKENS_FILE = "added_tokens.json"  # token -> id
FLAGS = ("special", "single_word", "lstrip", "rstrip", "normalized")


def add_tokens(backend: Backend, files: Mapping[str, bytes]) -> None:
    """Give the backend the tokens that it lacks; those with an id that it knows are there already.

    files: name -> content. Raises ValueError, in one sentence, for a damaged file and for ids that do not follow each
    other behind the vocabulary.
    """
    for number, token in sorted(_added(files).items()):
        if backend.id_to_token(number) is not None:
            continue
        (backend.add_special_tokens if token.special else backend.add_tokens)([token])
        if backend.id_to_token(number) != token.content:
            raise ValueError(
                f"the added token {token.content!r} has the id {number}, but ids must be new and follow each other"
            )


def _added(files: Mapping[str, bytes]) -> dict[int, AddedToken]:
    decoder = _object(files, CONFIG_FILE).get("added_tokens_decoder")
    if decoder is not None:
        if not isinstance(decoder, dict) or not all(map(_is_entry, decoder, decoder.values())):
            raise ValueError(f"added_tokens_decoder in {CONFIG_FILE} must give a token for each id")
        return {int(number): _token(entry["content"], entry) for number, entry in decoder.items()}
    added = _object(files, ADDED_TOKENS_FILE)
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in added.values()):
        raise ValueError(f"{ADDED_TOKENS_FILE} must give an id for each token, got {reprlib.repr(added)}")
    # None of them is special in transformers, whatever the other files call so.
    return {number: _token(name, {"special": False, "normalized": False}) for name, number in added.items()}


def _is_entry(number: str, entry: object) -> bool:
    return number.isdecimal() and len(number) < 10 and isinstance(entry, dict) and isinstance(entry.get("content"), str)


def _token(content: str, entry: Mapping[str, Any]) -> AddedToken:
    flags = {name: bool(entry[name]) for name in FLAGS if name in entry}
    return AddedToken(content, **flags)


def _object(files: Mapping[str, bytes], name: str) -> dict[str, Any]:
    if name not in files:
        return {}
    try:
        parsed = json.loads(files[name].decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name} is not valid JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise ValueError(f"{name} must hold a JSON object, got {type(parsed).__name__}")
    return parsed
