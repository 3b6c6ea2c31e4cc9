import numpy as np
import pytest

from symae._runtime.checks import as_numbers, checked_counts, finite, flag, integer, is_finite, is_integer, pair
from symae.errors import InputError


@pytest.mark.parametrize(("value", "answer"), [(3, True), (np.int8(3), True), (True, False), (np.True_, False), (3.0, False)])
def test_integers_are_pythons_and_numpys_but_not_bools(value, answer):
    assert is_integer(value) is answer


@pytest.mark.parametrize("value", [0, 2.0, True, "2", None])
def test_an_error_names_where_an_integer_was_expected(value):
    with pytest.raises(InputError, match=rf"^groups: found {value!r}, expected an integer of at least 1$"):
        integer("groups", value)


def test_an_integer_can_have_an_upper_limit():
    assert integer("n", np.int16(4), 0, 4) == 4
    with pytest.raises(InputError, match="expected an integer from 0 to 4"):
        integer("n", 5, 0, 4)


def test_one_integer_stands_for_two_and_for_as_many_as_are_asked_for():
    assert pair("ws", 2) == (2, 2)
    assert checked_counts("maps", 2, 3) == (2, 2, 2)


def test_what_is_not_an_array_of_numbers_is_named_with_what_was_expected():
    with pytest.raises(InputError, match=r"^X: found something that is not an array of numbers .*, expected \(n, 3\)$"):
        as_numbers("X", [["a"]], "(n, 3)", "float32")


def test_an_array_of_a_given_dtype_can_be_written_to():
    array = as_numbers("X", np.broadcast_to(1.0, (2, 2)), "(n, 2)", "float32")
    assert array.dtype == "float32"
    assert array.flags.writeable
    assert array.flags.c_contiguous


def test_nan_is_not_finite():
    with pytest.raises(InputError, match=r"^X: found NaN or infinite values, expected finite numbers$"):
        finite("X", np.array([1, np.nan]))


@pytest.mark.parametrize("place", [0, 1_048_576, 2_599_999])
def test_the_one_number_that_is_not_finite_is_found_wherever_it_is(place):
    numbers = np.zeros(2_600_000, np.float32)
    assert is_finite(numbers.reshape(1300, 2000))
    numbers[place] = np.inf
    assert not is_finite(numbers)
    assert not is_finite(numbers.reshape(1300, 2000))
    assert not is_finite(numbers.reshape(1, -1))


def test_a_number_alone_and_nothing_at_all_are_finite():
    assert is_finite(np.array(1.0))
    assert is_finite(np.zeros((0, 3)))
    assert not is_finite(np.array(np.nan))


def test_a_flag_is_true_or_false_and_not_what_counts_as_such():
    assert flag("flip", np.False_) is False
    with pytest.raises(InputError, match="flip: found 1, expected True or False"):
        flag("flip", 1)
