"""Values that functions of one graph hand on to each other, in such a way that each is freed behind its last use.

Numba's functions borrow their arguments: whoever calls holds them until the call returns. A loan is a value for which nobody
who holds it counts a reference. It has one of its own, from `lend` on, which `take` hands to the last function that needs it.

What is lent lies in a *frame*, memory of the function that calls the others, and a loan is no more than a type that says where
in it. For as arguments and results arrays are a dozen numbers each, and results one structure, which Numba and LLVM take apart
and put together number by number: for a hundred arrays that takes longer to compile than what is computed of them.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel.models import PrimitiveModel
from numba.extending import intrinsic, register_model

# Bytes of a value in a frame. An array of n dimensions has 40 + 16 n.
ROOM = 256
MOST_DIMENSIONS = (ROOM - 40) // 16


class Loan(types.Type):
    """Describe a value that is lent, by its type when it is not, and its place in the frame."""

    def __init__(self, of: Any, place: int):
        self.of, self.place = of, place
        super().__init__(f"Loan({of}, {place})")


@register_model(Loan)
class _LoanModel(PrimitiveModel):
    def __init__(self, models: Any, kind: Loan):
        super().__init__(models, kind, ir.IntType(8))  # of no meaning


@intrinsic(prefer_literal=True)
def frame(typing: Any, places: Any) -> Any:
    """Return the memory for so many values, of the function that calls this."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        memory = cgutils.alloca_once(builder, ir.ArrayType(ir.IntType(64), places.literal_value * ROOM // 8))
        return builder.bitcast(memory, cgutils.voidptr_t)

    return types.voidptr(places), codegen


@intrinsic(prefer_literal=True)
def lend(typing: Any, frame: Any, place: Any, value: Any) -> Any:
    """Put `value` into a place of the frame, with a reference of its own, and return the loan."""
    kind = types.unliteral(value)
    loan = Loan(kind, place.literal_value)

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        size = context.get_abi_sizeof(values[2].type)
        if size > ROOM:
            raise NotImplementedError(f"a value of {kind}, {size} bytes, does not fit a frame")
        context.nrt.incref(builder, kind, values[2])
        builder.store(values[2], _address(builder, values[0], loan, values[2].type))
        return ir.Constant(ir.IntType(8), 0)

    return loan(frame, place, kind), codegen


@intrinsic
def borrow(typing: Any, frame: Any, loan: Any) -> Any:
    """Return the value of a loan that others will need."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        value = _read(context, builder, values[0], loan)
        context.nrt.incref(builder, loan.of, value)
        return value

    return loan.of(frame, loan), codegen


@intrinsic
def take(typing: Any, frame: Any, loan: Any) -> Any:
    """Return the value of a loan that nobody will need afterwards, with the loan's reference."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return _read(context, builder, values[0], loan)

    return loan.of(frame, loan), codegen


def _address(builder: Any, frame: Any, loan: Loan, kind: Any) -> Any:
    place = builder.gep(frame, [ir.Constant(ir.IntType(64), loan.place * ROOM)])
    return builder.bitcast(place, kind.as_pointer())


def _read(context: Any, builder: Any, frame: Any, loan: Loan) -> Any:
    return builder.load(_address(builder, frame, loan, context.get_value_type(loan.of)))
