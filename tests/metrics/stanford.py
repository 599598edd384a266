"""What `pycocoevalcap` 1.2 says, which needs Java.

`python -m tests.metrics.stanford` writes the golden files; with text files behind it, it compares the tokens of their
lines, and those lines' CIDEr as predictions and references of one another.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from pixread.metrics import cider, ptb_tokenize

GOLDEN = Path(__file__).parent / "golden"
# Why the comparison with Java cannot be made here; empty where it can.
MISSING = " and ".join(
    name for name, there in [("pycocoevalcap", find_spec("pycocoevalcap")), ("java", shutil.which("java"))] if not there
)


def captions() -> list[str]:
    """Sentences written for these tests, one for each rule and more."""
    return (GOLDEN / "captions.txt").read_text(encoding="utf-8").replace("\\u0301", "\u0301").splitlines()


def java_tokens(texts: Sequence[str]) -> list[list[str]]:
    """The words of each text by itself: as lines of one file, with a line between them that ends what came before."""
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    rows = PTBTokenizer().tokenize({n: [{"caption": text}, {"caption": "end"}] for n, text in enumerate(texts)})
    assert all(row[1] == "end" for row in rows.values())
    return [row[0].split() for row in rows.values()]


def java_cider(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> list[float]:
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    ours = PTBTokenizer().tokenize({number: [{"caption": text}] for number, text in enumerate(predictions)})
    theirs = PTBTokenizer().tokenize({n: [{"caption": text} for text in texts] for n, texts in enumerate(references)})
    return [float(score) for score in Cider().compute_score(theirs, ours)[1]]


def write_golden() -> None:
    tokens = dict(zip(captions(), java_tokens(captions()), strict=True))
    lines = [json.dumps([text, words], ensure_ascii=True) for text, words in tokens.items()]
    (GOLDEN / "tokens.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    corpus = json.loads((GOLDEN / "pictures.json").read_text(encoding="utf-8"))
    scores = java_cider([row["prediction"] for row in corpus], [row["references"] for row in corpus])
    (GOLDEN / "cider.json").write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")


def compare(path: Path) -> None:
    texts = list(dict.fromkeys(path.read_text(encoding="utf-8").split("\n")))
    different = [text for text, words in zip(texts, java_tokens(texts), strict=True) if ptb_tokenize(text) != words]
    predictions, references = texts, [[texts[n - 1], texts[n - 2], text] for n, text in enumerate(texts)]
    pairs = zip(cider(predictions, references), java_cider(predictions, references), strict=True)
    furthest = max(abs(ours - theirs) for ours, theirs in pairs)
    report = f"{path}: {len(texts)} strings, {len(different)} differ; CIDEr differs by {furthest:.1g} at most"
    sys.stdout.write("\n  ".join([report, *map(repr, different)]) + "\n")


if __name__ == "__main__":
    for file in sys.argv[1:]:
        compare(Path(file))
    if not sys.argv[1:]:
        write_golden()
