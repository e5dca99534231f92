"""Device profiles: one strict TOML file per device type, read into frozen values.

Role: the only reader of `config/devices/*.toml` (frame layouts, boot-time writes, level, quality
notes). Process: all. Must never: accept a layout that overlaps or leaves its frame, or an unknown
signal.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from config import protection
from config.protection import E2ESpec
from config.schema import ConfigError, build
from safety.bounds import Params
from safety.types import Motion, SignalId

HERE = Path(__file__).parent
LEVELS = ("monitor", "assist", "motion")
KINDS = ("number", "bool", "code")
# Every profile answers each of these with "done" or with "exempt" and a reason.
QUALITY_RULES = ("vectors", "malformed", "deadman", "reboot", "real_recording")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """Bits `start`..`start + bits - 1` of the payload read as one little-endian integer.

    The value is raw * mul / div. `na`: all ones mean "not available". `kind` "code" is a short bit
    string.
    """

    name: str
    start: int
    bits: int
    signed: bool = False
    mul: int = 1
    div: int = 1
    kind: str = "number"
    na: bool = False
    default: float | None = None
    signal: str = ""  # the sample this field becomes
    key: str = ""  # a hand-control key, named by its motion
    urgent: bool = False  # a change is decided at once
    invalid: bool = False  # when true, the samples of this frame are not ok


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameSpec:
    """One frame. Its id is `id + (node << node_shift)`; the EDS must agree with `pdo` and `map`."""

    name: str
    id: int
    length: int
    extended: bool = False
    node_shift: int = 0
    tx: bool = False  # we send it
    fill_ones: bool = False
    pdo: int = 0
    map: tuple[int, ...] = ()
    field: tuple[FieldSpec, ...] = ()
    e2e: E2ESpec | None = None

    def can_id(self, node: int) -> int:
        """The identifier for this node."""
        return self.id + (node << self.node_shift)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteSpec:
    """One object of the boot dialogue: `base + mul * max(params)`, written and read back.

    `check`: only read and compared under `mask`. `optional`: left out where the EDS has no such
    object.
    """

    object: str
    size: int
    base: int = 0
    params: tuple[str, ...] = ()
    mul: int = 1
    mask: int = 0xFFFFFFFF
    check: bool = False
    optional: bool = False

    @property
    def address(self) -> tuple[int, int]:
        """Index and sub-index."""
        index, sub = self.object.split(":")
        return int(index, 16), int(sub, 16)

    def value(self, params: Params) -> int:
        """The raw value for these limits."""
        top = max((float(getattr(params, name)) for name in self.params), default=0.0)
        return self.base + round(self.mul * top)


@dataclass(frozen=True, slots=True, kw_only=True)
class QualitySpec:
    """One quality rule: done, or exempt with a reason."""

    rule: str
    exempt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A device type. `deadman` names the objects that stop it when we fall silent;
    `free_down_mm_s` is the speed it lets pass down or towards sitting without the guard's run
    enable, 0 where it cannot tell (design rule 14).
    """

    name: str
    title: str
    family: str
    level: str
    source: str
    axis: str = ""
    node: int = 0  # the usual address
    eds: str = ""
    deadman: tuple[str, ...] = ()
    max_speed_mm_s: float = 0.0
    free_down_mm_s: float | None = None
    own_decel_mm_s2: float = 0.0  # the ramp of its stops, where the device sets it and not we
    speed_cap: tuple[str, ...] = ()  # the limits whose largest caps the commanded speed
    speed_signal: str = ""
    fault_signal: str = ""
    verified_signal: str = ""
    frame: tuple[FrameSpec, ...] = ()
    write: tuple[WriteSpec, ...] = ()
    quality: tuple[QualitySpec, ...] = ()

    def frame_named(self, name: str) -> FrameSpec:
        """The frame called `name`; raises ConfigError naming those there are."""
        for frame in self.frame:
            if frame.name == name:
                return frame
        known = ", ".join(frame.name for frame in self.frame)
        raise ConfigError(f"profile {self.name} has no frame '{name}'; it has {known or 'none'}")


def names(folder: Path = HERE / "devices") -> tuple[str, ...]:
    """The profiles there are."""
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


def load(name: str, folder: Path = HERE / "devices") -> Profile:
    """Read and check a profile; raises ConfigError, for an unknown name with the nearest one."""
    known = names(folder)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
        raise ConfigError(f"unknown device profile '{name}'; did you mean '{''.join(near)}'?")
    return parse(name, (folder / f"{name}.toml").read_text(encoding="utf-8"))


def parse(name: str, text: str) -> Profile:
    """A profile from TOML text."""
    where = f"profile {name}"
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: not TOML: {error}") from error
    profile: Profile = build(Profile, {**raw, "name": name}, where)
    for sentence in (*_profile_faults(profile), *_quality_faults(profile)):
        raise ConfigError(f"{where}: {sentence}")
    for sentence in protection.shared({f.name: f.e2e for f in profile.frame if f.e2e}):
        raise ConfigError(f"{where}: {sentence}")
    for frame in profile.frame:
        for sentence in (*_frame_faults(frame), *_protection_faults(frame)):
            raise ConfigError(f"{where}: frame {frame.name}: {sentence}")
    return profile


def _profile_faults(profile: Profile) -> list[str]:
    found = []
    if profile.level not in LEVELS:
        found.append(f"level '{profile.level}' is unknown; use one of {', '.join(LEVELS)}")
    if profile.level == "motion" and profile.free_down_mm_s is None:
        found.append("'free_down_mm_s' is missing; write what runs down without run enable, or 0")
    for name in (profile.speed_signal, profile.fault_signal, profile.verified_signal):
        if name and name not in list(SignalId):
            found.append(f"signal '{name}' is unknown")
    for write in profile.write:
        if not re.fullmatch("[0-9A-F]{4}:[0-9A-F]{2}", write.object):
            found.append(f"object '{write.object}' is not like 1016:01")
        found += [
            f"'{name}' is no limit"
            for name in write.params
            if name not in Params.__dataclass_fields__
        ]
    return found


def _quality_faults(profile: Profile) -> list[str]:
    stated = [item.rule for item in profile.quality]
    missing = [
        f"quality rule '{rule}' is not answered" for rule in QUALITY_RULES if rule not in stated
    ]
    return missing + [
        f"quality rule '{rule}' is unknown" for rule in stated if rule not in QUALITY_RULES
    ]


def _frame_faults(frame: FrameSpec) -> list[str]:
    found, used = [], 0
    for field in frame.field:
        if field.start < 0 or field.bits < 1 or field.start + field.bits > 8 * frame.length:
            return [f"field {field.name} leaves the {frame.length} bytes"]
        bits = ((1 << field.bits) - 1) << field.start
        if used & bits:
            found.append(f"field {field.name} overlaps another")
        used |= bits
        if field.kind not in KINDS or (field.kind == "bool" and field.bits != 1):
            found.append(f"field {field.name} cannot be {field.bits} bits of '{field.kind}'")
        if field.signal and field.signal not in list(SignalId):
            found.append(f"signal '{field.signal}' is unknown")
        if field.key and field.key not in Motion.__members__:
            found.append(f"key '{field.key}' is no motion")
    return found


def _protection_faults(frame: FrameSpec) -> list[str]:
    if frame.e2e is None:
        return []
    if frame.tx:
        return ["e2e is for frames we receive; remove it from one we send"]
    fields = {field.name: (field.start, field.bits) for field in frame.field}
    return protection.faults(frame.e2e, frame.length, fields)
