"""theano-lstm steers a spring to rest: StackedCells in a scan and create_optimization_updates, as in its README."""

import json

import numpy as np
import theano
import theano.tensor as T
import theano_lstm

STIFFNESS, DAMPING, TICK = 4.0, 0.1, 0.1


def moved(state, force):
    """Return place and speed of the spring after a tick."""
    place, speed = state[0], state[1]
    return T.stack([place + TICK * speed, speed + TICK * (force - STIFFNESS * place - DAMPING * speed)])


np.random.seed(3)
if hasattr(theano_lstm, "srng"):
    theano_lstm.srng.seed(5)
controller = theano_lstm.StackedCells(2, celltype=theano_lstm.LSTM, layers=[5, 4], activation=T.tanh)
controller.layers.append(theano_lstm.Layer(4, 1, T.tanh))
memories = [cell.initial_hidden_state for cell in controller.layers if hasattr(cell, "initial_hidden_state")]


def tick(state, *memory):
    *remembered, force = controller.forward(state, memory)
    return [moved(state, 3 * force[0]), *remembered]


start, length = T.vector("start"), T.iscalar("length")
(states, *_), _ = theano.scan(tick, outputs_info=[start, *memories], n_steps=length)
unrest = T.sqr(states).sum(axis=1).mean()
updates = theano_lstm.create_optimization_updates(unrest, controller.params, method="adadelta")[0]
train = theano.function([start, length], [unrest, states], updates=updates, on_unused_input="ignore")
steps = [train(np.array([0.5, -1.0]), 7) for _ in range(4)]
print(json.dumps({"unrest": [float(value) for value, _ in steps], "way": steps[-1][1].ravel().tolist()}))
