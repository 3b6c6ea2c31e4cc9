"""Branches of which one must not be computed, which real Theano and symae.theano are both asked for. Runs on Python 3.8 too.

Each case takes the module ``theano`` and returns what calls of its function give; an error is represented by its name.
"""

import contextlib
import io

import numpy as np

NONE, TWO = np.empty(0), np.array([2.0, 3.0])


def _ifelse(theano):
    return __import__(theano.__name__ + ".ifelse", fromlist=["ifelse"]).ifelse


def _zero(T):
    return T.constant(np.float64(0.0))


def _asked(f, *calls):
    """Return what `f` gives for each of the `calls`."""
    results = []
    for arguments in calls:
        try:
            found = f(*arguments)
        except Exception as error:
            # symae's own are of Theano's kinds
            results.append(next(c.__name__ for c in type(error).__mro__ if not c.__module__.startswith("symae")))
        else:
            results.append([np.asarray(v).tolist() for v in found] if isinstance(found, list) else np.asarray(found).tolist())
    return results


def _counted(theano, T):
    """Make an operation of a script's own, and the list of its calls."""
    calls = []

    @theano.compile.ops.as_op(itypes=[T.dvector], otypes=[T.dscalar])
    def total(v):
        calls.append(len(v))
        return np.asarray(v.sum())

    return total, calls


def index_of_an_empty_vector(theano, T):
    c, x = T.iscalar("c"), T.dvector("x")
    f = theano.function([c, x], _ifelse(theano)(c, x[0] * 2, x.sum()))
    return _asked(f, (0, NONE), (1, TWO), (1, NONE), (0, TWO), (-1, TWO))


def minibatch_beyond_the_end(theano, T):
    i, data = T.lscalar("i"), theano.shared(np.arange(12.0).reshape(4, 3))
    f = theano.function([i], _ifelse(theano)(T.lt(i, 4), data[i] * 2, data[0] * 0))
    return _asked(f, (0,), (3,), (4,), (9,))


def singular_inverse(theano, T):
    c, A = T.iscalar("c"), T.dmatrix("A")
    inverse = theano.tensor.nlinalg.matrix_inverse(A)
    f = theano.function([c, A], _ifelse(theano)(c, inverse.sum(), A.sum()))
    return _asked(f, (0, np.ones((2, 2))), (1, 2 * np.eye(2)), (1, np.ones((2, 2))))


def branches_swapped(theano, T):
    c, x = T.dscalar("c"), T.dvector("x")
    f = theano.function([c, x], _ifelse(theano)(c, x.sum(), x[0] * 2))
    return _asked(f, (0.5, NONE), (0.0, TWO), (0.0, NONE), (float("nan"), TWO))


def own_operation(theano, T):
    total, calls = _counted(theano, T)
    c, x = T.iscalar("c"), T.dvector("x")
    f = theano.function([c, x], _ifelse(theano)(c, total(x), _zero(T)))
    return [*_asked(f, (0, TWO), (0, NONE), (1, TWO)), len(calls)]


def printing(theano, T):
    c, x = T.iscalar("c"), T.dscalar("x")
    f = theano.function([c, x], _ifelse(theano)(c, theano.printing.Print("taken")(x) * 2, x))
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        results = _asked(f, (0, 1.0), (1, 1.0), (0, 2.0))
    return [*results, said.getvalue()]


def nested(theano, T):
    c, d, x = T.iscalar("c"), T.iscalar("d"), T.dvector("x")
    ifelse = _ifelse(theano)
    f = theano.function([c, d, x], ifelse(c, ifelse(d, x[0] * 2, x.sum()), ifelse(d, x[1] * 3, x.sum() + 1)))
    return _asked(f, (0, 0, NONE), (1, 0, NONE), (0, 1, TWO), (1, 1, TWO), (1, 1, NONE), (0, 1, TWO[:1]))


def several_outputs(theano, T):
    c, x = T.iscalar("c"), T.dvector("x")
    a, b = _ifelse(theano)(c, [x[0], x * 2], [x.sum(), x])
    f = theano.function([c, x], [a, b])
    return _asked(f, (0, NONE), (1, TWO), (1, NONE))


def shared_by_two_conditions(theano, T):
    total, calls = _counted(theano, T)
    c, d, x = T.iscalar("c"), T.iscalar("d"), T.dvector("x")
    ifelse, both = _ifelse(theano), total(x) / x[0]
    f = theano.function([c, d, x], [ifelse(c, both, _zero(T)), ifelse(d, both + 1, _zero(T))])
    return [*_asked(f, (0, 0, NONE)), len(calls), *_asked(f, (1, 0, TWO), (0, 1, TWO))]


def shared_by_one_condition(theano, T):
    total, calls = _counted(theano, T)
    c, x = T.iscalar("c"), T.dvector("x")
    ifelse, both = _ifelse(theano), total(x) / x[0]
    f = theano.function([c, x], [ifelse(c, both, _zero(T)), ifelse(c, both + 1, _zero(T)), ifelse(c, _zero(T), x.sum())])
    return [*_asked(f, (0, NONE), (1, TWO)), len(calls)]


def needed_outside(theano, T):
    total, calls = _counted(theano, T)
    c, x = T.iscalar("c"), T.dvector("x")
    outside = total(x)
    f = theano.function([c, x], [outside, _ifelse(theano)(c, outside / x[0], outside)])
    return [*_asked(f, (0, NONE), (1, TWO)), len(calls)]


def gradient(theano, T):
    c, x = T.iscalar("c"), T.dvector("x")
    y = _ifelse(theano)(c, (x[0] * x).sum(), (x**2).sum())
    f = theano.function([c, x], [y, T.grad(y, x)])
    return _asked(f, (0, TWO), (1, TWO), (1, NONE))


def gradient_of_several_outputs(theano, T):
    c, x = T.iscalar("c"), T.dvector("x")
    a, b = _ifelse(theano)(c, [x[0], x * 2], [x.sum(), x**2])
    f = theano.function([c, x], T.grad(a * b.sum(), x))
    return _asked(f, (0, TWO), (1, TWO))


def gradient_by_a_branch_not_taken(theano, T):
    c, x, w = T.iscalar("c"), T.dvector("x"), T.dscalar("w")
    y = _ifelse(theano)(c, x[0] * w, w**2)
    f = theano.function([c, x, w], [y, T.grad(y, w)])
    return _asked(f, (1, TWO, 3.0), (0, TWO, 3.0))


def updates(theano, T):
    c, x, s = T.iscalar("c"), T.dvector("x"), theano.shared(np.zeros(2))
    f = theano.function([c, x], [], updates=[(s, _ifelse(theano)(c, s + x[0] * x, s))])
    results = _asked(f, (1, TWO), (0, NONE), (1, TWO))
    return [*results, s.get_value().tolist()]


def values_that_stay(theano, T):
    c, s = T.iscalar("c"), theano.shared(np.arange(4.0).reshape(2, 2))
    f = theano.function([c], [_ifelse(theano)(c, s.T, s), s * 2], updates=[(s, s + 1)])
    first = f(1)
    before = [v.tolist() for v in first]
    f(0)
    return [before, [v.tolist() for v in first], s.get_value().tolist()]


def within_a_loop(theano, T):
    x = T.dvector("x")
    loop, _ = theano.scan(
        lambda i, v: _ifelse(theano)(T.lt(i, v.shape[0]), v[i] * 2, T.constant(np.float64(-1.0))),
        sequences=T.arange(4),
        non_sequences=x,
    )
    f = theano.function([x], loop)
    return _asked(f, (TWO,), (NONE,))


def a_loop_in_a_branch(theano, T):
    total, calls = _counted(theano, T)
    c, x = T.iscalar("c"), T.dvector("x")
    loop, _ = theano.scan(lambda i, v: v[i] * total(v), sequences=T.arange(3), non_sequences=x)
    f = theano.function([c, x], _ifelse(theano)(c, loop.sum(), x.sum()))
    return [*_asked(f, (0, NONE), (0, TWO)), len(calls), *_asked(f, (1, np.ones(3)), (1, TWO))]


def draws_in_a_branch(theano, T):
    streams = __import__(theano.__name__ + ".tensor.shared_randomstreams", fromlist=["RandomStreams"]).RandomStreams(3)
    c = T.iscalar("c")
    f = theano.function([c], _ifelse(theano)(c, streams.uniform(()), streams.normal(()) + 10))
    return _asked(f, (1,), (0,), (1,), (0,))


CASES = {
    case.__name__: case
    for case in (
        index_of_an_empty_vector,
        minibatch_beyond_the_end,
        singular_inverse,
        branches_swapped,
        own_operation,
        printing,
        nested,
        several_outputs,
        shared_by_two_conditions,
        shared_by_one_condition,
        needed_outside,
        gradient,
        gradient_of_several_outputs,
        gradient_by_a_branch_not_taken,
        updates,
        values_that_stay,
        within_a_loop,
        a_loop_in_a_branch,
        draws_in_a_branch,
    )
}


def evaluate(theano, name):
    return CASES[name](theano, theano.tensor)
