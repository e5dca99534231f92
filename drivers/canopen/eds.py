"""EDS files: a loader that survives real ones, and the check that a profile agrees with its EDS.

Role: build time only. Process: gate and CLI. Must never: let a profile be built whose PDO mapping,
ids or boot-time objects differ from the EDS.
"""

from __future__ import annotations

import configparser
import io
import re
from pathlib import Path
from typing import Any

import canopen

import config
from config.profiles import FrameSpec, Profile, WriteSpec
from config.schema import ConfigError

FOLDER = Path(config.__file__).parent / "eds"
# Vendors' files hold `0x07 # VAR` and `VendorNumber=`; neither loads otherwise.
_COMMENT = re.compile(r"^(\w+ *= *(?:0x[0-9A-Fa-f]+|\d+))[ \t]+#.*$", re.MULTILINE)
_BLANK_INT = re.compile(
    r"^((?:\w*Number|BaudRate_\d+|SimpleBootUp\w+|Granularity|NrOf\w+|\w+Supported)[ \t]*=)[ \t]*$",
    re.MULTILINE,
)


def load(path: Path, node: int) -> Any:
    """The object dictionary of an EDS file; ConfigError when there is none or it cannot be read."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; put the device's EDS there") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    text = _BLANK_INT.sub(r"\g<1>0", _COMMENT.sub(r"\1", text))
    source = io.StringIO(text)
    source.name = path.name
    try:
        return canopen.import_od(source, node_id=node)
    except (ValueError, LookupError, configparser.Error) as error:
        raise ConfigError(
            f"{path}: not a usable EDS: {error}; ask the maker for another"
        ) from error


def has(dictionary: Any, write: WriteSpec) -> bool:
    """Whether the EDS has the object of this write."""
    return _default(dictionary, *write.address) is not _NONE


def check(profile: Profile, dictionary: Any, node: int) -> None:
    """Hold the profile against the EDS; ConfigError names the first disagreement."""
    for write in profile.write:
        if not write.optional and not has(dictionary, write):
            raise ConfigError(f"profile {profile.name}: {profile.eds} has no object {write.object}")
    for frame in profile.frame:
        for sentence in _pdo_faults(frame, dictionary, node):
            raise ConfigError(f"profile {profile.name}: {profile.eds}: {frame.name}: {sentence}")


_NONE = object()


def _default(dictionary: Any, index: int, sub: int) -> Any:
    entry = dictionary.get(index)
    if entry is None:
        return _NONE
    if not hasattr(entry, "subindices"):
        return entry.default if sub == 0 else _NONE
    return entry.subindices[sub].default if sub in entry.subindices else _NONE


def _pdo_faults(frame: FrameSpec, dictionary: Any, node: int) -> list[str]:
    if not frame.pdo:
        return []
    count = _default(dictionary, frame.pdo + 0x200, 0)
    if not isinstance(count, int):
        return [f"there is no mapping {frame.pdo + 0x200:04X}"]
    mapped = tuple(_default(dictionary, frame.pdo + 0x200, n + 1) for n in range(count))
    found = []
    if mapped != frame.map:
        wanted = ", ".join(f"{item:08X}" for item in frame.map)
        found.append(f"{frame.pdo + 0x200:04X} does not map {wanted}")
    # Bit 31: the PDO does not exist.
    if _default(dictionary, frame.pdo, 1) != frame.can_id(node):
        found.append(f"{frame.pdo:04X}:01 is not {frame.can_id(node):X}")
    if sum(item & 0xFF for item in frame.map) != 8 * frame.length:
        found.append(f"the mapped objects are not {frame.length} bytes")
    return found
