"""What the grammar costs of a step: `python -m tests.generate.constrained_cost [--rows N] [--device cpu]`.

A model of base size with random weights reads 2048 patches and writes with 50,244 tokens; steps with the grammar and
without take turns. The processor is timed alone as well, as what it adds is lost in the noise of whole steps.
"""

import argparse
import random
import statistics
import sys
import time

import torch

from pixread.generate.constrained import Grammar, GrammarConstraint
from pixread.generate.loop import DecodingContext
from pixread.models.pix2struct.config import SIZES
from pixread.models.pix2struct.model import Pix2Struct
from pixread.nn.cache import Memory

MARKUP = [b"<img_src=", b"<img_alt=", b" img_alt=", b"><", b">>", b"<<", b">><", b"&lt;", b"&gt;", b"&amp;"]
PATCHES, STEPS = 2048, 32


def vocabulary(size: int) -> list[bytes | None]:
    """Bytes, markup, and words of letters with a blank in front of half of them, one in fifty ended by a bracket."""
    draw = random.Random(0)
    words: set[bytes] = set()
    while len(words) < size - 259 - len(MARKUP):
        letters = "".join(draw.choices("etaoinshrdlucmfwypvbgkqjxz", k=draw.randint(2, 10)))
        words.add((draw.choice(["", " "]) + letters + draw.choice(["", *[""] * 48, ">"])).encode())
    return [None, None, None, *(bytes([value]) for value in range(256)), *MARKUP, *sorted(words)]


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--rows", type=int, default=1)
    asked.add_argument("--device", default="cpu")
    chosen = asked.parse_args()
    config, rows, device = SIZES["base"], chosen.rows, torch.device(chosen.device)
    model = Pix2Struct(config).eval().to(device)
    shape = (rows, config.decoder.num_heads, PATCHES, config.decoder.d_kv)
    layers = [torch.randn(shape, device=device) for _ in range(config.decoder.layers)]
    mask = torch.ones(rows, 1, 1, PATCHES, dtype=torch.bool, device=device)
    memory = Memory(keys=tuple(layers), values=tuple(layers), mask=mask)
    started = time.perf_counter()
    grammar = Grammar(vocabulary(config.vocab_size), eos=config.eos, device=device)
    built = time.perf_counter() - started
    plain, constrained, alone, first = (list[float]() for _ in range(4))
    with torch.inference_mode():
        for turn in range(4):
            processor = GrammarConstraint(grammar)
            cache = model.new_cache(rows, STEPS)
            ids = torch.zeros(rows, 1, dtype=torch.long, device=device)
            for position in range(STEPS):
                begun = now(device)
                logits = model.decoder_step(ids[:, -1], memory, cache, position)
                if turn % 2:
                    stepped = now(device)
                    logits = processor(
                        logits, DecodingContext(ids, torch.full((rows,), STEPS - position, device=device))
                    )
                    (alone if turn > 1 else first).append(now(device) - stepped)
                # Letters and brackets by chance, as random weights say nothing.
                token = (logits + 3 * torch.randn_like(logits)).argmax(-1) if turn % 2 else logits.argmax(-1)
                if turn > 1:
                    (constrained if turn % 2 else plain).append(now(device) - begun)
                ids = torch.cat([ids, token[:, None]], dim=1)
    step, with_grammar, cost = (statistics.median(times) for times in (plain, constrained, alone))
    told = [
        f"{rows} rows on {device}: a step {1e3 * step:.2f} ms, with the grammar {1e3 * with_grammar:.2f} ms",
        f"its processor {1e6 * cost:.0f} us ({1e6 * min(alone):.0f} to {1e6 * max(alone):.0f}): {cost / step:.2%}",
        f"once a vocabulary: {built:.2f} s to set up; the processor in its first {STEPS} steps {sum(first):.2f} s",
    ]
    sys.stdout.write("\n".join([*told, ""]))


def now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


if __name__ == "__main__":
    main()
