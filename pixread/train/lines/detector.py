"""The task of the recipe `line-detector`: the layout network's losses, its batches, and its scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixread.layout.learned.network import (
    KINDS,
    STYLES,
    DetectorConfig,
    DetectorNetwork,
    Maps,
    load_weights,
    save_weights,
)
from pixread.train.lines.detector_batches import CropSource
from pixread.train.lines.pages import PagePool
from pixread.train.lines.recipes import LineRecipe

GEOMETRY_WEIGHTS = (1.0, 2.0, 3.0, 3.0)  # of the logarithm of the height, the distance, cosine and sine
KIND_WEIGHT, STYLE_WEIGHT = 1.0, 0.4  # of their losses; cores and geometry count 1
MIN_KIND_SHARE = 0.01  # of all cells; a rarer kind counts as this common
MIN_STYLE_SHARE = 0.02  # of the cells of cores; a rarer style counts as this common
MIN_FOCAL_WEIGHT = 0.05  # least weight of a pixel in the focal loss
SCORE_SEED = 3


class DetectorTask:
    """Learns `DetectorNetwork` from `layout` shards (a `loop.LineTask`)."""

    def __init__(self, recipe: LineRecipe, data: Sequence[Path]) -> None:
        self.recipe = recipe
        self.pool = PagePool(data)
        self.source = CropSource(self.pool.training(), side=recipe.crop, drawn_share=recipe.drawn_share)

    def network(self) -> DetectorNetwork:
        return DetectorNetwork(DetectorConfig())

    def batches(self, seed: int, start: int) -> Iterator[dict[str, Tensor]]:
        """The maps of `detector_targets.target_maps` and "images" (B, S, S, 3) uint8."""
        return self.source.batches(seed, start, size=self.recipe.batch_size)

    def loss(
        self, network: nn.Module, batch: dict[str, Tensor], autocast: torch.dtype
    ) -> tuple[Tensor, dict[str, float]]:
        maps = forward(network, batch["images"], autocast)
        focal, dice = core_losses(maps.core[:, 0], batch["core"], batch["weight"])
        parts = {
            "focal": focal,
            "dice": dice,
            "geometry": geometry_loss(maps.geometry, batch["geometry"], batch["lettering"]),
            "kinds": KIND_WEIGHT * kind_loss(maps.kinds, batch["kinds"], batch["marked"]),
            "styles": STYLE_WEIGHT * style_loss(maps.styles, batch["styles"], batch["lettering"], batch["marked"]),
        }
        return torch.stack(list(parts.values())).sum(), {name: float(part.detach()) for name, part in parts.items()}

    @cached_property
    def _held_out(self) -> list[dict[str, Tensor]]:
        source = CropSource(self.pool.held_out(), side=self.recipe.crop, drawn_share=self.recipe.drawn_share)
        source.fonts = self.source.fonts
        size = self.recipe.batch_size
        batches = source.batches(SCORE_SEED, 0, size=size)
        return [next(batches) for _ in range(-(-self.recipe.evaluate_examples // size))]

    @torch.inference_mode()
    def score(self, network: nn.Module) -> dict[str, float]:
        """On crops of held-out pages: F1 of core pixels and of kinds, errors of the geometry, accuracy of styles."""
        counts = DetectorCounts()
        device = next(network.parameters()).device
        for batch in self._held_out:
            batch = {name: tensor.to(device) for name, tensor in batch.items()}
            counts.add(forward(network, batch["images"], torch.float32), batch)
        return counts.scores()

    def save(self, network: nn.Module, path: Path) -> None:
        assert isinstance(network, DetectorNetwork)
        save_weights(network, path)

    def load(self, network: nn.Module, path: Path) -> None:
        network.load_state_dict(load_weights(path).state_dict())


def forward(network: nn.Module, images: Tensor, autocast: torch.dtype) -> Maps:
    """The maps of images (B, S, S, 3) uint8, in float32."""
    pictures = images.permute(0, 3, 1, 2).float().div(255)  # channels last in memory already
    with torch.autocast(images.device.type, autocast, enabled=autocast != torch.float32):
        maps = network(pictures)
    return Maps(*(values.float() for values in maps))


def core_losses(logits: Tensor, core: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Focal loss (gamma 1, over the number of positives) and Dice loss of core maps (B, S/2, S/2)."""
    target = core.float()
    probability = logits.sigmoid()
    missed = torch.where(core > 0, 1 - probability, probability).detach().clamp(MIN_FOCAL_WEIGHT)
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    focal = (entropy * weight * missed).sum() / ((target * weight).sum() + 1)
    known = (weight > 0).float()
    overlap, total = (probability * target * known).sum(), ((probability + target) * known).sum()
    return focal, 1 - 2 * overlap / (total + 1)


def geometry_loss(geometry: Tensor, target: Tensor, lettering: Tensor) -> Tensor:
    """Weighted mean absolute error of (B, 4, S/4, S/4) where there is lettering (B, S/4, S/4)."""
    weights = torch.tensor(GEOMETRY_WEIGHTS, device=geometry.device).view(1, -1, 1, 1)
    error = ((geometry - target).abs() * weights).sum(dim=1)
    return (error * lettering).sum() / (lettering.sum() + 1)


def kind_loss(logits: Tensor, kinds: Tensor, marked: Tensor) -> Tensor:
    """Focal and Dice loss of (B, K, S/4, S/4), mean over the kinds, on crops whose kinds are known."""
    known = marked.view(-1, 1, 1, 1).expand_as(logits)
    probability = logits.sigmoid()
    missed = torch.where(kinds > 0, 1 - probability, probability).detach().clamp(MIN_FOCAL_WEIGHT)
    focal = _balanced_entropy(logits, kinds, known, missed, least=MIN_KIND_SHARE)
    overlap = (probability * kinds * known).sum(dim=(0, 2, 3))
    total = ((probability + kinds) * known).sum(dim=(0, 2, 3))
    dice = 1 - (2 * overlap + 1) / (total + 1)  # a kind that no crop shows costs next to nothing
    return focal + 0.5 * dice.mean()


def style_loss(logits: Tensor, styles: Tensor, lettering: Tensor, marked: Tensor) -> Tensor:
    """Cross-entropy of (B, 4, S/4, S/4) inside of cores, mean over the styles, on crops whose styles are known."""
    where = (lettering * marked.view(-1, 1, 1)).unsqueeze(1).expand_as(logits)
    return _balanced_entropy(logits, styles, where, torch.ones_like(logits), least=MIN_STYLE_SHARE)


def _balanced_entropy(logits: Tensor, target: Tensor, where: Tensor, weight: Tensor, *, least: float) -> Tensor:
    """Binary cross-entropy of (B, C, H, W), of each class over its own positives, so that rare ones are learnt, too.

    least: positives that a class counts as having at least, as a share of the cells.
    """
    entropy = F.binary_cross_entropy_with_logits(logits, target.float(), reduction="none") * where * weight
    positives, cells = (target * where).sum(dim=(0, 2, 3)), where.sum(dim=(0, 2, 3))
    return (entropy.sum(dim=(0, 2, 3)) / (torch.maximum(positives, least * cells) + 1)).mean()


@dataclass
class DetectorCounts:
    """Hits, predictions and positives over batches, and sums of errors."""

    counts: dict[str, Tensor] = field(default_factory=dict)

    def add(self, maps: Maps, batch: dict[str, Tensor]) -> None:
        core, known = batch["core"] > 0, batch["weight"] > 0
        self._hits("core", ((maps.core[:, 0] > 0) & known)[:, None], (core & known)[:, None])
        marked = (batch["marked"] > 0).view(-1, 1, 1, 1)
        self._hits("kinds", (maps.kinds > 0) & marked, (batch["kinds"] > 0) & marked)
        inside = (batch["lettering"] > 0)[:, None] & marked
        self._hits("styles", (maps.styles > 0) & inside, (batch["styles"] > 0) & inside)
        lettering = batch["lettering"][:, None]
        self._sum("errors", ((maps.geometry - batch["geometry"]).abs() * lettering).sum(dim=(0, 2, 3)))
        self._sum("lettering", lettering.sum())

    def _hits(self, name: str, predicted: Tensor, true: Tensor) -> None:
        for part, values in (("both", predicted & true), ("predicted", predicted), ("true", true)):
            self._sum(f"{name} {part}", values.sum(dim=(0, 2, 3)))

    def _sum(self, name: str, value: Tensor) -> None:
        self.counts[name] = self.counts.get(name, torch.zeros_like(value)) + value

    def _f1(self, name: str) -> list[float]:
        both, predicted, true = (self.counts[f"{name} {part}"] for part in ("both", "predicted", "true"))
        return (2 * both / (predicted + true).clamp(min=1)).tolist()

    def scores(self) -> dict[str, float]:
        names = ("height_error", "offset_error", "cosine_error", "sine_error")
        errors = (self.counts["errors"] / self.counts["lettering"].clamp(min=1)).tolist()
        return {
            "core_f1": self._f1("core")[0],
            **dict(zip(names, errors, strict=True)),
            **{f"{kind}_f1": value for kind, value in zip(KINDS, self._f1("kinds"), strict=True)},
            **{f"{style}_f1": value for style, value in zip(STYLES, self._f1("styles"), strict=True)},
        }
