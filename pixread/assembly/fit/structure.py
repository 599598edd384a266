"""Fits the classifiers of the assembly (`assembly/classifier.py`) to labelled pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from pixread.arrays import Bitmap, Floats
from pixread.assembly.classifier import (
    ClassifierName,
    FeatureNames,
    MlpClassifier,
    replace_classifiers,
)
from pixread.assembly.fit.labelled_page import LabelledPage
from pixread.assembly.fit.structure_samples import SAMPLE_SOURCES

MIN_DEVIATION = 1e-3  # of a feature, so that constant ones are not scaled up
CLASSIFIER_BATCH_SIZE = 512
CLASSIFIER_LEARNING_RATE, FINAL_CLASSIFIER_LEARNING_RATE = 4e-3, 1e-5
WEIGHT_DECIMALS = 5


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """Of one classifier."""

    units: int  # of the hidden layer
    epochs: int
    weight_decay: float


SETTINGS: Mapping[ClassifierName, TrainingSettings] = {
    "leaves": TrainingSettings(24, 12, 0.3),
    "texts": TrainingSettings(24, 12, 0.3),
    "paragraphs": TrainingSettings(12, 30, 0.3),
    "columns": TrainingSettings(6, 60, 0.3),
    "groups": TrainingSettings(24, 20, 1.0),
}


@dataclass(frozen=True, slots=True)
class FittedClassifier:
    """A classifier and how it does on the samples that it is fitted to."""

    name: ClassifierName
    classifier: MlpClassifier
    num_samples: int
    accuracy: float  # 0 to 1, by the samples' weights


def fit_structure(
    pages: Sequence[LabelledPage],
    classifiers: Mapping[ClassifierName, MlpClassifier],
    names: Sequence[ClassifierName] = tuple(SETTINGS),
) -> Iterator[FittedClassifier]:
    """Fits the named classifiers one after the other, to pages assembled with those fitted and the others given."""
    current = dict(classifiers)
    for name in names:
        source = SAMPLE_SOURCES[name]
        with replace_classifiers(current):
            samples = [sample for page in pages for sample in source.samples(page)]
        weights = np.array([weight for _, _, weight in samples])
        features = np.repeat(np.array([row for row, _, _ in samples]), weights, axis=0)
        labels = np.repeat(np.array([label for _, label, _ in samples]), weights)
        current[name] = fit_classifier(features, labels, names=source.features, settings=SETTINGS[name])
        accuracy = float(((current[name].logits(features) > 0) == labels).mean())
        yield FittedClassifier(name, current[name], len(samples), accuracy)


def fit_classifier(
    features: Floats, labels: Bitmap, *, names: FeatureNames, settings: TrainingSettings
) -> MlpClassifier:
    """features: (N, len(names)); labels: (N,)."""
    torch.manual_seed(0)
    mean, deviation = features.mean(axis=0), np.maximum(features.std(axis=0), MIN_DEVIATION)
    classifier = MlpClassifier(names, mean, deviation, np.zeros(0), np.zeros(0))
    inputs = torch.tensor(classifier.standardise(features), dtype=torch.float32)
    targets = torch.tensor(labels, dtype=torch.float32)
    network = nn.Sequential(nn.Linear(len(names), settings.units), nn.Tanh(), nn.Linear(settings.units, 1))
    optimizer = torch.optim.AdamW(network.parameters(), lr=CLASSIFIER_LEARNING_RATE, weight_decay=settings.weight_decay)
    for epoch in range(settings.epochs):
        for group in optimizer.param_groups:
            group["lr"] = CLASSIFIER_LEARNING_RATE * (1 - epoch / settings.epochs) + FINAL_CLASSIFIER_LEARNING_RATE
        for batch in torch.randperm(len(inputs)).split(CLASSIFIER_BATCH_SIZE):
            optimizer.zero_grad()
            logits = network(inputs[batch])[:, 0]
            F.binary_cross_entropy_with_logits(logits, targets[batch]).backward()
            optimizer.step()
    (hidden, hidden_bias), (output, output_bias) = (
        [parameter.detach().numpy() for parameter in network[layer].parameters()] for layer in (0, 2)
    )
    return replace(
        classifier,
        mean=_rounded(mean),
        deviation=_rounded(deviation),
        hidden=_rounded(np.concatenate([hidden.T, hidden_bias[None]])),
        output=_rounded(np.concatenate([output[0], output_bias])),
    )


def _rounded(values: NDArray[np.floating]) -> Floats:
    return np.asarray(values, dtype=np.float64).round(WEIGHT_DECIMALS)
