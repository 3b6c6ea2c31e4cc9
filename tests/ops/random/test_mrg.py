"""MRG31k3p: the recurrences as they are published, and kernels that follow them in all bits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symae.errors import InputError
from symae.ops.random.mrg import MRGUniform
from symae.ops.random.mrg_states import M1, M2, next_stream, seed_state, substreams


def step(state):
    """One step of the published recurrences in Python's integers: the new state and its number, from 1 to 2^31 - 1."""
    x1, x2, x3, y1, y2, y3 = state
    x = (2**22 * x2 + (2**7 + 1) * x3) % M1
    y = (2**15 * y1 + (2**15 + 1) * y3) % M2
    return [x, x1, x2, y, y1, y2], (x - y if x > y else x - y + M1)


def drawn(states, count, dtype):
    states, numbers = [list(map(int, s)) for s in states], []
    for i in range(count):
        states[i % len(states)], z = step(states[i % len(states)])
        numbers.append(z)
    norm = 2.0**-31 if dtype == "float64" else np.float32(float.fromhex("0x1.fffffep-32"))
    return states, np.array(numbers).astype(dtype) * norm


def performed(states, count, dtype):
    outputs = [[None], [None]]
    op, zero, one = MRGUniform(dtype, 1), np.array(0, dtype), np.array(1, dtype)
    op.perform(None, [np.array(states, np.int32), np.array(count), zero, one], outputs)
    return outputs[0][0], outputs[1][0]


words = st.tuples(*[st.integers(1, M1 - 1)] * 3, *[st.integers(1, M2 - 1)] * 3)


@settings(max_examples=30)
@given(streams=st.integers(1, 600), count=st.integers(0, 1500), seed=words, dtype=st.sampled_from(["float32", "float64"]))
def test_the_kernel_follows_the_recurrences_for_any_number_of_streams(streams, count, seed, dtype):
    states = substreams(seed_state(seed), streams)
    after, numbers = drawn(states, count, dtype)
    got_states, got = performed(states, count, dtype)
    np.testing.assert_array_equal(got, numbers)
    np.testing.assert_array_equal(got_states, after)


def state_before(x, y):
    """Return a state whose next step gives these new words."""
    x2, y1 = 123456789, 987654321
    x3 = (x - 2**22 * x2) * pow(129, -1, M1) % M1
    y3 = (y - 2**15 * y1) * pow(32769, -1, M2) % M2
    return [7, x2, x3, y1, 5, y3]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("x", "y"), [(0, 0), (0, 1), (1, 0), (5, 5), (M1 - 1, 0), (M1 - 65, 0), (0, M2 - 1), (1, M2 - 1)])
@pytest.mark.parametrize("streams", [1, 40])  # streams one by one, and side by side
def test_numbers_are_neither_0_nor_1_at_the_ends_of_the_range(x, y, streams, dtype):
    states = [state_before(x, y)] * streams
    after, numbers = drawn(states, streams, dtype)
    got_states, got = performed(states, streams, dtype)
    assert after[0][0] == x
    assert after[0][3] == y
    assert 0 < got.min() <= got.max() < 1
    np.testing.assert_array_equal(got, numbers)
    np.testing.assert_array_equal(got_states, after)


@pytest.mark.parametrize("part", [slice(0, 3), slice(3, 6)])
def test_skipping_ahead_is_as_many_steps_as_it_says(part):
    # 2^72 steps 2^62 times are 2^134 steps
    m = (M1, M2)[part.start // 3]
    units = [seed_state([1] * part.start + row + [1] * (3 - part.start)) for row in np.eye(3, dtype=int).tolist()]
    substream = np.array([substreams(unit, 2)[1][part] for unit in units]).T.astype(object)
    stream = np.array([next_stream(unit)[part] for unit in units]).T.astype(object)
    for _ in range(62):
        substream = substream.dot(substream) % m
    np.testing.assert_array_equal(substream, stream)
    single = np.array([step(unit.tolist())[0][part] for unit in units]).T.astype(object)
    for _ in range(134):
        single = single.dot(single) % m
    np.testing.assert_array_equal(single, stream)


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        (0, "a number other than 0 among the first three"),
        ([1, 1, 1, 0, 0, 0], "a number other than 0 among the last three"),
        (M2, f"numbers below {M2} as the last three"),
        ([M1, 1, 1, 1, 1, 1], f"numbers below {M1} as the first three"),
        ([1, 2, 3], "an int, or six of them"),
        (1.5, "an int, or six of them"),
        (-1, "no negative number"),
    ],
)
def test_seeds_that_the_generator_cannot_start_from_are_refused(seed, message):
    with pytest.raises(InputError, match=message):
        seed_state(seed)
