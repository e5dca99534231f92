"""Any value of a message type, drawn from the type's own description.

Role: hypothesis strategies from msgspec types. Must never: know one type by name: a type that is
added to a protocol is walked without anybody remembering to.
"""

from __future__ import annotations

from typing import Any, get_args

import msgspec
from hypothesis import strategies as st
from msgspec import inspect as mi

INTS = (-(2**31), 2**40)


def members(union: Any) -> tuple[type[msgspec.Struct], ...]:
    """The classes of a closed list."""
    return tuple(get_args(union))


def any_of(cls: type[msgspec.Struct], **fixed: Any) -> st.SearchStrategy[Any]:
    """An instance of `cls`; `fixed` fields have the value given."""
    info = mi.type_info(cls)
    assert isinstance(info, mi.StructType)
    fields = {
        item.name: st.just(fixed[item.name]) if item.name in fixed else _value(item.type)
        for item in info.fields
    }
    return st.builds(cls, **fields)


def _value(kind: mi.Type) -> st.SearchStrategy[Any]:
    match kind:
        case mi.LiteralType():
            return st.sampled_from(kind.values)
        case mi.StrType():
            return _text(kind)
        case mi.IntType():
            low, high = INTS
            return st.integers(
                low if kind.ge is None else kind.ge, high if kind.le is None else kind.le
            )
        case mi.FloatType():
            return st.floats(-1000, 1000)
        case mi.BoolType():
            return st.booleans()
        case mi.BytesType():
            return st.binary(max_size=20)
        case mi.NoneType():
            return st.none()
        case mi.UnionType():
            return st.one_of([_value(item) for item in kind.types])
        case mi.VarTupleType() | mi.ListType():
            most = 4 if kind.max_length is None else min(4, kind.max_length)
            drawn = st.lists(_value(kind.item_type), min_size=kind.min_length or 0, max_size=most)
            return drawn.map(tuple)
        case mi.TupleType():
            return st.tuples(*[_value(item) for item in kind.item_types])
        case mi.DictType():
            keys, values = _value(kind.key_type), _value(kind.value_type)
            return st.dictionaries(keys, values, min_size=kind.min_length or 0, max_size=3)
        case mi.StructType():
            return any_of(kind.cls)
        case _:
            return st.sampled_from([None, 1, "x"])


def _text(kind: mi.StrType) -> st.SearchStrategy[str]:
    if kind.pattern:
        return st.from_regex(kind.pattern.replace("\\Z", "$"), fullmatch=True).map(str.strip)
    most = 12 if kind.max_length is None else min(12, kind.max_length)
    return st.text(min_size=kind.min_length or 0, max_size=most)
