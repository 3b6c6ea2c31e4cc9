"""Gradients against finite differences."""
import numpy as np
import theano
import theano.tensor as T
from theano.tests import unittest_tools as utt
from theano.gradient import verify_grad

rng = np.random.RandomState(utt.fetch_seed(666))
utt.seed_rng()
utt.verify_grad(lambda x: T.tanh(x) ** 2, [rng.normal(size=(2, 3))], rng=rng)
T.verify_grad(T.exp, [np.array([0.5, 1.])], rng=np.random.RandomState(1))
verify_grad(lambda a, b: T.dot(a, b), [rng.rand(2, 3), rng.rand(3, 2)], n_tests=1, rng=rng)


class Wrong(theano.Op):
    __props__ = ()

    def make_node(self, x):
        return theano.Apply(self, [T.as_tensor_variable(x)], [T.as_tensor_variable(x).type()])

    def perform(self, node, inputs, outputs):
        outputs[0][0] = inputs[0] ** 2

    def grad(self, inputs, gradients):
        return [gradients[0] * inputs[0]]


try:
    verify_grad(Wrong(), [np.array([1., 2.])], rng=rng)
except T.verify_grad.E_grad as error:
    print('found')
utt.assert_allclose(np.array([1., 2.]), np.array([1., 2. + 1e-9]))
try:
    utt.assert_allclose(np.array([1., 2.]), np.array([1., 2.1]))
except utt.WrongValue:
    print('not close')
print('checked')
