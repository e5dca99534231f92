"""The kernel's numbers: each with a default, hard bounds and its safe direction.

Role: the only place a number may come from; a site's TOML narrows or moves it inside the bounds,
nothing goes outside. Each number says why; "ISO" marks a standard's own ceiling. Must never: hold a
number without bounds.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields


@dataclass(frozen=True, slots=True)
class Bound:
    """Hard bounds of one number; `safer` is the direction that cannot hurt: "low" or "high"."""

    minimum: float
    maximum: float
    safer: str
    why: str


def _p(default: float, minimum: float, maximum: float, safer: str, why: str) -> float:
    bound = Bound(minimum, maximum, safer, why)
    value: float = field(default=default, metadata={"bound": bound})
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """The site's limits. Units are in the names; the defaults are conservative."""

    # speeds and ramps
    hoist_loaded_mm_s: float = _p(60, 10, 150, "low", "preferred 50-70 with a person")
    hoist_empty_mm_s: float = _p(80, 10, 150, "low", "ISO 10535 ceiling 150")
    hoist_down_mm_s: float = _p(50, 10, 100, "low", "preferred 50 lowering a person")
    hoist_docking_mm_s: float = _p(30, 10, 50, "low", "slow zone and degraded lowering")
    hoist_accel_mm_s2: float = _p(150, 50, 300, "low", "comfort of who hangs")
    hoist_decel_mm_s2: float = _p(300, 150, 600, "high", "stop distance")
    traverse_mm_s: float = _p(150, 20, 300, "low", "swing of the sling")
    traverse_docking_mm_s: float = _p(50, 10, 100, "low", "run-enable limit")
    traverse_accel_mm_s2: float = _p(150, 50, 300, "low", "swing of the sling")
    traverse_decel_mm_s2: float = _p(300, 100, 600, "high", "stop distance")
    stand_mm_s: float = _p(15, 4, 20, "low", "stand actuator stroke")
    stand_docking_mm_s: float = _p(6, 4, 8, "low", "degraded sitting")
    stand_accel_mm_s2: float = _p(30, 10, 100, "low", "comfort of who stands up")
    stand_decel_mm_s2: float = _p(40, 20, 200, "high", "stop distance")
    # authority
    evidence_ms: float = _p(250, 100, 300, "low", "hold evidence dies, H2")
    permission_ms: float = _p(100, 60, 200, "low", "controller lease, rule 2")
    guard_ms: float = _p(200, 100, 300, "low", "guard beat, rule 10")
    recorder_ms: float = _p(1000, 300, 5000, "low", "no new transfer without a recorder")
    ownership_ms: float = _p(2000, 1000, 5000, "low", "ownership lapses, H22")
    marker_wait_ms: float = _p(1000, 200, 3000, "low", "UP and STAND wait for the marker, rule 9")
    lag_warn_ms: float = _p(40, 25, 60, "low", "own loop lag, H33")
    lag_stop_ms: float = _p(80, 50, 120, "low", "own loop lag, H33")
    device_deadman_ms: float = _p(200, 100, 250, "low", "heartbeat consumer, rule 3")
    rpdo_deadline_ms: float = _p(100, 60, 250, "low", "RPDO deadline where the drive has one")
    boot_ms: float = _p(10000, 2000, 30000, "low", "every expected node is up by then, H23")
    press_max_ms: float = _p(120000, 30000, 300000, "low", "a key held longer is stuck, H21")
    # signals
    feedback_ms: float = _p(150, 60, 250, "low", "drive feedback goes stale, H24")
    io_ms: float = _p(200, 100, 300, "low", "contacts go stale, H24")
    load_ms: float = _p(150, 60, 250, "low", "load goes stale, H24")
    slow_ms: float = _p(1000, 300, 3000, "low", "battery and other slow signals go stale")
    # lift
    swl_kg: float = _p(200, 50, 500, "low", "the lift itself (H4)")
    rail_swl_kg: float = _p(500, 50, 500, "low", "rail and fastening (H4)")
    spreader_swl_kg: float = _p(500, 50, 500, "low", "spreader bar (H4)")
    overload_stop_ratio: float = _p(1.10, 1.0, 1.25, "low", "H4, filtered")
    overload_filter_ms: float = _p(200, 0, 500, "low", "a swing is no overload, H4")
    overload_hard_ratio: float = _p(1.25, 1.1, 1.5, "low", "H4, at once")
    aloft_kg: float = _p(15, 5, 25, "low", "a person hangs in the sling")
    aloft_clear_kg: float = _p(10, 2, 20, "low", "hysteresis of aloft")
    tension_pause_mm: float = _p(80, 30, 150, "low", "H5 check at low height")
    load_window_ms: float = _p(200, 100, 400, "high", "window of a sudden load change, H5")
    load_step_ratio: float = _p(0.20, 0.10, 0.30, "low", "share lost in the window, H5")
    load_lost_ms: float = _p(5000, 500, 10000, "low", "lost for so long: a loop has gone, H37")
    load_rise_ratio: float = _p(0.25, 0.15, 0.50, "low", "share gained in the window, H9")
    asymmetry_ratio: float = _p(0.25, 0.10, 0.40, "low", "left against right strap, H5")
    load_zero_kg: float = _p(5, 2, 10, "low", "reading of an empty sling, H25")
    load_weight_ratio: float = _p(0.10, 0.05, 0.30, "low", "against the weight on record, H25")
    load_frozen_ms: float = _p(2000, 500, 600000, "low", "a load without its noise in motion, H24")
    hoist_current_base_pct: float = _p(6, 0, 50, "low", "motor current raising the empty bar")
    hoist_current_pct_per_kg: float = _p(0.55, 0.05, 3, "low", "motor current per kg raised")
    hoist_current_tol_pct: float = _p(25, 5, 50, "low", "load cell against motor current, H24")
    slack_rise_mm: float = _p(100, 20, 150, "low", "raising with a slack strap, H8")
    hoist_top_mm: float = _p(4000, 500, 4000, "low", "fence below the upper limit switch, H10")
    rail_min_mm: float = _p(-500, -500, 20000, "high", "fence at the left end, H11")
    rail_max_mm: float = _p(20000, 0, 20000, "low", "fence at the right end, H11")
    joint_from_mm: float = _p(0, -500, 20000, "low", "gate, turntable or exchange: from, H11")
    joint_to_mm: float = _p(0, -500, 20000, "high", "gate, turntable or exchange: to, H11")
    travel_rise_mm: float = _p(150, 80, 500, "high", "docking traverse below this rise, H12")
    rail_gate_ms: float = _p(200, 100, 500, "low", "the two gate contacts disagree, H11")
    charger_stops_up: float = _p(0, 0, 1, "high", "1: the maker forbids raising on charge, H17")
    # plausibility of motion
    still_mm_s: float = _p(5, 2, 10, "low", "slower is standing still, H1")
    stand_still_mm_s: float = _p(1, 0.5, 2, "low", "H1, the stand actuator creeps at 4 mm/s")
    stand_margin_mm_s: float = _p(4, 0.5, 4, "low", "H7 of the stand actuator")
    runaway_ms: float = _p(100, 50, 200, "low", "H1, after the ramp is over")
    overspeed_ratio: float = _p(1.3, 1.1, 1.5, "low", "over the commanded speed, H7")
    overspeed_margin_mm_s: float = _p(10, 2, 20, "low", "H7 at low speeds")
    overspeed_max_mm_s: float = _p(150, 60, 150, "low", "H7, ISO 10535 ceiling")
    overspeed_ms: float = _p(50, 20, 100, "low", "an instant is no over-speed, H7")
    slip_ms: float = _p(300, 150, 500, "low", "position against speed, as time at full speed")
    wrong_way_ms: float = _p(100, 50, 200, "low", "commanded against measured direction")
    no_effect_ms: float = _p(700, 300, 1500, "low", "commanded without effect")
    estop_discrepancy_ms: float = _p(500, 100, 1000, "low", "two contacts of one button, H20")
    pair_discrepancy_ms: float = _p(500, 100, 1000, "low", "H29 dual switches")
    # energy
    battery_reserve_pct: float = _p(20, 10, 50, "high", "no new lift, H14")
    battery_critical_pct: float = _p(10, 5, 30, "high", "one full lowering left, H14")
    battery_sag_v: float = _p(21.5, 9, 50, "high", "sagging under load: no new lift, H14")
    battery_deep_v: float = _p(20.5, 8, 48, "high", "before the pack locks itself out, H16")
    battery_dead_v: float = _p(12, 4, 40, "high", "no power for a motor, H15")
    battery_v_ms: float = _p(500, 100, 2000, "low", "filter of the voltage")
    duty_s: float = _p(120, 30, 600, "low", "raising time before a rest, H18")
    duty_ratio: float = _p(0.10, 0.05, 0.50, "low", "share of time the motor may raise, H18")
    motor_temp_c: float = _p(80, 50, 120, "low", "no new lift above, H18")
    # chair
    pitch_stand_deg: float = _p(3, 1, 5, "low", "standing on a slope, H28")
    feet_kg: float = _p(5, 3, 20, "high", "feet on the plate, H30")
    castor_ms: float = _p(2000, 500, 3000, "low", "castor lock after a stand began, H31")
    sit_current_a: float = _p(12, 2, 25, "low", "sitting against something, H9")
    sit_current_ms: float = _p(150, 50, 300, "low", "H9, filter")
    standing_mm: float = _p(15, 5, 30, "low", "partly stood (about 4 deg of stand angle)")
    standing_clear_mm: float = _p(8, 2, 15, "low", "hysteresis of standing")
    # distance (design rule 11)
    hoist_stop_limit_mm: float = _p(50, 10, 50, "low", "worst single-fault stopping distance")
    traverse_stop_limit_mm: float = _p(200, 20, 200, "low", "worst single-fault stopping distance")
    stand_stop_limit_mm: float = _p(20, 5, 20, "low", "worst single-fault stopping distance")


def bound_of(name: str) -> Bound:
    """The hard bounds of the number called `name` (KeyError if there is none)."""
    for item in fields(Params):
        if item.name == name:
            bound: Bound = item.metadata["bound"]
            return bound
    raise KeyError(name)


def violations(params: Params) -> tuple[str, ...]:
    """One sentence for each number outside its hard bounds or at odds with another."""
    found = []
    for item in fields(params):
        value, bound = getattr(params, item.name), bound_of(item.name)
        if not bound.minimum <= value <= bound.maximum:
            span = f"{bound.minimum:g} to {bound.maximum:g}"
            found.append(f"{item.name} = {value:g} is outside {span} ({bound.why})")
    found += [
        f"{low} must be below {high}" for low, high in _ORDERED if not _less(params, low, high)
    ]
    if params.joint_to_mm < params.joint_from_mm:  # equal: there is none
        found.append("joint_to_mm must not be below joint_from_mm (H11 would not see the joint)")
    # a hoist that runs as fast as it may must not look too fast: nobody could lower any more (H7)
    highest = params.overspeed_max_mm_s - params.overspeed_margin_mm_s
    found += [
        f"{name} = {getattr(params, name):g} is above overspeed_max_mm_s - overspeed_margin_mm_s"
        f" = {highest:g} (H7 would latch)"
        for name in _HOIST_SPEEDS
        if getattr(params, name) > highest
    ]
    return tuple(found)


_HOIST_SPEEDS = ("hoist_loaded_mm_s", "hoist_empty_mm_s", "hoist_down_mm_s")
_ORDERED = (
    ("aloft_clear_kg", "aloft_kg"),
    ("standing_clear_mm", "standing_mm"),
    ("battery_critical_pct", "battery_reserve_pct"),
    ("lag_warn_ms", "lag_stop_ms"),
    ("overload_stop_ratio", "overload_hard_ratio"),
    ("battery_dead_v", "battery_deep_v"),
    ("battery_deep_v", "battery_sag_v"),
    ("rail_min_mm", "rail_max_mm"),
)


def _less(params: Params, low: str, high: str) -> bool:
    return float(getattr(params, low)) < float(getattr(params, high))
