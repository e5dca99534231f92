"""What a gate makes of its site before the first turn: signals, buses, what is urgent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.profiles import load
from config.schema import DeviceSpec
from drivers.registry import build_from
from liftctl.gate.turn import GateConfig, configure
from safety.bounds import Params
from tests.gate.test_turn import CHAIR, LIFT, MS, SITE, beats, start

FITTED = {
    "lift": {
        *("bus_ok", "hand_control_ok", "hand_control_present", "run_enable"),
        *("estop_a_closed", "estop_b_closed", "charger_absent", "battery_pct", "battery_v"),
        *("upper_limit_free", "lower_limit_free", "strap_tight"),
        *("rail_left_free", "rail_right_free", "load_kg"),
        *("hoist_speed_mm_s", "hoist_height_mm", "hoist_current_pct"),
        *("traverse_speed_mm_s", "traverse_pos_mm"),
    },
    "chair": {
        *("bus_ok", "hand_control_ok", "hand_control_present"),
        *("estop_a_closed", "estop_b_closed", "charger_absent", "battery_pct"),
        *("knee_block_a_closed", "knee_block_b_closed"),
        *("chest_belt_a_closed", "chest_belt_b_closed", "brakes_applied"),
        *("feet_load_kg", "pitch_deg", "roll_deg", "stand_stroke_mm", "stand_current_a"),
    },
}


@pytest.mark.parametrize("config", [LIFT, CHAIR], ids=["lift", "chair"])
def test_a_gate_knows_the_signals_of_its_site(config: GateConfig) -> None:
    assert config.kernel.fitted == FITTED[config.site.kind]


def test_without_a_hand_control_there_is_none_to_trust() -> None:
    drives = replace(LIFT.site, device=LIFT.site.device[:1])
    fitted = configure(drives, LIFT.devices[:1]).kernel.fitted
    assert "bus_ok" in fitted
    assert "hand_control_ok" not in fitted


def test_the_heartbeat_goes_where_something_may_be_stopped_and_nowhere_else() -> None:
    """A bus with contacts only, too; not one where somebody else commands."""
    listening = replace(
        SITE["chair"], bus=tuple(replace(bus, monitor_only=False) for bus in SITE["chair"].bus)
    )
    assert configure(listening, CHAIR.devices).buses == ("chair",)
    for spec, device in zip(LIFT.site.device, LIFT.devices, strict=True):
        alone = configure(replace(LIFT.site, device=(spec,)), (device,))
        assert alone.buses == ("lift",), spec.name


def test_a_contact_with_an_id_of_its_own_is_urgent_too() -> None:
    profile = load("load_cell_e2e")
    (load_frame,) = profile.frame
    first, *others = load_frame.field
    urgent = replace(load_frame, field=(replace(first, urgent=True), *others))
    spec = DeviceSpec(name="mat", profile=profile.name, on="lift")
    device = build_from(replace(profile, frame=(urgent,)), spec, Params())
    config = configure(replace(LIFT.site, device=(spec,)), (device,))
    assert config.urgent == {("lift", False, 0x6A1)}


def test_the_first_heartbeat_waits_50_ms_from_the_start_of_the_clock() -> None:
    fresh = replace(start(LIFT, 0, None), heard_ns={"lift": 0})
    assert beats(fresh, 50 * MS - 1) == []
    assert len(beats(fresh, 50 * MS)) == 1
