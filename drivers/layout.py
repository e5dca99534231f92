"""Bit layouts: payload bytes <-> named values, straight from a profile's frame table.

Role: the one codec of all fixed-layout frames (CANopen PDOs, J1939 messages). Process: gate and
CLI. Must never: accept a payload of another length, or encode a value that does not fit its bits.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from config.profiles import FieldSpec, FrameSpec

Value = float | bool | str
_BOOLEANS: Mapping[Value, int] = {True: 1, False: 0}


class LayoutError(ValueError):
    """A payload or a value that the layout cannot hold."""


@dataclass(frozen=True, slots=True)
class Fields:
    """What a payload says; a name is either in `values` or in `unavailable`."""

    values: Mapping[str, Value]
    unavailable: tuple[str, ...] = ()


def unpack(spec: FrameSpec, data: bytes) -> Fields:
    """Decode a payload; LayoutError unless its length is exactly the layout's."""
    if len(data) != spec.length:
        raise LayoutError(f"{spec.name} has {len(data)} bytes, needs {spec.length}")
    word = int.from_bytes(data, "little")
    values: dict[str, Value] = {}
    missing = []
    for field in spec.field:
        ones = (1 << field.bits) - 1
        raw = word >> field.start & ones
        if field.na and raw == ones:
            missing.append(field.name)
        else:
            values[field.name] = _value(field, raw)
    return Fields(values, tuple(missing))


def _value(field: FieldSpec, raw: int) -> Value:
    if field.kind == "bool":
        return raw == 1
    if field.kind == "code":
        return f"{raw:0{field.bits}b}"
    if field.signed and raw >> (field.bits - 1):
        raw -= 1 << field.bits
    # One division, so that 1414 tenths are 141.4 and not 141.40000000000001.
    return raw * field.mul if field.div == 1 else raw * field.mul / field.div


def pack(spec: FrameSpec, values: Mapping[str, Value | None]) -> bytes:
    """Encode named values; None means "not available". LayoutError names what is wrong."""
    known = [field.name for field in spec.field]
    for name in values:
        if name not in known:
            near = "".join(difflib.get_close_matches(name, known, n=1, cutoff=0.0))
            raise LayoutError(f"{spec.name} has no value '{name}'; did you mean '{near}'?")
    word = (1 << 8 * spec.length) - 1 if spec.fill_ones else 0
    for field in spec.field:
        if field.name not in values and field.default is None:
            raise LayoutError(f"{spec.name} needs '{field.name}'")
        raw = _raw(field, values.get(field.name, field.default))
        ones = (1 << field.bits) - 1
        word = word & ~(ones << field.start) | (raw & ones) << field.start
    return word.to_bytes(spec.length, "little")


def _raw(field: FieldSpec, value: Value | None) -> int:
    ones = (1 << field.bits) - 1
    if value is None:
        if not field.na:
            raise LayoutError(f"'{field.name}' cannot be unavailable")
        return ones
    low, high = (-(ones >> 1) - 1, ones >> 1) if field.signed else (0, ones)
    raw = _number(field, value)
    if not low <= raw <= high or (field.na and raw == ones):
        raise LayoutError(f"{field.name} = {value} does not fit {field.bits} bits")
    return raw


def _number(field: FieldSpec, value: Value) -> int:
    try:
        if field.kind == "code":
            return int(str(value), 2)
        if field.kind == "bool":
            return _BOOLEANS[value]
        return round(float(value) * field.div / field.mul)
    except (ValueError, OverflowError, KeyError) as error:
        raise LayoutError(f"{field.name} = {value} is no {field.kind}") from error
