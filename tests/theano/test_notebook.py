"""A notebook, run as Jupyter runs it: ``%load_ext symae.theano``, then cells of Theano and of Lasagne."""

from __future__ import annotations

import importlib.util

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

pytestmark = pytest.mark.filterwarnings("ignore")  # of Jupyter's

THEANO = """
import theano
import theano.tensor as T
x = T.dvector("x")
theano.function([x], T.grad((x ** 2).sum(), x))([1.0, 2.0]).tolist()
"""
LASAGNE = """
import numpy as np
from lasagne.layers import *
layer = DenseLayer(InputLayer((None, 3)), 2, W=np.ones((3, 2)), nonlinearity=None)
get_output(layer, np.ones((1, 3))).eval().tolist()
"""


def shown(*cells, monkeypatch):
    """Return what each cell shows: its output, what it printed, or the error that it ended with."""
    monkeypatch.setenv("THEANO_FLAGS", "floatX=float64,mode=FAST_COMPILE")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=300, allow_errors=True, kernel_name="python3").execute()
    return [[_text(output) for output in cell.outputs] for cell in notebook.cells]


def _text(output):
    if output.output_type == "error":
        return f"{output.ename}: {output.evalue}"
    return output.text if output.output_type == "stream" else output.data["text/plain"]


def test_theano_is_symaes_in_a_notebook_until_it_is_unloaded(monkeypatch):
    cells = ["import theano", "%load_ext symae.theano", THEANO, "theano.printing.debugprint(x)", "T.tensordott"]
    cells += ["%unload_ext symae.theano\nimport theano.tensor", "%reload_ext symae.theano\nimport theano.tensor"]
    before, loaded, gradient, graph, absent, unloaded, reloaded = shown(*cells, monkeypatch=monkeypatch)
    assert before == unloaded == ["ModuleNotFoundError: No module named 'theano'"]
    assert loaded == reloaded == []
    assert gradient == ["[2.0, 4.0]"]
    assert graph == ["x [id A]\n"]
    assert (
        "tensordott is not in symae.theano: nothing is known here that takes its place; names close to it: tensordot"
        in absent[0]
    )


@pytest.mark.skipif(importlib.util.find_spec("lasagne") is None, reason="Lasagne is not installed")
def test_a_cell_can_use_lasagne(monkeypatch):
    assert shown("%load_ext symae.theano", LASAGNE, monkeypatch=monkeypatch)[1] == ["[[3.0, 3.0]]"]
