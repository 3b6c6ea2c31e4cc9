"""Graphs: what is drawn of them, and where."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET

import numpy as np
import pytensor.tensor as pt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import symae
from symae import Autoencoder
from symae.errors import InputError
from symae.inspector.graph_layout import GAP, layered
from symae.inspector.graphs import Graph
from symae.inspector.svg import GraphNode


@pytest.fixture
def inspection():
    return symae.inspect(Autoencoder(np.random.RandomState(0), n_visible=16, n_hidden=3))


def labels(graph):
    return [node.label for node in graph.nodes if node.kind == "operation"]


def test_rewriting_fuses_what_was_written_one_by_one(inspection):
    before, after = (inspection.graph("reconstruction", stage) for stage in ("before", "after"))
    assert labels(before).count("sigmoid") == 2
    assert after.operations < before.operations
    assert any(label.startswith("fused") and "sigmoid" in label for label in labels(after))


def test_the_rewritten_graph_has_the_operations_that_numba_gets(inspection):
    model = inspection.model
    shown = labels(inspection.graph("reconstruction", "after", backend="numba"))
    compiled = symae.function([model.x], model.nodes["reconstruction"], backend="numba")
    run = [str(node.op) for node in compiled.maker.fgraph.toposort()]
    assert len(shown) == len(run)
    for each in (shown, run):
        assert sum(label.startswith("MatrixProduct") for label in each) == 2
        assert not any("Dot" in label for label in each)


def test_parameters_inputs_and_outputs_are_told_apart(inspection):
    graph = inspection.graph("training step", "after")
    kinds = {kind: {node.label for node in graph.nodes if node.kind == kind} for kind in ("input", "parameter", "output")}
    assert kinds["input"] == {"input"}
    assert kinds["parameter"] == {"W", "b", "b_prime"}
    assert kinds["output"] == {"cost", "new W", "new b", "new b_prime"}


def test_measuring_a_training_step_changes_nothing_and_gives_each_node_a_time(inspection):
    before = inspection.model.parameters()["W"].copy()
    graph = inspection.graph("training step", "after", backend="numba", profile=True)
    assert all(node.seconds > 0 for node in graph.nodes if node.kind == "operation")
    assert "NumPy" in graph.note
    assert " ms</text>" in graph.svg() or " µs</text>" in graph.svg()
    np.testing.assert_array_equal(inspection.model.parameters()["W"], before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("nothing", "after"), "one of reconstruction, code, training step"), (("code", "during"), "one of before, after")],
)
def test_graphs_and_stages_that_are_not_there_are_refused(inspection, arguments, message):
    with pytest.raises(InputError, match=message):
        inspection.graph(*arguments)
    with pytest.raises(InputError, match="which is run"):
        inspection.graph("code", "before", profile=True)


def test_the_drawing_is_svg_in_which_every_box_has_its_name(inspection):
    graph = inspection.graph("training step", "before")
    root = ET.fromstring(graph.svg())
    space = {"s": "http://www.w3.org/2000/svg"}
    boxes = root.findall("s:g", space)
    assert [box.get("data-node") for box in boxes] == [str(i) for i in range(len(graph.nodes))]
    assert [box.find("s:text", space).text for box in boxes] == [node.label for node in graph.nodes]
    assert all(box.find("s:title", space).text for box in boxes)
    assert "<style>" not in graph.svg(styled=False)


def test_names_in_a_drawing_stay_text():
    nasty = '</svg><script>alert("1")</script>\x00\ud800'
    svg = Graph(nasty, [GraphNode("operation", nasty, [nasty])]).svg()
    root = ET.fromstring(svg)
    assert not [element for element in root.iter() if element.tag.endswith("script")]


def test_a_graph_of_a_logistic_regression_has_its_nodes():
    model = symae.LogisticRegression(pt.matrix("x"), 4, 2)
    assert symae.inspect(model).graphs.names == ["p_y_given_x", "y_pred"]


# the layout


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 25))
    nodes = []
    for number in range(count):
        sources = draw(st.lists(st.integers(0, number - 1), max_size=3, unique=True)) if number else []
        nodes.append(("x" * draw(st.integers(1, 12)), "operation", sources))
    return nodes


@given(graphs())
def test_lines_lead_down_and_boxes_do_not_overlap(nodes):
    layout = layered(nodes)
    assert len(layout.boxes) == len(nodes)
    for target, (_, _, sources) in enumerate(nodes):
        for source in sources:
            assert layout.boxes[source][1] < layout.boxes[target][1]
    rows = {}
    for x, y, width, _ in layout.boxes:
        rows.setdefault(y, []).append((x, x + width))
    for row in rows.values():
        row.sort()
        for (_, right), (left, _) in itertools.pairwise(row):
            assert left - right >= GAP - 1e-6
    assert all(x >= 0 and y >= 0 and x + w <= layout.width and y + h <= layout.height for x, y, w, h in layout.boxes)


@given(graphs())
def test_every_line_goes_from_its_source_to_its_target(nodes):
    layout = layered(nodes)
    expected = sorted((s, t) for t, (_, _, sources) in enumerate(nodes) for s in sources)
    assert sorted((s, t) for s, t, _ in layout.lines) == expected
    for source, target, points in layout.lines:
        (x, y, w, h), (to_x, to_y, to_w, _) = layout.boxes[source], layout.boxes[target]
        assert points[0] == pytest.approx((x + w / 2, y + h))
        assert points[-1] == pytest.approx((to_x + to_w / 2, to_y))
        assert [p[1] for p in points] == sorted(p[1] for p in points)


def test_two_lines_that_need_not_cross_do_not():
    nodes = [("a", "input", []), ("b", "input", []), ("c", "operation", [1]), ("d", "operation", [0])]
    boxes = layered(nodes).boxes
    assert (boxes[0][0] < boxes[1][0]) == (boxes[3][0] < boxes[2][0])


def test_what_waits_for_a_later_node_stands_right_above_it():
    chain = [("x", "input", []), *(("f", "operation", [i]) for i in range(5))]
    boxes = layered([*chain, ("b", "parameter", []), ("add", "operation", [5, 6])]).boxes
    assert boxes[6][1] == boxes[5][1]


def test_no_nodes_are_an_empty_drawing():
    ET.fromstring(Graph("nothing", []).svg())
