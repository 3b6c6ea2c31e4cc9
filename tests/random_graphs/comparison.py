"""Whether two outcomes of a program are the same, and if not, whether the difference would be noticed.

Kinds: "same"; "known: …" with the reason, from the tables below; "loud", an exception where the oracle has values; "kind", an
exception of another kind; "silent", other values, dtypes or shapes, or values where the oracle raises.
"""

import numpy as np

# Absolute, of the largest number of an array, and relative.
TOLERANCES = {"float64": (1e-9, 1e-8), "float32": (2e-5, 2e-4)}

# Exceptions that say the same mistake in PyTensor's or symae's way.
ALIKE = {"ValueError", "AssertionError", "LinAlgError", "TypeError", "RuntimeError"}

# What Theano refuses as a graph, whatever the values, and symae.theano takes: words of Theano's exception, and the reason. The
# oracle is then symae.theano's own FAST_COMPILE.
THEANO_REFUSES = (
    ("NullTypeGradError", "a gradient that Theano lacks: of images2neibs in some modes, of scans by what is drawn in them"),
    ("MethodNotDefined: ('grad'", "a gradient that Theano lacks: of ultra_fast_sigmoid"),
    ("object has no attribute 'grad'", "a gradient that Theano lacks: of parts of sparse matrices"),
    ("NotImplementedError: ", "a gradient that Theano lacks: of repeat by a vector, of average pooling with padding"),
    ("Inconsistency in the inner graph of scan", "a scan whose state broadcasts and becomes one that does not"),
    ("is inconsistent with the one provided in `output_info`", "a scan whose state broadcasts and becomes one that does not"),
    ("You cannot drop a non-broadcastable dimension", "an index by vectors that broadcast"),
    ("integer vector required for argument: true_one_of_n", "labels whose dimension broadcasts"),
    ("too many values to unpack", "sigmoid_binary_crossentropy of other than two dimensions"),
    ("The specified size contains a dimension with value <= 0", "draws of no numbers"),
    ("new_order[0] is", "an assignment by a vector of numbers that broadcasts, where Theano fails"),
    ("AllocDiag", "the gradient of a diagonal of a matrix that is not square, where Theano fails"),
    ("Theano optimization failed: there is no implementation", "a convolution that Theano has only in C"),
    ("Absent", "an operation of symae.ops that Theano lacks"),
)

# What symae computes otherwise than Theano's FAST_COMPILE: (operations of the program, words of Theano's exception or None
# where it has values, reason).
KNOWN = (
    (
        {"reshape_to"},
        "Cannot reshape input of shape",
        "a vector reshaped to a vector stays as it is when it is rewritten, also in Theano's FAST_RUN",
    ),
    (
        {"write"},
        "could not be broadcast together with shapes (0,)",
        "JAX writes nothing to an empty slice, and does not ask what",
    ),
    (
        {"softmax_with_bias", "likelihood"},
        None,
        "Theano rewrites log(softmax_with_bias(x, b))[arange(n), y] to a cost of x alone: the bias is lost",
    ),
)


def refused(expected):
    """Why the oracle says nothing about a program; None if it does."""
    if expected[0] == "values" or (expected[2] == "call" and "AllocDiag" not in expected[3]):
        return None
    return next((reason for words, reason in THEANO_REFUSES if words in expected[3]), None)


def difference(program, expected, ours, found):
    """Return how `found` differs from `expected`, or from `ours` where Theano refuses the graph: the kind, and what it is."""
    reason = refused(expected)
    if reason is None:
        return _difference(program, expected, found)
    if ours is not None and ours[0] == "values":
        kind, text = _difference(program, ours, found)
        return ("known: " + reason, "") if kind == "same" else (kind, text)
    return "known: " + reason, ""


def _difference(program, expected, found):
    if expected[0] == found[0] == "values":
        text = values_differ(program, expected[1], found[1])
        if text is not None and "dtype" in text and "gradient" in text:
            return "known: a gradient is of the dtype of what it is by; Theano's sometimes of another float dtype", text
        known = _known(program, None)
        return ("same", "") if text is None else (known, text) if known else ("silent", text)
    if expected[0] == "values":
        return "loud: " + found[1], found[3][:160]
    if found[0] == "values":
        text = f"values for {expected[1:]}"
        known = _known(program, expected[3])
        return (known, text) if known else ("silent", text)
    kinds, wanted = set(found[1].split(" or ")), set(expected[1].split(" or "))
    if kinds & wanted or (kinds & ALIKE and wanted & ALIKE):
        return "same", ""
    return f"kind: {found[1]} for {expected[1]}", f"{found[3][:120]} | {expected[3][:120]}"


def _known(program, message):
    operations = {step["op"] for step in program["steps"]}
    for needed, words, reason in KNOWN:
        if needed <= operations and (message is None) == (words is None) and (words is None or words in message):
            return "known: " + reason
    return None


def _tolerance(program, *arrays):
    """Return the tolerance of the least precise numbers that take part: float32 leaves reach results of float64."""
    single = '"float32"' in str(program).replace("'", '"') or any(a.dtype == np.float32 for a in arrays)
    return TOLERANCES["float32" if single else "float64"]


def values_differ(program, expected, found):
    """Return what differs between the results of all calls, as text; None if nothing does."""
    gradients = len(program.get("gradient", ()))
    for call, (one, other) in enumerate(zip(expected, found)):
        if len(one) != len(other):
            return "%d results for %d" % (len(other), len(one))
        texts = [
            _arrays_differ(program, a, b, "%s %d of call %d" % ("gradient" if i >= len(one) - gradients else "result", i, call))
            for i, (a, b) in enumerate(zip(one, other))
        ]
        # of several differences first one that is not only a gradient's dtype
        texts = sorted((t for t in texts if t is not None), key=lambda t: "dtype" in t and "gradient" in t)
        if texts:
            return texts[0]
    return None


def _arrays_differ(program, a, b, where):
    if a.shape != b.shape:
        return f"{where}: shape {b.shape} for {a.shape}"
    absolute, relative = _tolerance(program, a, b)
    if a.dtype.kind in "fc":
        finite = a[np.isfinite(a)]
        largest = max(1.0, float(abs(finite).max()) if finite.size else 1.0)
        same = np.allclose(b, a, rtol=relative, atol=absolute * largest, equal_nan=True)
    else:
        same = np.array_equal(a, b)
    if not same:
        return f"{where}: values {b.ravel()[:6].tolist()} for {a.ravel()[:6].tolist()}"
    return None if a.dtype == b.dtype else f"{where}: dtype {b.dtype} for {a.dtype}"
