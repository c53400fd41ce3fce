"""Trained on scans, every cell and shape gives the outputs and gradients of stock Keras."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parity_testing import assert_close, assert_parity, outputs_and_gradients

from harness.spec.hyperparameters import Hyperparameters
from harness.training.recurrent import PATHS, set_xla_flags

set_xla_flags()

FAST = [path for path in PATHS if path != "keras"]


def shape(cell="lstm", depth=1, units=5, length=7, bidirectional=False):
    return Hyperparameters(
        cell=cell,
        depth=depth,
        units=units,
        sequence_length=length,
        bidirectional=bidirectional,
        embedding_dim=6,
        vocabulary=30,
    )


@pytest.mark.parametrize("path", FAST)
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_two_layers_equal_stock_keras(cell, path):
    assert_parity(shape(cell, depth=2), path, batch=4)


@pytest.mark.slow
@pytest.mark.parametrize("path", FAST)
@pytest.mark.parametrize("depth", [1, 3, 4])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_depths_and_directions_equal_stock_keras(cell, depth, bidirectional, path):
    assert_parity(shape(cell, depth, bidirectional=bidirectional), path, batch=3)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_both_directions_equal_stock_keras(cell):
    assert_parity(shape(cell, depth=2, bidirectional=True), "xla-scan", batch=3)


@pytest.mark.parametrize("path", FAST)
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_one_example_of_one_word(cell, path):
    assert_parity(shape(cell, length=1), path, batch=1)


@pytest.mark.slow
@pytest.mark.parametrize("path", FAST)
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_long_sequences(cell, path):
    # Keras's own initial weights: with larger ones a SimpleRNN of 500 steps is chaotic, and two
    # orders of summation no longer agree, whoever does the summing.
    hp = shape(cell, units=8, length=500)
    names, got = outputs_and_gradients(hp, path, 2)
    _, expected = outputs_and_gradients(hp, "keras", 2, compiled=False)
    assert_close(names, got, expected)


def test_several_classes():
    assert_parity(shape("gru", depth=2), "xla-scan", batch=4, classes=5)


def test_units_of_each_layer():
    hp = Hyperparameters(cell="lstm", depth=3, units=(7, 3, 5), sequence_length=6, vocabulary=30)
    assert_parity(hp, "xla-scan", batch=3)


@pytest.mark.slow
@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    cell=st.sampled_from(["rnn", "gru", "lstm"]),
    path=st.sampled_from(FAST),
    depth=st.integers(1, 4),
    units=st.integers(1, 20),
    length=st.integers(1, 40),
    batch=st.integers(1, 9),
    bidirectional=st.booleans(),
)
def test_any_shape_equals_stock_keras(cell, path, depth, units, length, batch, bidirectional):
    assert_parity(shape(cell, depth, units, length, bidirectional), path, batch)


@pytest.mark.parametrize("path", FAST)
def test_the_scan_also_runs_without_xla(path):
    hp = shape("lstm", depth=2)
    _, with_xla = outputs_and_gradients(hp, path, 3)
    _, without = outputs_and_gradients(hp, path, 3, compiled=False)
    for ours, theirs in zip(with_xla, without, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)
