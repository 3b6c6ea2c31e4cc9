"""What is kept of a model: for how long, and within which bounds."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import symae
from symae.inspector.activation_maximization import BestInput
from symae.inspector.findings import OVERHEAD, KeptBest, stamp_of


def best(units):
    return [BestInput(np.zeros(100), float(unit), 1.0, "made up") for unit in units]


def values(found):
    return [one.value for one in found]


def test_what_another_request_drops_meanwhile_is_answered_nevertheless():
    kept = KeptBest(room=OVERHEAD + 800)  # of one input

    def compute(units):
        kept.get("other", [5], 1.0, best)
        return best(units)

    assert values(kept.get("W", [0], 1.0, best)) == [0]
    assert values(kept.get("W", [0, 1], 1.0, compute)) == [0, 1]


def test_inputs_that_are_asked_for_at_once_are_computed_once():
    kept, begun, computed, found = KeptBest(), threading.Barrier(3), [], []

    def compute(units):
        computed.extend(units)
        return best(units)

    def ask():
        begun.wait(10)
        found.append(values(kept.get("W", [1, 2, 3], 1.0, compute)))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (computed, found) == ([1, 2, 3], [[1, 2, 3]] * 3)


def test_the_newest_inputs_are_kept_as_far_as_they_have_room():
    kept = KeptBest(room=10 * (OVERHEAD + 800))
    kept.get("W", range(50), 1.0, lambda units: [None if unit < 5 else best([unit])[0] for unit in units])
    assert kept.size == kept.room
    assert values(kept.get("W", range(40, 50), 1.0, lambda units: pytest.fail("computed again"))) == list(range(40, 50))
    again = []
    kept.get("W", [39, 40], 1.0, lambda units: again.extend(units) or best(units))
    assert again == [39]


@pytest.mark.parametrize("in_place", [True, False])
def test_after_more_training_all_that_is_shown_is_of_the_new_parameters(digits, in_place):
    model = symae.Autoencoder(np.random.RandomState(0), n_visible=784, n_hidden=9)
    inspection = symae.inspect(model, digits)

    def shown(inspection):
        return {
            "filters": inspection.filters("W").pictures,
            "activity": inspection.activity("W").mean,
            "codes": inspection.codes().values,
            "drawn": inspection.codes("reconstruction").values,
            "latent": inspection.latent.codes,
            "best": inspection.kept_best_inputs("W", [3], 1.0)[0].input,
        }

    before = shown(inspection)
    assert inspection.codes() is inspection.codes()
    assert inspection.filters("W") is inspection.filters("W")
    if in_place:
        model.W.get_value(borrow=True)[:] += np.linspace(-1, 1, 784)[:, None]
    else:
        model.W.set_value(model.W.get_value() + np.linspace(-1, 1, 784)[:, None])
    after, expected = shown(inspection), shown(symae.inspect(model, digits))
    for name in before:
        np.testing.assert_array_equal(after[name], expected[name], name)
        assert not np.array_equal(after[name], before[name]), name
    assert not inspection.diverged
    model.b.set_value(np.full(9, np.nan))
    assert list(inspection.diverged) == ["b"]


def test_a_saved_model_that_is_trained_on_is_looked_at_again(run):
    inspection = symae.inspect(run)
    before = inspection.filters("W").norms
    inspection.model.W.set_value(2 * inspection.model.W.get_value())
    np.testing.assert_allclose(inspection.filters("W").norms, 2 * before, rtol=1e-6)


def test_parameters_of_any_shape_and_kind_have_a_stamp():
    values = {"a": np.zeros((3, 4), np.float32).T, "b": np.float64(2.0), "c": np.zeros((2, 0)), "d": np.zeros(2, np.int8)}
    values = {name: np.asarray(value) for name, value in values.items()}
    stamp = stamp_of(values)
    assert stamp == stamp_of({name: value.copy() for name, value in values.items()})
    values["a"][1, 2] = 1e-30
    assert stamp != stamp_of(values)
