"""Loops over random draws and counters that real Theano and symae.theano are both asked for. Runs on Python 3.8 too.

Each case takes the module ``theano`` and returns what three calls of its function give, and the number of updates of the loop.
"""

import numpy as np

N_CALLS = 3


def _streams(theano, kind, seed=7):
    if kind == "mrg":
        from_sandbox = __import__(theano.__name__ + ".sandbox.rng_mrg", fromlist=["MRG_RandomStreams"])
        return from_sandbox.MRG_RandomStreams(seed)
    return __import__(theano.__name__ + ".tensor.shared_randomstreams", fromlist=["RandomStreams"]).RandomStreams(seed)


def _called(f, *args):
    results = []
    for _ in range(N_CALLS):
        result = f(*args)
        parts = result if isinstance(result, list) else [result]
        results.append([np.asarray(part).tolist() for part in parts])
    return results


def _counter(theano, step=1.0):
    counter = theano.shared(np.float64(0.0), name="counter")
    counter.default_update = counter + step
    return counter


def closure_draw(theano, T, kind, keep):
    draw = _streams(theano, kind).uniform(size=(2,))
    outputs, updates = theano.scan(lambda: draw * 10, n_steps=3)
    return len(updates), _called(theano.function([], outputs, updates=updates if keep else None))


def inner_draw(theano, T, kind, keep):
    streams = _streams(theano, kind)
    outputs, updates = theano.scan(lambda: streams.uniform(size=(2,)) * 10, n_steps=3)
    return len(updates), _called(theano.function([], outputs, updates=updates if keep else None))


def expression_of_a_draw(theano, T, kind, keep):
    streams = _streams(theano, kind)
    noise = T.exp(streams.normal(size=(2,))) + streams.uniform(size=(2,))
    outputs, updates = theano.scan(lambda x: x * noise, sequences=T.arange(3.0) + 1)
    return len(updates), _called(theano.function([], outputs, updates=updates if keep else None))


def draw_as_argument(theano, T, kind, keep):
    draw = _streams(theano, kind).uniform(size=(2,))
    outputs, updates = theano.scan(lambda d: d * 10, non_sequences=draw, n_steps=3)
    return len(updates), _called(theano.function([], outputs, updates=updates if keep else None))


def draw_and_its_expression(theano, T, kind, keep):
    # an argument is drawn once; what the function closes over is drawn in each step
    draw = _streams(theano, kind).uniform(size=(2,))
    closed = draw + 1
    outputs, updates = theano.scan(lambda d: d + closed, non_sequences=draw, n_steps=3)
    return len(updates), _called(theano.function([], outputs, updates=updates if keep else None))


def with_state(theano, T, kind, keep):
    draw = _streams(theano, kind).uniform(size=(2,))
    outputs, updates = theano.scan(lambda h: 0.5 * h + draw, outputs_info=T.zeros((2,)), n_steps=3)
    return len(updates), _called(theano.function([], [outputs, draw], updates=updates if keep else None))


def with_gradient(theano, T, kind, keep):
    w = theano.shared(np.float64(0.5))
    draw = _streams(theano, kind).uniform(size=())
    outputs, updates = theano.scan(lambda h: w * h + draw, outputs_info=np.float64(1.0), n_steps=3)
    cost = outputs[-1]
    return len(updates), _called(theano.function([], [cost, T.grad(cost, w)], updates=updates if keep else None))


def with_explicit_update(theano, T, kind, keep):
    draw = _streams(theano, kind).uniform(size=())
    other = theano.shared(np.float64(1.0))
    outputs, updates = theano.scan(lambda: (draw + other, {other: other * 2}), n_steps=2)
    return len(updates), _called(theano.function([], outputs, updates=updates if keep else None))


def until_a_draw(theano, T, kind, keep):
    draw = _streams(theano, kind).uniform(size=())
    outputs, updates = theano.scan(lambda: (draw, theano.scan_module.until(draw > 0.8)), n_steps=20)
    return len(updates), _called(theano.function([], outputs, updates=updates if keep else None))


def one_step(theano, T, kind, keep):
    draw = _streams(theano, kind).uniform(size=(2,))
    outputs, updates = theano.scan(lambda: draw * 10, n_steps=1)
    return len(updates), _called(theano.function([], outputs, updates=updates if keep else None))


def steps_of_a_variable(theano, T, kind, keep):
    n = T.iscalar("n")
    draw = _streams(theano, kind).uniform(size=(2,))
    outputs, updates = theano.scan(lambda: draw * 10, n_steps=n)
    f = theano.function([n], outputs, updates=updates if keep else None)
    return len(updates), [np.asarray(f(k)).tolist() for k in (1, 3, 2, 1)]


def mapped(theano, T, kind, keep):
    draw = _streams(theano, kind).uniform(size=())
    outputs, updates = theano.map(lambda x: x + draw, T.arange(3.0))
    return len(updates), _called(theano.function([], outputs, updates=updates if keep else None))


def reduced(theano, T, kind, keep):
    draw = _streams(theano, kind).uniform(size=())
    results = [
        loop(lambda x, before: before * 0.5 + x * draw, T.arange(3.0) + 1, np.float64(0.0))
        for loop in (theano.reduce, theano.foldl, theano.foldr)
    ]
    outputs = [output for output, _ in results]
    # each of the loops has its own end of the same stream
    return [len(updates) for _, updates in results], _called(
        theano.function([], outputs, updates=results[1][1] if keep else None)
    )


def nested(theano, T, kind, keep):
    draw = _streams(theano, kind).uniform(size=())

    def outer(x):
        inner, updates = theano.scan(lambda y: y + draw, sequences=T.arange(2.0))
        return (inner + x, updates) if keep else inner + x

    outputs, updates = theano.scan(outer, sequences=T.arange(3.0) * 10)
    return len(updates), _called(theano.function([], outputs, updates=updates if keep else None))


def nested_with_a_draw_of_the_outer(theano, T, kind, keep):
    draw = _streams(theano, kind).uniform(size=())

    def outer(x):
        here = draw * 100
        inner, updates = theano.scan(lambda y: y + here, sequences=T.arange(2.0))
        return (inner + x, updates) if keep else inner + x

    outputs, updates = theano.scan(outer, sequences=T.arange(3.0) * 10)
    return len(updates), _called(theano.function([], outputs, updates=updates if keep else None))


def counter_in_a_closure(theano, T, kind, keep):
    counter = _counter(theano)
    outputs, updates = theano.scan(lambda x: x + counter, sequences=T.arange(3.0) * 10)
    f = theano.function([], outputs, updates=updates if keep else None)
    results = _called(f)
    return len(updates), [results, float(counter.get_value())]


def counter_of_a_counter(theano, T, kind, keep):
    first = _counter(theano)
    second = theano.shared(np.float64(1.0))
    second.default_update = second + first
    outputs, updates = theano.scan(lambda x: x + second, sequences=T.arange(3.0) * 10)
    f = theano.function([], outputs, updates=updates if keep else None)
    results = _called(f)
    return len(updates), [results, float(first.get_value()), float(second.get_value())]


def counter_as_an_argument(theano, T, kind, keep):
    counter = _counter(theano)
    outputs, updates = theano.scan(lambda x, c: x + c, sequences=T.arange(3.0) * 10, non_sequences=counter)
    f = theano.function([], outputs, updates=updates if keep else None)
    results = _called(f)
    return len(updates), [results, float(counter.get_value())]


def counter_in_an_explicit_update(theano, T, kind, keep):
    counter, total = _counter(theano), theano.shared(np.float64(0.0))
    outputs, updates = theano.scan(lambda x: (x + total, {total: total + counter}), sequences=T.arange(3.0) * 10)
    f = theano.function([], outputs, updates=updates if keep else None)
    results = _called(f)
    return len(updates), [results, float(counter.get_value()), float(total.get_value())]


def counter_with_its_own_update(theano, T, kind, keep):
    counter = _counter(theano)
    outputs, updates = theano.scan(lambda x: (x + counter, {counter: counter * 2 + 1}), sequences=T.arange(3.0) * 10)
    f = theano.function([], outputs, updates=updates if keep else None)
    results = _called(f)
    return len(updates), [results, float(counter.get_value())]


def updates_without_outputs(theano, T, kind, keep):
    counter, total = _counter(theano), theano.shared(np.float64(0.0))
    outputs, updates = theano.scan(lambda x: {total: total + counter * x}, sequences=T.arange(3.0) + 1)
    f = theano.function([], [], updates=updates)
    f()
    f()
    return len(updates), [outputs is None, float(counter.get_value()), float(total.get_value())]


def beside_the_loop(theano, T, kind, keep):
    counter = _counter(theano)
    outputs, updates = theano.scan(lambda x: x + counter, sequences=T.arange(3.0) * 10)
    f = theano.function([], [outputs, counter * 1.0], updates=updates if keep else None)
    results = _called(f)
    return len(updates), [results, float(counter.get_value())]


def no_default_updates(theano, T, kind, keep):
    counter = _counter(theano)
    outputs, updates = theano.scan(lambda x: x + counter, sequences=T.arange(3.0) * 10)
    f = theano.function([], outputs, updates=updates if keep else None, no_default_updates=True)
    results = _called(f)
    return len(updates), [results, float(counter.get_value())]


def evaluated(theano, T, kind, keep):
    draw = _streams(theano, kind).uniform(size=(2,))
    outputs, updates = theano.scan(lambda: draw * 10, n_steps=3)
    return len(updates), [np.asarray(outputs.eval()).tolist() for _ in range(N_CALLS)]


DRAWS = [
    closure_draw,
    inner_draw,
    expression_of_a_draw,
    draw_as_argument,
    draw_and_its_expression,
    with_state,
    with_gradient,
    with_explicit_update,
    until_a_draw,
    one_step,
    steps_of_a_variable,
    mapped,
    reduced,
    nested,
    nested_with_a_draw_of_the_outer,
    evaluated,
]
COUNTERS = [
    counter_in_a_closure,
    counter_of_a_counter,
    counter_as_an_argument,
    counter_in_an_explicit_update,
    counter_with_its_own_update,
    updates_without_outputs,
    beside_the_loop,
    no_default_updates,
]
KEPT = {"kept": True, "dropped": False}
KINDS = ("numpy", "mrg")
CASES = {f"{case.__name__} {kind} {kept}": (case, kind, KEPT[kept]) for case in DRAWS for kind in KINDS for kept in KEPT}
CASES.update({f"{case.__name__} {kept}": (case, "numpy", KEPT[kept]) for case in COUNTERS for kept in KEPT})


def evaluate(theano, name):
    """Return what the case gives, or the name of the error that it ends with."""
    case, kind, keep = CASES[name]
    try:
        return list(case(theano, theano.tensor, kind, keep))
    except Exception as error:
        return type(error).__name__
