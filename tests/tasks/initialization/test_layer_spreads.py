"""Spreads against forward and backward passes written out in NumPy."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

from datasets.rendered.digits import RenderedDigits
from keras_models.layer_stack import SCHEMES, build_layer_stack, hidden_layers
from tasks.common.initialization import layer_spreads

NAMES = ("a", "b", "c", "d")
RNG = np.random.default_rng(5)
PICTURES = RNG.integers(0, 256, (6, 28, 28, 3), np.uint8)
LABELS = np.array([0, 1, 2, 3, 1, 0])


def by_hand(model: keras.Model, activation: str) -> list[dict[str, float]]:
    """Each hidden layer of a dense stack, forwards and backwards, in float64."""
    luma = PICTURES @ np.array([0.299, 0.587, 0.114])
    signal = ((luma / 255 - 0.1307) / 0.3081).reshape(len(PICTURES), -1)
    layers = [layer.get_weights() for layer, _ in hidden_layers(model)]
    signals, sums = [signal], []
    for kernel, bias in layers:
        sums.append(signals[-1] @ kernel.astype(np.float64) + bias)
        signals.append(np.tanh(sums[-1]) if activation == "tanh" else np.maximum(sums[-1], 0))
    kernel, bias = model.get_layer("logits").get_weights()
    logits = signals[-1] @ kernel.astype(np.float64) + bias
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    error = shares / shares.sum(axis=1, keepdims=True) - np.eye(4)[LABELS]
    arriving = error @ kernel.T
    rows = []
    for number in reversed(range(len(layers))):
        outputs = signals[number + 1]
        slope = 1 - outputs**2 if activation == "tanh" else (sums[number] > 0).astype(float)
        gradient = arriving * slope
        rows.append(
            {
                "activation": outputs.std(),
                "gradient": gradient.std(),
                "weight_gradient": (signals[number].T @ gradient / len(PICTURES)).std(),
                "blocked": (slope < 0.1).mean(),
                "median": np.median(outputs),
            }
        )
        arriving = gradient @ layers[number][0].T
    return rows[::-1]


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_spreads_are_those_computed_by_hand(scheme: str, activation: str) -> None:
    model = build_layer_stack(NAMES, scheme, activation, 3, 9, seed=2)
    spreads = layer_spreads.layer_spreads(model, PICTURES, LABELS)
    assert [spread.name for spread in spreads] == ["layer_01", "layer_02", "layer_03"]
    for spread, expected in zip(spreads, by_hand(model, activation), strict=True):
        for name in ("activation", "gradient", "weight_gradient"):
            assert getattr(spread, name) == pytest.approx(expected[name], rel=1e-3, abs=1e-9)
        assert spread.blocked == pytest.approx(expected["blocked"], abs=0.04)
        assert spread.quantiles[2] == pytest.approx(expected["median"], abs=1e-4, rel=1e-3)
        assert list(spread.quantiles) == sorted(spread.quantiles)


def test_zeros_give_no_signal_and_no_gradient_below_the_output() -> None:
    for activation in ("tanh", "relu"):
        model = build_layer_stack(NAMES, "zeros", activation, 4, 8)
        for spread in layer_spreads.layer_spreads(model, PICTURES, LABELS):
            assert spread.activation == spread.gradient == spread.weight_gradient == 0.0


def test_he_keeps_the_signal_of_a_relu_stack_where_xavier_halves_it() -> None:
    """He et al. 2015, section 2.2: the second moment stays, or falls by 2 in each square layer."""
    moments = {}
    for scheme in ("he", "xavier"):
        model = build_layer_stack(NAMES, scheme, "relu", 6, 400)
        outputs = keras.Model(model.input, [after.output for _, after in hidden_layers(model)])
        values = outputs.predict(PICTURES, verbose=0)
        moments[scheme] = [float(np.mean(np.square(value))) for value in values]
    assert moments["he"][-1] / moments["he"][0] == pytest.approx(1.0, abs=0.5)
    assert moments["xavier"][-1] / moments["xavier"][0] == pytest.approx(0.5**5, rel=0.5)


def test_a_stack_of_convolutions_is_measured_too() -> None:
    model = build_layer_stack(NAMES, "he", "relu", 4, 6, "convolution")
    spreads = layer_spreads.layer_spreads(model, PICTURES, LABELS)
    assert len(spreads) == 4
    assert all(spread.activation > 0 and spread.weight_gradient > 0 for spread in spreads)


def test_changes_of_weights_are_found_in_their_layer() -> None:
    before, after = (build_layer_stack(NAMES, "he", "tanh", 3, 5) for _ in range(2))
    layer = after.get_layer("layer_02")
    kernel, bias = layer.get_weights()
    kernel[1, 2] += 0.25
    bias[4] -= 0.5
    layer.set_weights([kernel, bias])
    changes = {change.name: change for change in layer_spreads.weight_changes(before, after)}
    assert list(changes) == ["layer_01", "layer_02", "layer_03", "logits"]
    assert changes["layer_02"].kernel == pytest.approx(0.25)
    assert changes["layer_02"].bias == pytest.approx(0.5)
    others = [change for name, change in changes.items() if name != "layer_02"]
    assert all(change.kernel == change.bias == 0 for change in others)
    assert [change.units for change in changes.values()] == [5, 5, 5, 4]


def test_units_that_are_alike_are_counted_once() -> None:
    model = build_layer_stack(NAMES, "he", "tanh", 2, 5)
    layer = model.get_layer("layer_01")
    kernel, bias = layer.get_weights()
    kernel[:, 3] = kernel[:, 1]
    layer.set_weights([kernel, bias])
    changes = layer_spreads.weight_changes(model, model)
    assert [change.distinct_units for change in changes] == [4, 5, 4]
    zeros = build_layer_stack(NAMES, "zeros", "relu", 2, 5)
    assert {change.distinct_units for change in layer_spreads.weight_changes(zeros, zeros)} == {1}


def test_records_travel_as_json() -> None:
    model = build_layer_stack(NAMES, "he", "tanh", 2, 5)
    spreads = layer_spreads.layer_spreads(model, PICTURES, LABELS)
    changes = layer_spreads.weight_changes(model, model)
    for after in (spreads, None):
        text = json.dumps(layer_spreads.as_json(spreads, after, changes))
        assert layer_spreads.from_json(json.loads(text)) == (spreads, after, changes)


def test_weights_that_are_no_numbers_count_as_diverged() -> None:
    digits = tuple("0123456789")
    fresh, trained = (build_layer_stack(digits, "he", "relu", 2, 5) for _ in range(2))
    layer = trained.get_layer("layer_02")
    kernel, bias = layer.get_weights()
    source = RenderedDigits(20, 0)
    measured = layer_spreads.from_json(layer_spreads.measured(fresh, trained, source))
    assert measured[1] == measured[0]
    kernel[0, 0] = np.nan
    layer.set_weights([kernel, bias])
    before, after, changes = layer_spreads.from_json(layer_spreads.measured(fresh, trained, source))
    assert before == measured[0]
    assert after is None
    assert all(change.kernel == 0 for change in changes)
