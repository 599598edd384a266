"""The classifiers of the assembly: their arithmetic, their file, and that they refuse other features than their own."""

import math

import numpy as np
import pytest

from pixread.assembly.classifier import (
    ClassifierName,
    MlpClassifier,
    load_classifier,
    read_classifiers,
    replace_classifiers,
)
from pixread.assembly.fit.structure_samples import SAMPLE_SOURCES

TINY = MlpClassifier(
    ("gap", "indent"),
    mean=np.array([1.0, 0.0]),
    deviation=np.array([2.0, 1.0]),
    hidden=np.array([[1.0], [0.5], [0.25]]),
    output=np.array([3.0, -1.0]),
)


def test_a_logit_is_that_of_one_hidden_layer_over_clipped_features():
    logits = TINY.logits(np.array([[3.0, 2.0], [1000.0, 0.0]]))
    assert logits.tolist() == [3 * math.tanh(1 + 1 + 0.25) - 1, 3 * math.tanh(5 + 0.25) - 1]


def test_what_is_written_is_read_to_the_bit():
    again = MlpClassifier.from_json(TINY.to_json())
    assert again.features == TINY.features
    for name in ("mean", "deviation", "hidden", "output"):
        assert (getattr(again, name) == getattr(TINY, name)).all()


@pytest.mark.parametrize("name", SAMPLE_SOURCES)
def test_the_shipped_classifiers_name_the_features_that_are_computed(name: ClassifierName):
    features = SAMPLE_SOURCES[name].features
    assert len(set(features)) == len(features)
    classifier = load_classifier(name, features)
    assert classifier.features == features
    assert len(classifier.mean) == len(classifier.deviation) == len(classifier.hidden) - 1 == len(features)


def test_other_features_are_refused_by_name():
    features = SAMPLE_SOURCES["columns"].features
    with pytest.raises(ValueError, match=r"classifier 'columns' .*only in the weights: log_row_gap; .*: row_gap\)"):
        load_classifier("columns", ("row_gap", *features[1:]))


def test_features_in_another_order_are_refused():
    first, second, *others = SAMPLE_SOURCES["columns"].features
    with pytest.raises(ValueError, match="column 0 is log_row_gap in the weights and log_column_gap as computed"):
        load_classifier("columns", (second, first, *others))


def test_classifiers_are_replaced_within_a_context_alone():
    shipped = read_classifiers()
    with replace_classifiers({**shipped, "columns": TINY}):
        assert load_classifier("columns", TINY.features) is TINY
        with pytest.raises(ValueError, match="fitted to other features"):
            load_classifier("columns", SAMPLE_SOURCES["columns"].features)
    assert load_classifier("columns", SAMPLE_SOURCES["columns"].features).features == shipped["columns"].features
