"""What patches spare where graphs are made and rewritten."""

import pickle
from pathlib import Path

import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.builders import OpFromGraph
from pytensor.graph.fg import FunctionGraph
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.rewriting.shape import ShapeFeature
from pytensor.tensor.rewriting.subtensor import local_useless_inc_subtensor

import symae  # noqa: F401  (applies its patches)


def test_the_c_code_of_an_operation_is_read_once(monkeypatch):
    first = DimShuffle(input_ndim=2, new_order=(1, 0))
    monkeypatch.setattr(Path, "read_text", lambda self, **_: pytest.fail(f"reads {self}"))
    second = DimShuffle(input_ndim=3, new_order=(1, 0, 2))
    assert getattr(first, "code_sections", None) == getattr(second, "code_sections", None)


@pytest.mark.parametrize(("part", "compared"), [(slice(1, 3), 0), (0, 0), (slice(None), 1)], ids=["rows", "a row", "all"])
def test_shapes_are_compared_only_where_all_of_an_array_is_set(monkeypatch, part, compared):
    same_shape, asked = ShapeFeature.same_shape, []
    monkeypatch.setattr(ShapeFeature, "same_shape", lambda *given: asked.append(given) or same_shape(*given))
    x, y = pt.dmatrix("x"), pt.dmatrix("y") if isinstance(part, slice) else pt.dvector("y")
    graph = FunctionGraph([x, y], [pt.set_subtensor(x[part], y)], clone=False, features=[ShapeFeature()])
    (node,) = (node for node in graph.apply_nodes if "IncSubtensor" in type(node.op).__name__)
    assert not local_useless_inc_subtensor.transform(graph, node)
    assert len(asked) >= compared
    assert bool(asked) == bool(compared)


def test_an_operation_made_of_a_graph_can_be_pickled_after_its_gradient_was_taken():
    x = pt.dvector("x")
    gradient = pytensor.grad(OpFromGraph([x], [x**3])(x).sum(), x)
    pytensor.grad(gradient.sum(), x)
    again_x, again = pickle.loads(pickle.dumps((x, gradient)))
    assert again.eval({again_x: [2.0]}, mode="FAST_COMPILE").tolist() == [12.0]
    assert pytensor.grad(again.sum(), again_x).eval({again_x: [2.0]}, mode="FAST_COMPILE").tolist() == [12.0]
