"""From a site's device table to devices.

Role: the only place that knows which family is which class. Process: gate, replay, CLI. Must never:
build a device that can move whose profile does not write and read back a deadman that works, or one
that disagrees with its EDS.
"""

from __future__ import annotations

from collections.abc import Callable

from config.profiles import Profile, load, names
from config.schema import ConfigError, DeviceSpec
from drivers import e2e
from drivers.canopen import eds, sdo
from drivers.canopen.boot import Boot
from drivers.canopen.drive import Drive
from drivers.canopen.inputs import Inputs
from drivers.device import Device, Level
from drivers.plain import PlainInputs
from drivers.roboteq.device import Roboteq
from drivers.thomson.electrak_canopen import FULL_SPEED_PCT, MIN_SPEED_PCT, Electrak
from drivers.thomson.electrak_j1939 import ElectrakMonitor
from safety.bounds import Params
from safety.types import Axis

profile_names = names
Demand = tuple[Callable[[int, float], bool], str]  # of a value and device_deadman_ms; the remedy


def build(spec: DeviceSpec, params: Params) -> Device:
    """The device a site declares; ConfigError names what is wrong."""
    return build_from(load(spec.profile), spec, params)


def build_from(profile: Profile, spec: DeviceSpec, params: Params) -> Device:
    """The same from a profile in hand."""
    family = FAMILIES.get(profile.family)
    if family is None:
        known = ", ".join(FAMILIES)
        raise ConfigError(f"profile {profile.name}: family '{profile.family}' is none of {known}")
    _require_level(profile)
    _require_deadman(profile, params)
    _require_check(profile)
    return family(profile, spec, params)


def _require_level(profile: Profile) -> None:
    """A family that is commanded to move is never a lesser class, or it would need no deadman."""
    level = LEVELS[profile.family]
    if profile.level != level:
        raise ConfigError(
            f"profile {profile.name}: family {profile.family} cannot have level "
            f"'{profile.level}'; write level = \"{level}\""
        )


def _require_check(profile: Profile) -> None:
    for frame in profile.frame:
        where = f"profile {profile.name}: frame {frame.name}: e2e"
        if frame.e2e and profile.family not in CHECKING:
            raise ConfigError(f"{where} is checked by {', '.join(CHECKING)} only; leave it out")
        if frame.e2e and (weak := e2e.weak_counter(frame.e2e, frame.length)) is not None:
            raise ConfigError(f"{where}: one bit turns counter {weak} unseen; use other data ids")


def _require_deadman(profile: Profile, params: Params) -> None:
    """What stops it when we fall silent: declared, written, read back whole, and effective."""
    where = f"profile {profile.name}: deadman"
    needed = DEADMEN.get(profile.family, {})
    for item in needed:
        if item not in profile.deadman:
            raise ConfigError(
                f"{where} needs {item}, or it runs on when the gate dies; "
                "add it to 'deadman' and 'write'"
            )
    if profile.level == Level.MOTION:
        _require_written(profile)
    for write in profile.write:
        works, remedy = needed.get(write.object, _ANY)
        value, limit_ms = write.value(params), params.device_deadman_ms
        if not works(value, limit_ms):
            raise ConfigError(f"{where} {write.object} = {value:#x}; {remedy.format(limit_ms)}")


def _require_written(profile: Profile) -> None:
    whole = [
        item.object
        for item in profile.write
        if not item.check and not item.optional and not ~item.mask & ((1 << 8 * item.size) - 1)
    ]
    for item in profile.deadman:
        if item not in whole:
            raise ConfigError(
                f"profile {profile.name}: deadman {item} is never written and read back whole; "
                "add it to 'write', without 'mask', 'check' or 'optional'"
            )


def _heartbeat_of_the_gate(value: int, limit_ms: float) -> bool:
    return value >> 16 == GATE_NODE and _timeout(value & 0xFFFF, limit_ms)


def _quick_stop(value: int, _limit_ms: float) -> bool:
    return value == QUICK_STOP


def _timeout(value: int, limit_ms: float) -> bool:
    return 0 < value <= limit_ms


def _boot(profile: Profile, spec: DeviceSpec, params: Params) -> Boot:
    if not 1 <= spec.node <= 127:
        raise ConfigError(f"device {spec.name}: node {spec.node} is outside 1..127; set 'node'")
    dictionary = eds.load(eds.FOLDER / profile.eds, spec.node)
    eds.check(profile, dictionary, spec.node)
    steps = tuple(
        sdo.Step(*item.address, item.size, item.value(params), not item.check, item.mask)
        for item in profile.write
        if not item.optional or eds.has(dictionary, item)
    )
    return Boot(spec.on, spec.node, steps)


def _cap_mm_s(profile: Profile, params: Params) -> float:
    return max(float(getattr(params, name)) for name in profile.speed_cap)


def _drive(profile: Profile, spec: DeviceSpec, params: Params) -> Device:
    cap = _cap_mm_s(profile, params)
    return Drive(spec.name, profile, _boot(profile, spec, params), Axis(profile.axis), cap)


def _electrak(profile: Profile, spec: DeviceSpec, params: Params) -> Device:
    cap = _cap_mm_s(profile, params)
    _require_own_ramps(profile, params)
    return Electrak(spec.name, profile, _boot(profile, spec, params), Axis(profile.axis), cap)


def _require_own_ramps(profile: Profile, params: Params) -> None:
    """It starts at its least speed while the command still ramps up, and stops on its own ramp:
    neither may latch over-speed or runaway (H1, H7).
    """
    least = profile.max_speed_mm_s * MIN_SPEED_PCT / FULL_SPEED_PCT
    where = f"profile {profile.name}: least speed {least:g} mm/s (20 % of max_speed_mm_s) is above"
    for name in ("stand_docking_mm_s", "stand_mm_s"):
        if least > getattr(params, name):
            raise ConfigError(f"{where} {name} = {getattr(params, name):g}; raise {name}")
    if params.stand_decel_mm_s2 > profile.own_decel_mm_s2:  # an honest stop would be a runaway (H1)
        raise ConfigError(
            f"profile {profile.name}: stops at own_decel_mm_s2 = {profile.own_decel_mm_s2:g} and "
            f"stand_decel_mm_s2 = {params.stand_decel_mm_s2:g} is above; lower stand_decel_mm_s2"
        )
    ramped_ms = params.overspeed_ms + FEEDBACK_MS
    allowed = params.stand_accel_mm_s2 * ramped_ms / 1000 * params.overspeed_ratio
    allowed += params.stand_margin_mm_s
    if least > allowed:
        raise ConfigError(
            f"{where} the {allowed:.2f} mm/s that are no over-speed {ramped_ms:g} ms after its "
            "start; raise stand_margin_mm_s, stand_accel_mm_s2 or overspeed_ms"
        )


def _inputs(profile: Profile, spec: DeviceSpec, params: Params) -> Device:
    return Inputs(spec.name, profile, _boot(profile, spec, params))


def _plain(profile: Profile, spec: DeviceSpec, params: Params) -> Device:
    if spec.node:
        raise ConfigError(f"device {spec.name}: its frames have ids of their own; leave 'node' out")
    return PlainInputs(spec.name, profile, spec.on)


def _monitor(profile: Profile, spec: DeviceSpec, params: Params) -> Device:
    if not 0 <= spec.node <= 253:
        raise ConfigError(f"device {spec.name}: address {spec.node} is outside 0..253; set 'node'")
    return ElectrakMonitor(spec.name, profile, spec.on, spec.node)


def _roboteq(profile: Profile, spec: DeviceSpec, params: Params) -> Device:
    return Roboteq(spec.name, profile, spec.on)


GATE_NODE = 1  # the gate's heartbeat is 701
QUICK_STOP = 3  # object 6007: on loss of the heartbeat
FEEDBACK_MS = 20  # its speed answers a command one turn later at the earliest
_ANY: Demand = (lambda _value, _limit_ms: True, "")
DEADMEN: dict[str, dict[str, Demand]] = {
    "cia402": {
        "1016:01": (
            _heartbeat_of_the_gate,
            "node 1 in bits 16 to 22 and 1 to {:g} ms (device_deadman_ms) in the low word",
        ),
        "6007:00": (_quick_stop, "write 3, quick stop"),
    },
    "electrak_canopen": {"2005:00": (_timeout, "write 1 to {:g} ms (device_deadman_ms)")},
}
LEVELS = {
    "cia402": Level.MOTION,
    "can_input": Level.MONITOR,
    "canopen_input": Level.ASSIST,
    "electrak_canopen": Level.MOTION,
    "electrak_j1939": Level.MONITOR,
    "roboteq": Level.ASSIST,  # inhibited or released, never commanded
}
CHECKING = ("canopen_input", "can_input")
FAMILIES: dict[str, Callable[[Profile, DeviceSpec, Params], Device]] = {
    "cia402": _drive,
    "can_input": _plain,
    "canopen_input": _inputs,
    "electrak_canopen": _electrak,
    "electrak_j1939": _monitor,
    "roboteq": _roboteq,
}
