"""Sites that gate and guard could not keep safe are refused, each with the remedy (rules 3, 14)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from config.profiles import Profile
from config.profiles import load as load_profile
from config.schema import BusSpec, ConfigError, DeviceSpec, GuardSpec, SerialSpec, Site, load
from drivers import registry
from liftctl import accept
from tests.gate.room import SITES

LIFT, CHAIR = (load(SITES / f"demo-{kind}.toml") for kind in ("lift", "chair"))
SECOND = BusSpec(name="drives", port="vbus:drives")
LINE = SerialSpec(name="motors", port="/dev/ttyS0")
CELL = DeviceSpec(name="cell", profile="load_cell_e2e", on="lift")


def changed(site: Site, name: str, **change: Any) -> Site:
    """One device is other than in the demo."""
    return replace(
        site,
        device=tuple(replace(d, **change) if d.name == name else d for d in site.device),
    )


def without(site: Site, *names: str) -> Site:
    return replace(site, device=tuple(d for d in site.device if d.name not in names))


def more(site: Site, name: str, like: str, **change: Any) -> Site:
    (spec,) = [d for d in site.device if d.name == like]
    return replace(site, device=(*site.device, replace(spec, name=name, **change)))


TWO = replace(LIFT, bus=(*LIFT.bus, SECOND))
MIXED = replace(LIFT, device=(*LIFT.device, CHAIR.device[1]), bus=(*LIFT.bus, CHAIR.bus[0]))


@pytest.mark.parametrize(
    ("site", "said"),
    [
        # who drives is watched
        (changed(TWO, "hoist", on="drives"), "guard cannot read hoist .cia402_hoist on drives"),
        (changed(TWO, "traverse", on="drives"), "guard cannot read traverse .*guard.bus 'lift'"),
        (changed(TWO, "contacts", on="drives"), "guard cannot read contacts"),
        # an address is the gate's, the guard's or one device's, on every commanded bus
        (changed(TWO, "scale", on="drives", node=1), "scale and the gate share address 0x1 on dri"),
        (changed(TWO, "scale", on="drives", node=2), "scale and the guard share address 0x2 on"),
        (changed(LIFT, "scale", node=0x30), "scale and the guard's node share address 0x30"),
        # the guard is where it can cut
        (replace(LIFT, serial=(LINE,), guard=GuardSpec(bus="motors", node=0x30)), "no CAN bus the"),
        (replace(LIFT, bus=(replace(LIFT.bus[0], monitor_only=True),)), "no CAN bus the guard may"),
        (replace(LIFT, guard=GuardSpec(bus="lift", node=0)), "guard.node 0 is outside 1..127"),
        (replace(LIFT, guard=GuardSpec(bus="lift", node=128)), "guard.node 128 is outside 1..127"),
        (replace(LIFT, guard=GuardSpec(bus="lift", node=1)), r"or is 1 \(the gate\)"),
        (replace(LIFT, guard=GuardSpec(bus="lift", node=2)), r"or 2 \(the guard\)"),
        # every axis has one drive, every signal one source
        (without(LIFT, "hoist"), "the hoist is driven by no device"),
        (without(CHAIR, "drive"), "the drive is driven by no device"),
        (replace(LIFT, device=()), "the hoist is driven by no device"),
        (more(LIFT, "hoist-2", "hoist", node=0x12), "driven by hoist and hoist-2"),
        (more(LIFT, "io-2", "contacts", node=0x22), "contacts and io-2 both give 'upper"),
        (without(LIFT, "scale"), "nothing gives load_kg; a lift needs it"),
        (without(LIFT, "contacts"), "nothing gives battery_pct, charger_absent"),
        (replace(LIFT, kind="chair"), "hoist drives the hoist, which no chair has"),
        (changed(MIXED, "seat", on="lift"), "contacts and seat both give"),
        # CAN devices on a bus that may be sent on, serial ones on a line
        (
            changed(replace(LIFT, serial=(LINE,)), "hoist", on="motors"),
            "hoist .cia402_hoist. needs a CAN bus and 'motors' is none; put it on one of lift",
        ),
        (changed(CHAIR, "drive", on="chair"), "needs a serial line and 'chair' is none"),
        (
            changed(replace(TWO, bus=(*LIFT.bus, replace(SECOND, monitor_only=True))), "scale",
                    on="drives"),
            "scale must be sent frames and drives is monitor_only",
        ),
    ],
)  # fmt: skip
def test_a_site_that_cannot_be_kept_safe_is_refused(site: Site, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        accept.check(site)


@pytest.mark.parametrize("site", [LIFT, CHAIR, changed(TWO, "scale", on="drives")])
def test_a_site_like_the_demo_is_accepted(site: Site) -> None:
    accept.check(site)


def known_as(monkeypatch: pytest.MonkeyPatch, *made: Profile) -> None:
    """Profiles of a maker, beside those there are."""
    shelf = {profile.name: profile for profile in made}

    def find(name: str) -> Profile:
        return shelf.get(name) or load_profile(name)

    monkeypatch.setattr(accept, "load_profile", find)
    monkeypatch.setattr(registry, "load", find)


@pytest.mark.parametrize("name", ["hoist", "traverse", "contacts"])
def test_the_guard_must_know_the_profile_of_what_drives_or_has_keys(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hoist nobody of the guard watches ran 745 mm for a lying gate."""
    (spec,) = [d for d in LIFT.device if d.name == name]
    known_as(monkeypatch, replace(load_profile(spec.profile), name="maker_x"))
    with pytest.raises(ConfigError, match=f"the guard cannot read {name} .maker_x on lift"):
        accept.check(changed(LIFT, name, profile="maker_x"))


@pytest.mark.parametrize("can_id", [0x701, 0x702, 0x730, 0x230, 0x1B0, 0x210, 0x000])
def test_no_device_speaks_with_the_voice_of_gate_or_guard(
    can_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sensor that sends 701 keeps the drives' deadman fed when the gate is dead."""
    cell = load_profile("load_cell_e2e")
    known_as(monkeypatch, replace(cell, frame=(replace(cell.frame[0], id=can_id),)))
    lift = replace(without(LIFT, "scale"), device=(*without(LIFT, "scale").device, CELL))
    with pytest.raises(ConfigError, match=f"cell listens to {can_id:X} on lift, which gate or"):
        accept.check(lift)


def test_the_run_enable_is_said_by_the_hoist_alone() -> None:
    """A contact stuck on at the traverse would hide that the guard has cut the hoist."""
    said = {
        name: [f.signal for frame in load_profile(name).frame for f in frame.field]
        for name in ("cia402_hoist", "cia402_traverse")
    }
    assert "run_enable" in said["cia402_hoist"]
    assert "run_enable" not in said["cia402_traverse"]
