"""Whatever the scores and the vocabulary, what is written is well formed; and any tree can be written."""

import functools
import math
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

from pixread.generate.beam import BeamSettings, beam_search
from pixread.generate.constrained import Grammar, GrammarConstraint
from pixread.generate.greedy import greedy
from pixread.generate.loop import DecodingContext
from pixread.generate.sampling import Sampling, sample
from pixread.markup import MAX_DEPTH, parse, serialise
from pixread.records import Node
from pixread.tokenizers.token_bytes import joined
from pixread.tokenizers.tokenizer import EOS, Tokenizer, train_tokenizer
from tests.models.tiny import random_batch, tiny_model
from tests.test_markup import TREES

LEARNT = [
    "<<a><b><<img_src=logo img_alt=Our logo><Home>><><x &lt; y &amp; z>>",
    "<<<Sign in><Sign up>><<News><Weather &gt; today>>>",
    "<<<<one>><<two>>>><img_alt=a b  c>",
]


def byte_level() -> Backend:
    backend = Backend(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    special = ["<pad>", "</s>", "<unk>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    backend.train_from_iterator(
        LEARNT, trainers.BpeTrainer(special_tokens=special, initial_alphabet=alphabet, vocab_size=330)
    )
    return backend


def unigram() -> Backend:
    """As T5's: words begin with a blank, the first too, and there are no bytes to fall back on."""
    letters = sorted(set("".join(LEARNT)) - {" "})
    words = ["▁", "▁<", "▁a", "><", ">>", "</", "img", "_src=", "_alt=", "▁img_alt=", "&lt;", "amp", "▁&"]
    vocab = [
        ("<pad>", 0.0),
        ("</s>", 0.0),
        ("<unk>", -9.0),
        *((word, -2.0) for word in words),
        *((letter, -4.0) for letter in letters),
    ]
    backend = Backend(models.Unigram(vocab, unk_id=2, byte_fallback=False))
    backend.normalizer = normalizers.Sequence([])
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    backend.add_special_tokens(["<pad>", "</s>", "<unk>"])
    return backend


@functools.cache
def tokenizer(name: str) -> Tokenizer:
    alphabet = "".join(sorted(set("".join(LEARNT)) | set("é中")))
    return {
        "bytes": lambda: train_tokenizer([], vocab_size=262),
        "letters": lambda: train_tokenizer([], vocab_size=320, alphabet=alphabet),
        "merges": lambda: train_tokenizer(LEARNT, vocab_size=400, alphabet=alphabet),
        "byte-level": lambda: Tokenizer(byte_level()),
        "unigram": lambda: Tokenizer(unigram()),
    }[name]()


@functools.cache
def grammar(name: str) -> Grammar:
    found = tokenizer(name)
    pieces = [found.pieces[number] for number in range(len(found))]
    return Grammar(pieces, eos=EOS, leading_blank=found.pieces.drops_first_blank)


NAMES = ["bytes", "letters", "merges", "byte-level", "unigram"]


def assert_well_formed(text: str) -> None:
    assert serialise(parse(text)) == text


def test_the_vocabularies_have_what_is_hard_about_them():
    merged = [tokenizer("merges").pieces[number] or b"" for number in range(len(tokenizer("merges")))]
    assert any(piece.startswith(b">") and piece.endswith(b"<") and len(piece) > 1 for piece in merged)
    assert any(piece.count(b">") > 1 for piece in merged)
    assert any(b">" in piece[:-1] and not piece.endswith((b">", b"<")) for piece in merged)
    assert tokenizer("unigram").pieces.drops_first_blank
    assert not tokenizer("merges").pieces.drops_first_blank


@settings(max_examples=120, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    seed=st.integers(0, 10**6),
    length=st.integers(4, 40),
    bias=st.sampled_from([0, 0, 3, 8]),
)
def test_random_scores_write_well_formed_output(name: str, seed: int, length: int, bias: float):
    """bias: how much brackets are favoured."""
    generator = torch.Generator().manual_seed(seed)
    found, processor = tokenizer(name), GrammarConstraint(grammar(name))
    favoured = torch.tensor([bool(set(b"<>") & set(found.pieces[number] or b"")) for number in range(len(found))])
    ids = [0]
    for left in range(length, 0, -1):
        scores = torch.randn(1, len(found), generator=generator) + bias * favoured
        chosen = int(processor(scores, DecodingContext(torch.tensor([ids]), torch.tensor([left]))).argmax())
        if chosen == EOS:
            break
        ids.append(chosen)
    text = found.decode(ids[1:])
    assert text == joined(found.pieces, ids[1:])
    assert_well_formed(text)


def forced(written: Sequence[int], chosen: Grammar) -> None:
    """Every token is allowed in its turn, with no more room than it takes, and then the end."""
    state = chosen.start
    for place, token in enumerate(written):
        assert chosen.allowed(state, left=len(written) - place)[token]
        assert chosen.allowed(state, left=10_000)[token]
        following = chosen.follow(state, token)
        assert following is not None
        state = following
    assert chosen.is_whole(state)
    assert chosen.allowed(state, left=1).nonzero().tolist() == [[EOS]]


@settings(max_examples=120, deadline=None)
@given(tree=TREES, name=st.sampled_from(["bytes", "letters", "merges", "byte-level"]))
def test_any_tree_can_be_written(tree: Node, name: str):
    forced(tokenizer(name).encode(serialise(tree)), grammar(name))


@settings(deadline=None)
@given(st.sampled_from([*LEARNT[:2], "<<<one>>>", "<&lt;>", "<img_alt=o>"]))
def test_a_vocabulary_without_bytes_writes_what_it_can_spell(text: str):
    ids = tokenizer("unigram").encode(text)
    assert tokenizer("unigram").decode(ids) == text
    forced(ids, grammar("unigram"))


PIECES = st.lists(st.sampled_from(["<", ">", "a", " ", "&lt;", "i", "img_alt=", "b c"]), min_size=2, max_size=5).map(
    "".join
)


@settings(max_examples=40, deadline=None)
@given(pieces=st.lists(PIECES, max_size=12, unique=True), tree=TREES, choices=st.randoms(use_true_random=False))
def test_merges_of_every_kind_are_allowed_where_a_tree_has_them(pieces: list[str], tree: Node, choices):
    """Bytes, and pieces that straddle brackets, blanks and entities; the text is cut into them at random."""
    vocabulary = [None, None, None, *(bytes([value]) for value in range(256)), *(piece.encode() for piece in pieces)]
    text, ids = serialise(tree).encode(), list[int]()
    while text:
        fitting = [number for number, piece in enumerate(vocabulary) if piece and text.startswith(piece)]
        ids.append(choices.choice(fitting))
        text = text[len(vocabulary[ids[-1]] or b"") :]
    forced(ids, Grammar(vocabulary, eos=EOS))


@settings(max_examples=60, deadline=None)
@given(
    way=st.sampled_from([["<a>"], ["<>"], ["<", "a>"], ["<i", ">>", ">"]]),
    pieces=st.lists(PIECES, max_size=12),
    seed=st.integers(0, 999),
    length=st.integers(2, 12),
)
def test_vocabularies_that_lack_almost_everything_never_get_stuck(
    way: list[str], pieces: list[str], seed: int, length: int
):
    """Where something can be written at all, every way that is allowed leads to an end."""
    vocabulary = [None, None, None, *(piece.encode() for piece in dict.fromkeys([*way, *pieces]))]
    chosen = Grammar(vocabulary, eos=EOS)
    generator, state, text = torch.Generator().manual_seed(seed), chosen.start, b""
    for left in range(length, 0, -1):
        allowed = chosen.allowed(state, left=left)
        token = int(torch.randn(len(vocabulary), generator=generator).masked_fill(~allowed, -math.inf).argmax())
        assert allowed[token]
        if token == EOS:
            break
        following = chosen.follow(state, token)
        assert following is not None
        state, text = following, text + (vocabulary[token] or b"")
    assert_well_formed(text.decode())


@pytest.mark.parametrize("name", NAMES)
def test_every_way_of_decoding_keeps_to_it(name: str):
    found = tokenizer(name)
    model = tiny_model(vocab_size=len(found) + 3, seed=5)  # rows without a token, as checkpoints have them
    pieces = [found.pieces[number] for number in range(len(found) + 3)]
    chosen = Grammar(pieces, eos=EOS, leading_blank=found.pieces.drops_first_blank)
    memory = model.encode(random_batch(model.config, [7, 3, 5, 9, 2], padding=2))
    limits = [3, 24, 9, 40, 17]

    written = [
        greedy(model, model.begin(memory), max_new_tokens=limits, logits_processors=[GrammarConstraint(chosen)]).ids,
        sample(
            model,
            model.begin(memory),
            Sampling(),
            seeds=[1, 2, 3, 4, 5],
            max_new_tokens=limits,
            logits_processors=[GrammarConstraint(chosen)],
        ).ids,
        *zip(
            *(
                row[:2]
                for row in [
                    [one.ids for one in hypotheses]
                    for hypotheses in beam_search(
                        model,
                        model.begin(memory),
                        BeamSettings(beams=3),
                        max_new_tokens=limits,
                        logits_processors=[GrammarConstraint(chosen)],
                    )
                ]
            ),
            strict=True,
        ),
    ]

    for rows in written:
        for ids, limit in zip(rows, limits, strict=True):
            assert len(ids) <= limit
            assert_well_formed(found.decode(ids))


def test_depth_is_bounded():
    """Deeper than MAX_DEPTH, reading would put side by side what lies within."""
    chosen = grammar("bytes")
    state = chosen.start
    opening = tokenizer("bytes").encode("<")[0]
    for depth in range(MAX_DEPTH):
        assert chosen.allowed(state, left=10_000)[opening], depth
        following = chosen.follow(state, opening)
        assert following is not None
        state = following
    assert not chosen.allowed(state, left=10_000)[opening]
    assert chosen.follow(state, opening) is None


def test_too_little_room_is_refused():
    with pytest.raises(ValueError, match=r"^well-formed output needs at least 2, got max_new_tokens=1$"):
        grammar("bytes").allowed(grammar("bytes").start, left=1)
    with pytest.raises(ValueError, match=r"^well-formed output needs a vocabulary that can spell < and >, got "):
        Grammar([None, None, b"<"], eos=EOS).allowed(Grammar([None, None, b"<"], eos=EOS).start, left=100)
