"""Names that have changed."""

from __future__ import annotations

import inspect

import pytest

from symae._runtime.renamed import renamed_arguments
from symae.training import early_stopping, fit, train_epochs


@renamed_arguments(say="log")
def greet(name, *, log=None):
    """Greet."""
    return name, log


def test_an_old_name_works_and_a_warning_tells_the_new_one_and_where_it_stands():
    with pytest.warns(DeprecationWarning, match=r"greet\(say=\.\.\.\) is an old name, .*: use log=") as caught:
        assert greet("x", say=3) == ("x", 3)
    assert caught[0].filename == __file__


def test_a_new_name_warns_of_nothing_and_the_signature_has_it():
    assert greet("x", log=3) == ("x", 3)
    assert list(inspect.signature(greet).parameters) == ["name", "log"]
    assert greet.__doc__ == "Greet."


def test_both_names_at_once_are_refused():
    with pytest.raises(TypeError, match=r"greet\(\) got log twice: say is its old name"):
        greet("x", say=1, log=2)


def test_trainings_take_the_names_of_the_release_before():
    lines = []
    with pytest.warns(DeprecationWarning, match="is an old name") as caught:
        history = train_epochs(lambda i: [i, 2.0 * i], 3, 1, every=1, say=lines.append, also=["twice"], weights=[4, 4, 2])
    assert len(caught) == 4
    assert history.measures["twice"] == pytest.approx([1.6])
    assert lines == ["Training epoch 0, cost 0.800000, twice 1.600000"]
    assert {"every", "say"}.isdisjoint(inspect.signature(fit).parameters)


def test_the_tutorials_patience_has_its_old_name_too():
    with pytest.warns(DeprecationWarning, match="use TutorialPatience"):
        assert early_stopping.Patience is early_stopping.TutorialPatience
    with pytest.raises(AttributeError, match="no attribute 'Impatience'"):
        early_stopping.Impatience  # noqa: B018
