"""An object dictionary with values, loaded from an EDS file, and the SDO server in front of it.

Expedited transfers only: no object of the ward is longer than four bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import canopen
from canopen.objectdictionary import ODVariable

EDS_DIR = Path(__file__).resolve().parents[2] / "config" / "eds"

_CODES = {2: "b", 3: "h", 4: "i", 5: "B", 6: "H", 7: "I"}  # CiA 301 data types

ABORT_COMMAND = 0x05040001
ABORT_WRITE_ONLY = 0x06010001
ABORT_READ_ONLY = 0x06010002
ABORT_NO_OBJECT = 0x06020000
ABORT_TOO_LONG = 0x06070012
ABORT_TOO_SHORT = 0x06070013
ABORT_NO_SUBINDEX = 0x06090011
ABORT_TOO_HIGH = 0x06090031
ABORT_TOO_LOW = 0x06090032


class SdoAbortError(Exception):
    """An access the dictionary refuses; `code` as in CiA 301."""

    def __init__(self, code: int) -> None:
        super().__init__(f"abort {code:08X}")
        self.code = code


@dataclass(slots=True)
class Entry:
    """One variable with its present value."""

    codec: struct.Struct
    access: str
    default: int
    low: int | None
    high: int | None
    value: int
    least: int  # of its type
    most: int


def _entry(variable: ODVariable) -> Entry:
    default, code = int(variable.default or 0), _CODES[variable.data_type or 0]
    bits = 8 * struct.calcsize("<" + code)
    least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if code in "bhi" else (0, (1 << bits) - 1)
    return Entry(
        struct.Struct("<" + code),
        variable.access_type,
        default,
        variable.min,
        variable.max,
        default,
        least,
        most,
    )


@cache
def _variables(eds: Path, node_id: int) -> tuple[ODVariable, ...]:
    items = canopen.import_od(str(eds), node_id).values()
    return tuple(
        variable
        for item in items
        for variable in ([item] if isinstance(item, ODVariable) else item.values())
    )


class ObjectDictionary:
    """Values by (index, subindex)."""

    def __init__(self, eds: Path, node_id: int) -> None:
        self._entries: dict[tuple[int, int], Entry] = {
            (variable.index, variable.subindex): _entry(variable)
            for variable in _variables(eds, node_id)
        }

    def __contains__(self, key: tuple[int, int]) -> bool:
        return key in self._entries

    def __getitem__(self, key: tuple[int, int]) -> int:
        return self._entries[key].value

    def __setitem__(self, key: tuple[int, int], value: int) -> None:
        """The device itself sets a value; it saturates at its type."""
        entry = self._entries[key]
        fits = entry.least <= value <= entry.most
        entry.value = value if fits else min(max(value, entry.least), entry.most)

    def entry(self, key: tuple[int, int]) -> Entry:
        """The variable itself, for who reads it often; its value changes, it does not."""
        return self._entries[key]

    def reset(self) -> None:
        """Power-on defaults."""
        for entry in self._entries.values():
            entry.value = entry.default

    def encode(self, key: tuple[int, int]) -> bytes:
        """The value in its wire format."""
        entry = self._entries[key]
        return entry.codec.pack(entry.value)

    def decode(self, key: tuple[int, int], data: bytes) -> None:
        """Take a mapped value from a PDO."""
        entry = self._entries[key]
        entry.value = entry.codec.unpack(data)[0]

    def read(self, key: tuple[int, int]) -> bytes:
        """A client's read; raises SdoAbortError."""
        if self._find(key).access == "wo":
            raise SdoAbortError(ABORT_WRITE_ONLY)
        return self.encode(key)

    def write(self, key: tuple[int, int], data: bytes) -> None:
        """A client's write; raises SdoAbortError."""
        entry = self._find(key)
        if entry.access in ("ro", "const"):
            raise SdoAbortError(ABORT_READ_ONLY)
        if len(data) != entry.codec.size:
            longer = len(data) > entry.codec.size
            raise SdoAbortError(ABORT_TOO_LONG if longer else ABORT_TOO_SHORT)
        value = entry.codec.unpack(data)[0]
        if entry.low is not None and value < entry.low:
            raise SdoAbortError(ABORT_TOO_LOW)
        if entry.high is not None and value > entry.high:
            raise SdoAbortError(ABORT_TOO_HIGH)
        entry.value = value

    def _find(self, key: tuple[int, int]) -> Entry:
        if key in self._entries:
            return self._entries[key]
        known = any(index == key[0] for index, _ in self._entries)
        raise SdoAbortError(ABORT_NO_SUBINDEX if known else ABORT_NO_OBJECT)


def serve_sdo(od: ObjectDictionary, request: bytes) -> tuple[bytes, tuple[int, int] | None]:
    """Answer one request: (response, the key that was written or None)."""
    command, index, sub = struct.unpack_from("<BHB", request.ljust(8, b"\0"))
    key = (index, sub)
    try:
        if command == 0x40:
            data = od.read(key)
            head = struct.pack("<BHB", 0x43 | (4 - len(data)) << 2, index, sub)
            return head + data.ljust(4, b"\0"), None
        if command & 0xE2 == 0x22 and len(request) == 8:
            size = 4 - (command >> 2 & 3) if command & 1 else 4
            od.write(key, request[4 : 4 + size])
            return struct.pack("<BHBI", 0x60, index, sub, 0), key
        raise SdoAbortError(ABORT_COMMAND)
    except SdoAbortError as error:
        return struct.pack("<BHBI", 0x80, index, sub, error.code), None
