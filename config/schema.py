"""What a site is: one strict TOML file read into frozen values.

Role: the only reader of site files. Process: all. Must never: guess; an unknown key, a wrong type
or a number outside `safety.bounds` is a `ConfigError` that names the key, the limit and the remedy.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import math
import re
import tomllib
from collections.abc import Iterator
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from config.languages import codes
from config.plans import ResidentSpec, SlingSpec, faults, is_date
from safety.bounds import Params, violations

KINDS = ("lift", "chair")
# The independent ways down that the panel shows step by step.
WAYS_DOWN = {"lift": ("red_strap",), "chair": ("manual_sit",)}
# How `port` may begin and what follows; a path begins at the root.
BUS_PORTS = re.compile(r"(vbus|socketcan|virtual):[\w.-]+|slcan:(/\S+|vserial:[\w.-]+)", re.ASCII)
LAST_PORT = 65_535
LINE_PORTS = re.compile(r"/\S+|vserial:[\w.-]+", re.ASCII)


class ConfigError(Exception):
    """A configuration that cannot be used; the message is one line with the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BusSpec:
    """A CAN bus. `port` is one word: `vbus:NAME`, `socketcan:can0` or `slcan:/dev/ttyACM0`."""

    name: str
    port: str
    bitrate: int = 500_000
    monitor_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialSpec:
    """A serial line. `port` is a device path; `vserial:NAME` is a simulated line of the demo."""

    name: str
    port: str
    baudrate: int = 115_200


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSpec:
    """A device: its profile (a file in `config/devices/`), the line it is on and its address."""

    name: str
    profile: str
    on: str
    node: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyLowering:
    """The independent way down. A site that declares none is refused (design rule 4)."""

    how: str
    tested: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSpec:
    """The guard's own ports and its I/O node, which no frame of the gate maps."""

    bus: str
    node: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSpec:
    """Where panel and desk listen. Only loopback without enrolment and sign-in."""

    host: str = "127.0.0.1"
    panel_port: int = 8080
    desk_port: int = 8090
    origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineSpec:
    """Staff-seconds of one kind of transfer before one-carer lifting, and where the figure is
    from.
    """

    kind: str
    version: str
    carers: int
    mean_s: float
    n_transfers: int
    source: str
    measured: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSpec:
    """How long payloads are kept, and where the last signed head is kept a second time.

    `payload_days`: after it a transfer's payload is erased, its header stays; 0: never.
    `incident_days`: the longer time for those that ended in a fault, an emergency or unknown.
    `heads`: a folder, best on another disk; "": beside the black box.
    """

    payload_days: int = 730
    incident_days: int = 3650
    heads: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """The simulated hardware that `liftctl up` starts beside a demo site."""

    room: str
    web_port: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One gateway: a room's devices, limits and web addresses."""

    name: str
    title: str
    kind: str
    languages: tuple[str, ...] = ("da", "en")
    bus: tuple[BusSpec, ...] = ()
    serial: tuple[SerialSpec, ...] = ()
    device: tuple[DeviceSpec, ...] = ()
    guard: GuardSpec
    emergency_lowering: EmergencyLowering
    limits: Params = field(default_factory=Params)
    web: WebSpec = field(default_factory=WebSpec)
    baseline: tuple[BaselineSpec, ...] = ()
    resident: tuple[ResidentSpec, ...] = ()
    sling: tuple[SlingSpec, ...] = ()
    ledger: LedgerSpec = field(default_factory=LedgerSpec)
    municipality: str = ""
    home: str = ""
    ward: str = ""
    hardware: Hardware | None = None
    inspection_due: str = ""  # ISO date of the next inspection; "" when tracked elsewhere
    relocatable: bool = False  # the motor moves between rails: each start asks for a pull test

    @property
    def hash(self) -> str:
        """Canonical SHA-256 of the whole configuration, 16 hex digits."""
        return _hash_of(self)


@lru_cache(maxsize=32)
def _hash_of(site: Site) -> str:
    """Every turn of the gate says it: computed anew it took a third of the turn. 10 and 10.0 are
    one number: what was written and read again is the same configuration.
    """
    numbers = json.loads(json.dumps(asdict(site)), parse_int=float)
    text = json.dumps(numbers, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def load(path: Path) -> Site:
    """Read and check a site file; raises ConfigError."""
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name an existing site file") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8; save it as UTF-8") from error


def parse(text: str, where: str) -> Site:
    """A site from TOML text; `where` goes into the messages."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: not TOML: {error}") from error
    site: Site = build(Site, raw, where)
    cross_check(site, where)
    return site


def from_json(text: str) -> Site:
    """The site a black box or an accepted-configuration file carries."""
    site: Site = build(Site, json.loads(text), "embedded configuration")
    return site


def to_json(site: Site) -> str:
    """The form `from_json` reads."""
    return json.dumps(asdict(site), sort_keys=True)


def build(cls: Any, raw: Any, where: str) -> Any:
    """A frozen dataclass from a table; ConfigError names the key and the remedy."""
    if not isinstance(raw, dict):
        raise ConfigError(f"{where}: expected a table, got {type(raw).__name__}")
    hints = get_type_hints(cls)
    for key in raw:
        if key not in hints:
            near = difflib.get_close_matches(key, hints, n=1, cutoff=0.0)
            raise ConfigError(f"{where}: unknown key '{key}'; did you mean '{near[0]}'?")
    for item in fields(cls):
        required = item.default is MISSING and item.default_factory is MISSING
        if required and item.name not in raw:
            raise ConfigError(f"{where}: '{item.name}' is missing; add it")
    values = {key: _value(hints[key], value, f"{where}: {key}") for key, value in raw.items()}
    return cls(**values)


def _value(kind: Any, raw: Any, where: str) -> Any:
    if isinstance(kind, UnionType):
        if raw is None:
            return None
        kind = next(option for option in get_args(kind) if option is not NoneType)
    if get_origin(kind) is tuple:
        if not isinstance(raw, list):
            raise ConfigError(f"{where}: expected a list")
        item = get_args(kind)[0]
        return tuple(_value(item, value, f"{where}[{n}]") for n, value in enumerate(raw))
    if is_dataclass(kind):
        return build(kind, raw, where)
    return _scalar(kind, raw, where)


def _scalar(kind: Any, raw: Any, where: str) -> Any:
    if kind is float and isinstance(raw, int) and not isinstance(raw, bool):
        return float(raw)
    if not isinstance(raw, kind) or (kind is not bool and isinstance(raw, bool)):
        raise ConfigError(f"{where}: expected {kind.__name__}, got {raw!r}")
    if kind is float and not math.isfinite(raw):
        raise ConfigError(f"{where}: {raw} is no finite number; write one")
    return raw


def cross_check(site: Site, where: str) -> None:
    """What no single key shows; `parse` calls it, and whoever changes a site that was read."""
    if site.kind not in KINDS:
        raise ConfigError(f"{where}: kind '{site.kind}' is unknown; use one of {', '.join(KINDS)}")
    for sentence in violations(site.limits):
        raise ConfigError(f"{where}: limits: {sentence}; move it inside")
    if site.emergency_lowering.how not in WAYS_DOWN[site.kind]:
        raise ConfigError(
            f"{where}: emergency_lowering.how '{site.emergency_lowering.how}' is no way down of a "
            f"{site.kind} that the panel can show; declare {' or '.join(WAYS_DOWN[site.kind])}"
        )
    for sentence in (*_port_faults(site), *_page_faults(site), *faults(site.resident, site.sling)):
        raise ConfigError(f"{where}: {sentence}")
    if site.inspection_due and not is_date(site.inspection_due):
        raise ConfigError(
            f"{where}: inspection_due '{site.inspection_due}' is no date; write YYYY-MM-DD"
        )
    if site.ledger.payload_days < 0 or site.ledger.incident_days < 0:
        raise ConfigError(f"{where}: ledger: days are negative; 0 keeps for ever")
    lines = [item.name for item in site.bus] + [item.name for item in site.serial]
    names = [*lines, *(item.name for item in site.device)]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{where}: the name '{name}' is used twice; names must differ")
    for device in site.device:
        if device.on not in lines:
            raise ConfigError(
                f"{where}: device '{device.name}' is on '{device.on}', which is no bus or line"
            )
    if site.guard.bus not in lines:
        raise ConfigError(f"{where}: guard.bus '{site.guard.bus}' is no bus")
    if site.web.host not in ("127.0.0.1", "::1", "localhost"):
        raise ConfigError(
            f"{where}: web.host {site.web.host} is not loopback; enrolment comes first"
        )


def _port_faults(site: Site) -> Iterator[str]:
    for bus in site.bus:
        if not BUS_PORTS.fullmatch(bus.port):
            yield (
                f"bus {bus.name}: port '{bus.port}' is unknown; "
                "use vbus:NAME, socketcan:can0 or slcan:/dev/tty..."
            )
    for line in site.serial:
        if not LINE_PORTS.fullmatch(line.port):
            yield (
                f"serial {line.name}: port '{line.port}' is unknown; "
                "use /dev/tty... or vserial:NAME"
            )


def _page_faults(site: Site) -> Iterator[str]:
    """What would leave the wall panel without its page, STOP included."""
    if not set(codes()) & set(site.languages):
        yield (
            f"languages {list(site.languages)} has none the panel knows; "
            f"name at least one of {', '.join(codes())}"
        )
    web = site.web
    for key in ("panel_port", "desk_port"):
        if not 1 <= getattr(web, key) <= LAST_PORT:
            yield f"web.{key} {getattr(web, key)} is outside 1..{LAST_PORT}; move it inside"
    if web.panel_port == web.desk_port:
        yield f"web.panel_port and web.desk_port are both {web.desk_port}; give each its own"
