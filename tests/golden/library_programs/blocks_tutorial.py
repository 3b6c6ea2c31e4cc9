"""The tutorial of Blocks, on a stream of Fuel's: a classifier with weight decay, then an autoencoder; logs of both."""

import json
from collections import OrderedDict

import numpy as np
import theano
from blocks.algorithms import AdaDelta, GradientDescent, Scale
from blocks.bricks import MLP, Linear, Logistic, Rectifier, Softmax, Tanh
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
labels = (pictures[:, :8].sum(axis=1) > pictures[:, 8:].sum(axis=1)).astype("int64")[:, None]


def stream(scheme, part):
    both = OrderedDict([("features", pictures[part]), ("targets", labels[part])])
    dataset = IndexableDataset(both, axis_labels=None)
    examples = {"rng": np.random.RandomState(3)} if scheme is ShuffledScheme else {}
    return DataStream(dataset, iteration_scheme=scheme(dataset.num_examples, batch_size=8, **examples))


train, test = slice(0, 32), slice(32, 40)
figures = {}

x, y = tensor.matrix("features"), tensor.lmatrix("targets")
input_to_hidden = Linear(name="input_to_hidden", input_dim=16, output_dim=10)
h = Rectifier().apply(input_to_hidden.apply(x))
hidden_to_output = Linear(name="hidden_to_output", input_dim=10, output_dim=2)
y_hat = Softmax().apply(hidden_to_output.apply(h))
cost = CategoricalCrossEntropy().apply(y.flatten(), y_hat)
errors = MisclassificationRate().apply(y.flatten(), y_hat)
cg = ComputationGraph(cost)
W1, W2 = VariableFilter(roles=[WEIGHT])(cg.variables)
cost = cost + 0.005 * (W1**2).sum() + 0.005 * (W2**2).sum()
cost.name = "cost_with_regularization"
errors.name = "errors"
for number, brick in enumerate((input_to_hidden, hidden_to_output)):
    brick.weights_init, brick.biases_init = IsotropicGaussian(0.1), Constant(0)
    brick.rng = np.random.RandomState(number)
    brick.initialize()
cg = ComputationGraph(cost)
algorithm = GradientDescent(cost=cost, parameters=cg.parameters, step_rule=Scale(learning_rate=0.1))
monitor = DataStreamMonitoring(variables=[cost, errors], data_stream=stream(SequentialScheme, test), prefix="test")
loop = MainLoop(
    model=Model(cost),
    data_stream=stream(ShuffledScheme, train),
    algorithm=algorithm,
    extensions=[monitor, TrainingDataMonitoring([cost], prefix="train", after_epoch=True), FinishAfter(after_n_epochs=2)],
)
loop.run()
figures["filtered"] = sorted(v.name for v in cg.variables if v.name)
figures["classifier"] = [
    float(row[k]) for _, row in sorted(loop.log.items()) for k in sorted(row) if "cost" in k or "errors" in k
]

x = tensor.matrix("features")
mlp = MLP([Tanh(), Logistic()], [16, 5, 16], weights_init=IsotropicGaussian(0.1), biases_init=Constant(0), seed=5)
mlp.initialize()
cost = BinaryCrossEntropy().apply(x, mlp.apply(x))
cost.name = "cost"
cg = ComputationGraph(cost)
noisy = apply_dropout(cg, VariableFilter(roles=[INPUT], bricks=mlp.linear_transformations[1:])(cg.variables), 0.2, seed=6)
algorithm = GradientDescent(cost=noisy.outputs[0], parameters=cg.parameters, step_rule=AdaDelta(), on_unused_sources="ignore")
monitor = DataStreamMonitoring([cost], stream(SequentialScheme, test), prefix="test")
loop = MainLoop(
    data_stream=stream(SequentialScheme, train), algorithm=algorithm, extensions=[monitor, FinishAfter(after_n_epochs=2)]
)
loop.run()
figures["autoencoder"] = [float(row["test_cost"]) for _, row in sorted(loop.log.items()) if "test_cost" in row]
print(json.dumps(figures))
