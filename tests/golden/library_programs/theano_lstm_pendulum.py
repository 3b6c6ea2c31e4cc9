"""The README of theano-lstm: stacked LSTM cells that steer a double pendulum; minimised by Adadelta, clipped."""

import json

import numpy as np
import theano
import theano.tensor as T
import theano_lstm
from theano_lstm import LSTM, Layer, StackedCells, create_optimization_updates

M1 = M2 = L1 = L2 = 1.0
G, dt = 9.8, 0.05


def dynamics(x, u):
    dydx = T.alloc(0.0, 4)
    dydx = T.set_subtensor(dydx[0], x[1])
    del_ = x[2] - x[0]
    den1 = (M1 + M2) * L1 - M2 * L1 * T.cos(del_) * T.cos(del_)
    first = (
        M2 * L1 * x[1] * x[1] * T.sin(del_) * T.cos(del_)
        + M2 * G * T.sin(x[2]) * T.cos(del_)
        + M2 * L2 * x[3] * x[3] * T.sin(del_)
        - (M1 + M2) * G * T.sin(x[0])
    )
    dydx = T.set_subtensor(dydx[1], first / den1)
    dydx = T.set_subtensor(dydx[2], x[3])
    den2 = (L2 / L1) * den1
    second = (
        -M2 * L2 * x[3] * x[3] * T.sin(del_) * T.cos(del_)
        + (M1 + M2) * G * T.sin(x[0]) * T.cos(del_)
        - (M1 + M2) * L1 * x[1] * x[1] * T.sin(del_)
        - (M1 + M2) * G * T.sin(x[2])
    )
    dydx = T.set_subtensor(dydx[3], second / den2 + u)
    return x + dydx * dt


np.random.seed(3)
if hasattr(theano_lstm, "srng"):
    theano_lstm.srng.seed(5)
model = StackedCells(4, layers=[5, 5], activation=T.tanh, celltype=LSTM)
model.layers[0].in_gate2.activation = lambda x: x
model.layers.append(Layer(5, 1, lambda x: 0.1 * x[0]))


def step(x, *prev_hiddens):
    new_states = model.forward(x, prev_hiddens)
    return [dynamics(x, new_states[-1]), *new_states[:-1]]


initial_obs, target = T.vector(), T.vector()
timesteps = T.iscalar()
result, updates = theano.scan(
    step,
    n_steps=timesteps,
    outputs_info=[{"initial": initial_obs, "taps": [-1]}]
    + [
        {"initial": layer.initial_hidden_state, "taps": [-1]}
        for layer in model.layers
        if hasattr(layer, "initial_hidden_state")
    ],
)
cost = (result[0][:, [0, 2]] - target[[0, 2]]).norm(L=2) / timesteps
updates, gsums, xsums, lr, max_norm = create_optimization_updates(cost, model.params, method="adadelta")
update_fun = theano.function(
    [initial_obs, target, timesteps], cost, updates=updates, allow_input_downcast=True, on_unused_input="ignore"
)
predict_fun = theano.function([initial_obs, timesteps], result[0], allow_input_downcast=True)

start, goal = np.array([0.3, 0.0, -0.2, 0.1]), np.zeros(4)
costs = [float(update_fun(start, goal, 6)) for _ in range(4)]
print(json.dumps({"costs": costs, "way": np.ravel(predict_fun(start, 6)).tolist()}))
