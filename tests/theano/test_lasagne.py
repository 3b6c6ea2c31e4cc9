"""Programs on Lasagne compute what they computed under Theano. They need Lasagne, which symae does not ask for."""

from __future__ import annotations

import importlib.util

import pytest
from golden.figures import assert_same, read_json
from golden.lasagne_cases import NAMES, figures

from symae.theano import install, uninstall
from symae.theano._impl.libraries import HOW_TO_GET

GOLDEN = read_json("lasagne")

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("lasagne") is None, reason=f"Lasagne is not installed: {HOW_TO_GET['lasagne']}"
    ),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning"),
]


@pytest.fixture(autouse=True)
def installed():
    install()
    yield
    uninstall()


@pytest.mark.parametrize("name", NAMES)
def test_a_program_computes_what_it_computed_under_theano(name, in_mode):
    with in_mode("FAST_COMPILE"):
        found = figures(name)
    assert found["params"] == GOLDEN[name]["params"]
    assert_same(found["numbers"], GOLDEN[name]["numbers"], rtol=1e-9)


@pytest.mark.default_mode
@pytest.mark.parametrize("name", NAMES)
def test_it_does_in_the_mode_that_users_have(name, in_mode):
    with in_mode("Mode"):
        assert_same(figures(name)["numbers"], GOLDEN[name]["numbers"], rtol=1e-9)
