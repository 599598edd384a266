"""The model card of a pushed checkpoint: README.md with the front matter that the Hugging Face Hub reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """What is known of a checkpoint.

    license: as the Hub names licences. parameters: how many numbers. is_vqa, max_patches: as in its settings.
    scores: the content of a metrics.json, {} where nothing was measured. training: the command that made it, "" where
    that is not recorded.
    """

    license: str
    parameters: int
    is_vqa: bool
    max_patches: int
    scores: Mapping[str, Any] = field(default_factory=dict)
    training: str = ""


def make_card(repository: str, facts: CardFacts) -> str:
    """The card as Markdown."""
    parts = [
        f"---\n{_front_matter(facts)}\n---",
        f"# {repository.rpartition('/')[2]}",
        _summary(facts),
        f"## Use\n\n```python\n{_example(repository, facts)}\n```\n\nThe folder is laid out as `transformers` does it: "
        "`Pix2StructForConditionalGeneration.from_pretrained` and `AutoProcessor.from_pretrained` open it too.",
        f"## Scores\n\n{_scores(facts.scores)}",
        f"## Training\n\n{_training(facts.training)}",
        f"## Licence\n\n{facts.license}",
    ]
    return "\n\n".join(parts) + "\n"


def _front_matter(facts: CardFacts) -> str:
    from huggingface_hub import ModelCardData

    is_vqa = facts.is_vqa
    data = ModelCardData(
        license=facts.license,
        library_name="pixread",
        pipeline_tag="visual-question-answering" if is_vqa else "image-to-text",
        tags=["pixread", "pix2struct", "image-to-text", *(["visual-question-answering"] if is_vqa else [])],
    )
    return data.to_yaml().strip()


def _summary(facts: CardFacts) -> str:
    vqa_task = "answers a question about a picture, which is drawn above it as a header"
    task = vqa_task if facts.is_vqa else "reads a picture in one pass"
    measured = f" Task: {facts.scores['task']}." if "task" in facts.scores else ""
    size = f"{facts.parameters / 1e6:.1f} million parameters"
    limit = f"It takes up to {facts.max_patches} patches of 16 x 16 pixels."
    return f"A [Pix2Struct](https://arxiv.org/abs/2210.03347) of {size} that {task}.{measured} {limit}"


def _example(repository: str, facts: CardFacts) -> str:
    question = ', "What is the total?"' if facts.is_vqa else ""
    return f'import pixread\n\nreader = pixread.load("{repository}")\nprint(reader.read("picture.png"{question}).text)'


def _scores(metrics: Mapping[str, Any]) -> str:
    scores = metrics.get("scores")
    if not scores:
        return "Not measured."
    rows: list[Sequence[str]] = [("score", "value"), ("---", "---")]
    rows += [(name.replace("_", " "), f"{value:.3f}") for name, value in scores.items()]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    about = metrics.get("about", {})
    where = f" of {about['shards']}" if about.get("shards") else ""
    interval = metrics.get("interval")
    sure = (
        f" 95 % interval of {metrics['main'].replace('_', ' ')}: {interval[0]:.3f} to {interval[1]:.3f}."
        if interval
        else ""
    )
    return f"`pixread evaluate` on {metrics.get('examples', '?')} examples{where}.{sure}\n\n{table}"


def _training(command: str) -> str:
    return f"```sh\n{command}\n```" if command else "Not recorded."
