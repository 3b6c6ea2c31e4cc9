"""A training step taken out as a pure function: the numbers are symae's, and JAX transforms it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from symae import DenoisingAutoencoder, LogisticRegression, RandomStreams, function
from symae.compile import pure_step
from symae.errors import InputError
from symae.ops import conv2d, pool2d
from symae.ops.random.draws import state_words
from symae.optimizers import adam

jax = pytest.importorskip("jax")
# A plain run has one row of each folder on JAX.
pytestmark = [pytest.mark.on("jax"), pytest.mark.usefixtures("jax_in_double")]

IMAGES = np.random.RandomState(0).uniform(size=(6, 20, 4))


def model_and_step(seed=123):
    model = DenoisingAutoencoder(np.random.RandomState(seed), n_visible=4, n_hidden=3)
    return model, model.get_cost_updates(corruption_level=0.3, learning_rate=0.1)


def test_steps_are_those_of_a_compiled_function_and_leave_the_model_alone():
    model, (cost, updates) = model_and_step()
    compiled = function([model.x], cost, updates=updates)
    step, state = pure_step(cost, updates, model.x)
    before = {name: value.copy() for name, value in model.parameters().items()}
    jitted = jax.jit(step, donate_argnums=0)
    costs = []
    for images in IMAGES:
        state, figures = jitted(state, images)
        costs.append(float(figures["cost"]))
    for name, value in model.parameters().items():
        np.testing.assert_array_equal(value, before[name])
    np.testing.assert_allclose(costs, [compiled(images) for images in IMAGES], rtol=1e-12)
    for name, value in model.parameters().items():
        np.testing.assert_allclose(state[name], value, rtol=1e-10)
    (stream,) = (v for v in compiled.get_shared() if v.name == "random_state_0")
    np.testing.assert_array_equal(state["random_state_0"], state_words(stream.get_value()))


def test_a_scan_over_steps_is_a_loop_over_them():
    step, state = _pure()
    scanned, figures = jax.lax.scan(step, state, IMAGES)
    costs = []
    for images in IMAGES:
        state, one = step(state, images)
        costs.append(one["cost"])
    np.testing.assert_allclose(figures["cost"], costs, rtol=1e-12)
    for name in state:
        np.testing.assert_allclose(scanned[name], state[name], rtol=1e-10)


def _pure():
    model, (cost, updates) = model_and_step()
    return pure_step(cost, updates, model.x)


def test_jaxs_gradient_of_the_cost_is_the_gradient_of_the_graph():
    model, (cost, updates) = model_and_step()
    step, state = pure_step(cost, updates, model.x)
    gradients = function([model.x], [pt.grad(cost, p) for p in model.params])(IMAGES[0])
    ours = jax.grad(lambda params: step(state | params, IMAGES[0])[1]["cost"])({n: state[n] for n in model.parameter_names})
    for name, gradient in zip(model.parameter_names, gradients, strict=True):
        np.testing.assert_allclose(ours[name], gradient, rtol=1e-10)


def test_mapped_over_states_it_trains_several_models():
    steps = [_pure_of_seed(seed) for seed in (1, 2, 3)]
    step = steps[0][0]
    states = jax.tree.map(lambda *leaves: jax.numpy.stack(leaves), *(state for _, state in steps))
    after, figures = jax.jit(jax.vmap(step, in_axes=(0, None)))(states, IMAGES[0])
    for i, (_, state) in enumerate(steps):
        alone, one = step(state, IMAGES[0])
        np.testing.assert_allclose(figures["cost"][i], one["cost"], rtol=1e-12)
        np.testing.assert_array_equal(after["random_state_0"][i], alone["random_state_0"])


def _pure_of_seed(seed):
    model, (cost, updates) = model_and_step(seed)
    return pure_step(cost, updates, model.x)


def test_convolution_and_pooling_are_mapped_and_differentiated():
    x, kernels = pt.tensor4("x"), pytensor.shared(np.random.RandomState(0).normal(size=(2, 1, 3, 3)), name="kernels")
    cost = pt.sqr(pool2d(conv2d(x, kernels), (2, 2))).mean()
    step, state = pure_step(cost, [], x)
    images = np.random.RandomState(1).uniform(size=(2, 3, 1, 8, 8))
    costs = function([x], [cost, pt.grad(cost, kernels)])
    got = jax.jit(jax.vmap(lambda batch: step(state, batch)[1]["cost"]))(images)
    np.testing.assert_allclose(got, [costs(batch)[0] for batch in images])
    gradient = jax.jit(jax.grad(lambda kernels: step({"kernels": kernels}, images[0])[1]["cost"]))(state["kernels"])
    np.testing.assert_allclose(gradient, costs(images[0])[1])


def test_draws_of_the_host_can_be_mapped_and_do_not_stand_in_a_gradients_way():
    x, w = pt.dvector("x"), pytensor.shared(2.0, name="w")
    noise = RandomStreams(3).normal(x.shape)
    step, state = pure_step(((w * x + noise) ** 2).sum(), [], x)
    batches = np.arange(6.0).reshape(2, 3)
    costs = jax.vmap(lambda batch: step(state, batch)[1]["cost"])(batches)
    np.testing.assert_allclose(costs, [step(state, batch)[1]["cost"] for batch in batches])
    drawn = np.random.RandomState(int(np.random.RandomState(3).randint(2**30))).normal(size=3)
    gradient = jax.grad(lambda w: step(state | {"w": w}, batches[1])[1]["cost"])(2.0)
    np.testing.assert_allclose(gradient, (2 * batches[1] * (2 * batches[1] + drawn)).sum())


def test_the_state_has_what_an_optimizer_remembers_and_what_is_only_read():
    x, frozen = pt.dmatrix("x"), pytensor.shared(np.ones(2), name="frozen")
    w = pytensor.shared(np.ones((3, 2)), name="w")
    cost = (x.dot(w) * frozen).mean()
    step, state = pure_step(cost, adam(cost, [w]), {"images": x}, measures={"largest": w.max()})
    names = list(state)
    assert names[-1] == "frozen"
    assert "w" in names
    assert len(names) > 3
    after, figures = step(state, {"images": np.ones((4, 3))})
    assert figures.keys() == {"cost", "largest"}
    assert after.keys() == state.keys()
    assert not np.array_equal(after["w"], state["w"])
    assert np.array_equal(after["frozen"], state["frozen"])


def test_two_variables_of_a_name_have_an_entry_each():
    a, b, x = pytensor.shared(1.0, name="w"), pytensor.shared(2.0, name="w"), pt.dscalar("x")
    step, state = pure_step(a * b * x, [(a, a + 1), (b, b + 2)], [x])
    assert {name: float(value) for name, value in state.items()} == {"w": 1.0, "w.2": 2.0}
    after, figures = step(state, [3.0])
    assert float(figures["cost"]) == 6.0
    assert {name: float(value) for name, value in after.items()} == {"w": 2.0, "w.2": 4.0}


def test_figures_are_nan_where_a_function_would_raise():
    x, y = pt.dmatrix("x"), pt.lvector("y")
    model = LogisticRegression(input=x, n_in=4, n_out=3)
    step, state = pure_step(model.negative_log_likelihood(y), [], [x, y])
    step = jax.jit(step)
    assert np.isfinite(step(state, [IMAGES[0, :3], np.array([0, 1, 2])])[1]["cost"])
    assert np.isnan(step(state, [IMAGES[0, :3], np.array([0, 1, 3])])[1]["cost"])


@pytest.mark.parametrize(
    ("state", "batch", "message"),
    [
        ({"w": np.ones(2)}, np.ones((3, 2)), r"^state: found w, expected the entries w, r$"),
        ({"w": np.ones(2), "r": 1.0}, np.ones(2), r"^batch: found shape \(2,\), expected \(n, n\)$"),
        ({"w": np.ones((2, 1)), "r": 1.0}, np.ones((3, 2)), r"^state\['w'\]: found shape \(2, 1\), expected \(n,\)$"),
        ({"w": np.ones(2, "float32"), "r": 1.0}, np.ones((3, 2)), r"^state\['w'\]: found dtype float32, expected float64$"),
        ({"w": np.ones(2), "r": 1.0}, np.ones((3, 2), complex), r"^batch: found dtype complex128, expected float64$"),
    ],
)
def test_what_does_not_fit_is_named(state, batch, message):
    x, w, r = pt.dmatrix("x"), pytensor.shared(np.ones(2), name="w"), pytensor.shared(0.1, name="r")
    step, _ = pure_step(x.dot(w).sum() * r, [(w, w * r)], x)
    with pytest.raises(InputError, match=message):
        step(state, batch)


def test_a_cost_that_is_no_scalar_is_refused():
    x = pt.dmatrix("x")
    with pytest.raises(InputError, match=r"^cost: found a .*, expected a symbolic scalar"):
        pure_step(x, [], x)


WITHOUT_64_BITS = """
import numpy as np, pytensor, pytensor.tensor as pt
pytensor.config.floatX = "float32"
import pytensor.link.jax.dispatch, jax
assert not jax.config.jax_enable_x64
from symae import DenoisingAutoencoder, InputError, function
from symae.compile import pure_step
model = DenoisingAutoencoder(np.random.RandomState(1), n_visible=4, n_hidden=3)
cost, updates = model.get_cost_updates(corruption_level=0.3, learning_rate=0.1)
step, state = pure_step(cost, updates, model.x)
images = np.random.RandomState(0).uniform(size=(5, 20, 4)).astype("float32")
state, figures = jax.lax.scan(jax.jit(step), state, images)
assert figures["cost"].dtype == "float32" and all(leaf.dtype != "float64" for leaf in state.values())
compiled = function([model.x], cost, updates=updates, backend="jax")
np.testing.assert_allclose(figures["cost"], [compiled(batch) for batch in images], rtol=1e-5)
w, x = pytensor.shared(np.float64(1), name="w"), pt.dscalar("x")
try:
    pure_step(w * x, [], x)
except InputError as error:
    print(error)
narrow, wide = pt.fvector("narrow"), pt.dvector("wide")
for cost, batch in ((wide.astype("float32").sum(), {"wide": wide}), (narrow.sum(dtype="float64"), narrow)):
    try:
        pure_step(cost, [], batch)
    except InputError as error:
        print(error)
assert not jax.config.jax_enable_x64
"""


def test_float32_needs_no_64_bits_of_the_process_and_float64_is_refused_without():
    done = subprocess.run([sys.executable, "-c", WITHOUT_64_BITS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    refused = [line.partition(", because JAX has no 64-bit numbers here")[0] for line in done.stdout.splitlines()]
    found = "found float64, expected float32"
    assert refused == [f"w: {found}", f"batch['wide']: {found}", f"cost: {found}"]


def test_what_the_documentation_shows_runs(capsys):
    text = (Path(__file__).parents[2] / "docs" / "scaling.md").read_text(encoding="utf-8")
    text = text.partition("## A training step as a pure function")[2]
    first, second = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len([line for line in first.split("step, state =")[1].splitlines() if line]) <= 10  # a loop of ten lines
    scope: dict[str, object] = {}
    exec(first, scope)
    costs = [float(line.split()[1]) for line in capsys.readouterr().out.splitlines()]
    assert costs == sorted(costs, reverse=True)
    exec(second, scope)
    assert np.shape(scope["codes"]) == (20, 100)
