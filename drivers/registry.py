"""From a site's device table to devices.

Role: the only place that knows which family is which class. Process: gate, replay, CLI. Must never:
build a motion device whose profile does not write and read back a deadman, or one that disagrees
with its EDS.
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
from drivers.thomson.electrak_canopen import Electrak
from drivers.thomson.electrak_j1939 import ElectrakMonitor
from safety.bounds import Params
from safety.types import Axis

profile_names = names


def build(spec: DeviceSpec, params: Params) -> Device:
    """The device a site declares; ConfigError names what is wrong."""
    return build_from(load(spec.profile), spec, params)


def build_from(profile: Profile, spec: DeviceSpec, params: Params) -> Device:
    """The same from a profile in hand."""
    if profile.level == Level.MOTION:
        _require_deadman(profile)
    family = FAMILIES.get(profile.family)
    if family is None:
        known = ", ".join(FAMILIES)
        raise ConfigError(f"profile {profile.name}: family '{profile.family}' is none of {known}")
    _require_check(profile)
    return family(profile, spec, params)


def _require_check(profile: Profile) -> None:
    for frame in profile.frame:
        where = f"profile {profile.name}: frame {frame.name}: e2e"
        if frame.e2e and profile.family not in CHECKING:
            raise ConfigError(f"{where} is checked by {', '.join(CHECKING)} only; leave it out")
        if frame.e2e and (weak := e2e.weak_counter(frame.e2e, frame.length)) is not None:
            raise ConfigError(f"{where}: one bit turns counter {weak} unseen; use other data ids")


def _require_deadman(profile: Profile) -> None:
    written = [item.object for item in profile.write if not item.check and not item.optional]
    if not profile.deadman:
        raise ConfigError(
            f"profile {profile.name}: class motion needs a deadman; declare it or use assist"
        )
    for item in profile.deadman:
        if item not in written:
            raise ConfigError(
                f"profile {profile.name}: deadman {item} is never written; add it to 'write'"
            )


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
    return Electrak(spec.name, profile, _boot(profile, spec, params), Axis(profile.axis), cap)


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


CHECKING = ("canopen_input", "can_input")
FAMILIES: dict[str, Callable[[Profile, DeviceSpec, Params], Device]] = {
    "cia402": _drive,
    "can_input": _plain,
    "canopen_input": _inputs,
    "electrak_canopen": _electrak,
    "electrak_j1939": _monitor,
    "roboteq": _roboteq,
}
