"""A model of one's own says what it is, and is shown like those of symae."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from inspector_runs import write_run

import symae
import symae.models
from symae import nn
from symae.inspector.api.routes import Answers
from symae.inspector.runs import open_run
from symae.models.base import Model, checked_matrix
from symae.models.description import FilterLayer, ModelDescription


@pytest.fixture
def axes(monkeypatch, digits) -> Model:
    """Images as two numbers each: how far they go into the directions of two digits."""
    monkeypatch.setattr(Model, "_classes", dict(Model._classes))

    class Axes(Model):
        parameter_names = ("A",)

        def __init__(self):
            self.x = pt.matrix("input")
            self.params = [pytensor.shared(digits[:2].T.copy(), name="A")]
            code = self.x @ self.params[0]
            self._nodes = {"input": self.x, "code": code, "drawn": code @ self.params[0].T / 100}

        @property
        def nodes(self):
            return self._nodes

        def describe(self):
            nodes = self.nodes
            layer = FilterLayer("A", "code", nodes["code"], sees_pixels=True)
            return ModelDescription(nodes, pixels=784, layers=[layer], code="code", output="drawn", code_size=2)

        def checked_input(self, name, X):
            return checked_matrix(name, X, 784)

        def configuration(self):
            return {}

        @classmethod
        def from_configuration(cls, configuration):
            return cls(**configuration)

    return Axes()


def test_its_filters_drawings_and_codes_are_shown_in_python(axes, digits):
    inspection = symae.inspect(axes, digits)
    np.testing.assert_allclose(inspection.filters("A").pictures, digits[:2].reshape(2, 28, 28), rtol=1e-6)
    code = digits[5] @ digits[:2].T
    np.testing.assert_allclose(inspection.reconstruct(5).code, code)
    np.testing.assert_allclose(inspection.latent.draw(code).reshape(-1), code @ digits[:2] / 100)
    np.testing.assert_allclose(inspection.best_input("A", 1, 1.0).input, digits[1] / np.linalg.norm(digits[1]), rtol=1e-6)


def test_its_saved_run_has_a_page(axes, tmp_path):
    answers = Answers([open_run(write_run(tmp_path / "own", axes))])
    for path in ("model", "filters/A", "unit/A/1", "best/A/0", "reconstruct/3", "latent", "graph/code/after", "epoch/2/A"):
        kind, content = answers.get(f"0/model/{path}", {})
        assert (kind, b"error" in content[:20]) == ("application/json", False)


def test_layers_of_symaes_functions_need_not_be_told(monkeypatch):
    monkeypatch.setattr(Model, "_classes", dict(Model._classes))

    class Layered(Model):
        def __init__(self):
            params = nn.Parameters(np.random.RandomState(0))
            self.x = pt.tensor("input", shape=(None, 784))
            hidden = nn.dense(params, "hidden", self.x, 5)
            self.nodes_ = {"input": self.x, "hidden": hidden, "top": nn.dense(params, "top", hidden, 3)}
            self.params, self.parameter_names = list(params), params.names

        @property
        def nodes(self):
            return self.nodes_

    described = Layered().describe()
    assert (described.pixels, described.drawn_from) == (784, None)
    assert [(layer.name, layer.bias, layer.sees_pixels) for layer in described.layers] == [
        ("hidden_W", "hidden_b", True),
        ("top_W", "top_b", False),
    ]


def test_nobody_outside_the_models_asks_for_a_models_class():
    classes = {name for name, value in vars(symae.models).items() if isinstance(value, type) and issubclass(value, Model)}
    classes = (classes | {"ImageModel"}) - {"Model"}  # what all have is known everywhere
    package = Path(symae.__file__).parent
    asked = [
        f"{file}:{node.lineno}"
        for file in package.rglob("*.py")
        if not file.is_relative_to(package / "models")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("isinstance", "issubclass")
        for name in ast.walk(node.args[1])
        if getattr(name, "id", getattr(name, "attr", "")) in classes
    ]
    assert asked == []
