"""Blocks on streams of Fuel: an autoencoder with dropout, a classifier with weight decay, of its tutorial's bricks."""

import json
from collections import OrderedDict

import numpy as np
import theano
from blocks.algorithms import AdaDelta, GradientDescent, Scale
from blocks.bricks import MLP, Linear, Logistic, Rectifier, Sequence, Softmax, Tanh
from blocks.bricks.cost import BinaryCrossEntropy, CategoricalCrossEntropy, MisclassificationRate
from blocks.extensions import FinishAfter
from blocks.extensions.monitoring import DataStreamMonitoring, TrainingDataMonitoring
from blocks.filter import VariableFilter
from blocks.graph import ComputationGraph, apply_dropout
from blocks.initialization import Constant, IsotropicGaussian
from blocks.main_loop import MainLoop
from blocks.model import Model
from blocks.roles import INPUT, WEIGHT
from fuel.datasets import IndexableDataset
from fuel.schemes import SequentialScheme, ShuffledScheme
from fuel.streams import DataStream
from theano import tensor

rng = np.random.RandomState(0)
pictures = rng.uniform(size=(40, 16)).astype(theano.config.floatX)
halves = pictures.reshape(40, 2, 8).sum(axis=2)
EXAMPLES = OrderedDict([("pictures", pictures), ("brighter", halves.argmax(axis=1)[:, None])])
SMALL = {"weights_init": IsotropicGaussian(0.2), "biases_init": Constant(0.05)}


def stream(begin, end, shuffled=False):
    """Return the examples from `begin` to `end` in minibatches of eight."""
    part = IndexableDataset(OrderedDict((name, values[begin:end]) for name, values in EXAMPLES.items()))
    scheme = ShuffledScheme(end - begin, 8, rng=np.random.RandomState(3)) if shuffled else SequentialScheme(end - begin, 8)
    return DataStream(part, iteration_scheme=scheme)


def logged(cost, algorithm, *watched, shuffled=False):
    """Train for two epochs; return what the log says of `watched`, in validation, and of the cost, in training."""
    extensions = [
        DataStreamMonitoring(list(watched), stream(32, 40), prefix="valid"),
        TrainingDataMonitoring([cost], prefix="seen", after_epoch=True),
        FinishAfter(after_n_epochs=2),
    ]
    loop = MainLoop(algorithm, stream(0, 32, shuffled), Model(cost), extensions=extensions)
    loop.run()
    rows = [row for _, row in sorted(loop.log.items())]
    return [float(row[key]) for row in rows for key in sorted(row) if key.startswith(("valid_", "seen_"))]


x, brighter = tensor.matrix("pictures"), tensor.lmatrix("brighter")
figures = {}

net = MLP([Tanh(), Logistic()], [16, 5, 16], seed=5, **SMALL)
net.initialize()
clean = BinaryCrossEntropy().apply(x, net.apply(x))
clean.name = "nats"
graph = ComputationGraph(clean)
codes = VariableFilter(roles=[INPUT], bricks=[net.linear_transformations[1]])(graph.variables)
(noisy,) = apply_dropout(graph, codes, 0.2, seed=6).outputs
noisy.name = "noisy"
descent = GradientDescent(cost=noisy, parameters=graph.parameters, step_rule=AdaDelta(), on_unused_sources="ignore")
figures["autoencoder"] = logged(noisy, descent, clean)

layers = [Linear(16, 7, name="features", seed=1, **SMALL), Rectifier(), Linear(7, 2, name="classes", seed=2, **SMALL)]
net = Sequence([layer.apply for layer in layers])
net.initialize()
classes = Softmax().apply(net.apply(x))
fault = CategoricalCrossEntropy().apply(brighter.flatten(), classes)
decay = sum(tensor.sqr(W).sum() for W in VariableFilter(roles=[WEIGHT])(ComputationGraph(fault).variables))
cost = fault + 0.01 * decay
cost.name = "decayed"
wrong = MisclassificationRate().apply(brighter.flatten(), classes)
wrong.name = "wrong"
graph = ComputationGraph(cost)
descent = GradientDescent(cost=cost, parameters=graph.parameters, step_rule=Scale(learning_rate=0.3))
figures["classifier"] = logged(cost, descent, cost, wrong, shuffled=True)
figures["named"] = sorted(v.name for v in graph.variables if v.name)
print(json.dumps(figures))
