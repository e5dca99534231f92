"""The plants against closed forms: what a mechanic would calculate on paper."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from hil.plants.axis import OFF, STEP_S, AxisCommand
from hil.plants.battery import CAPACITY_J, Battery, open_circuit_v
from hil.plants.chair import ChairPlant
from hil.plants.constants import G_M_S2
from hil.plants.gear import BrakeMode, Drum, Gear
from hil.plants.hoist import (
    REFLECTED_KG,
    VISCOUS_N_MM_S,
    Hoist,
    strap_speed_mm_s,
)
from hil.plants.lift import LiftPlant
from hil.plants.pendulum import Pendulum
from hil.plants.sling import BAR_KG, BED, STRAP_N_MM, SlingLoad
from hil.plants.standing import (
    STROKE_MM,
    Point,
    actuator_n,
    centre,
    knee_n,
    lever_mm,
    person_centre,
    stand_angle_deg,
    tip_margin_mm,
    tipping_pitch_deg,
)
from hil.plants.thermal import ThermalBody
from hil.rooms.chair import ChairRoom
from hil.rooms.lift import LiftRoom
from hil.rooms.room import RequestError


def run(plant: LiftPlant | ChairPlant, duration_ms: int) -> None:
    for _ in range(duration_ms):
        plant.step()


def hanging(mass_kg: float = 75.0, height_mm: float = 1500.0) -> LiftPlant:
    """Somebody hangs free and still over the floor between bed and chair."""
    plant = LiftPlant(mass_kg)
    plant.traverse.position_mm = 1700.0
    plant.hoist.position_mm = height_mm
    plant.load.hook(1700.0)
    plant.load.sling_mm = height_mm - mass_kg * G_M_S2 / STRAP_N_MM
    run(plant, 1000)
    return plant


# gear, drum, brake ---------------------------------------------------------------------------


def test_the_drum_winds_exactly_the_strap_it_lifts() -> None:
    drum = Drum()
    steps = 20_000
    wound = 0.0
    for part in range(steps):
        low, high = (300.0 + 1800.0 * (part + k) / steps for k in (0, 1))
        middle = drum.radius_mm((low + high) / 2)
        wound += 2 * math.pi * middle * (drum.turns(high) - drum.turns(low))
    assert wound == pytest.approx(1800.0, rel=1e-6)
    assert drum.radius_mm(2100) > drum.radius_mm(300)


def test_the_motor_turns_slower_at_the_top_for_the_same_speed() -> None:
    drum, gear = Drum(), Gear()
    low, high = (drum.motor_rpm(mm, 60.0, gear) for mm in (300.0, 2100.0))
    assert low > high
    assert low / high == pytest.approx(drum.radius_mm(2100) / drum.radius_mm(300))


@pytest.mark.parametrize(("efficiency", "locks"), [(0.62, False), (0.5, True), (0.4, True)])
def test_a_gear_below_half_its_efficiency_locks_itself(efficiency: float, locks: bool) -> None:
    plant = hanging()
    plant.hoist.gear = Gear(efficiency)
    plant.hoist.stop.mode = BrakeMode.STUCK_OPEN
    assert plant.hoist.gear.is_self_locking is locks
    before = plant.hoist.position_mm
    run(plant, 500)
    assert (plant.hoist.position_mm < before - 1.0) is not locks


def test_a_brake_that_stays_open_lets_go_with_the_acceleration_of_the_paper() -> None:
    plant = hanging()
    plant.hoist.stop.mode = BrakeMode.STUCK_OPEN
    run(plant, 60)
    force_n = plant.load.tension_n * plant.hoist.gear.back_efficiency
    expected = 77 * G_M_S2 * plant.hoist.gear.back_efficiency / REFLECTED_KG * 60
    assert force_n == pytest.approx(77 * G_M_S2 * plant.hoist.gear.back_efficiency, rel=0.1)
    assert -plant.hoist.velocity_mm_s == pytest.approx(expected, rel=0.1)
    run(plant, 3000)
    assert plant.overspeed_latched  # the last line catches it
    assert plant.hoist.stands


def test_a_slipping_brake_holds_the_bar_and_lets_a_person_sink() -> None:
    plant = LiftPlant()
    plant.hoist.stop.mode = BrakeMode.SLIPPING
    run(plant, 1000)
    assert plant.hoist.position_mm == 1400.0
    plant = hanging()
    plant.hoist.stop.mode = BrakeMode.SLIPPING
    before = plant.hoist.position_mm
    run(plant, 500)
    assert plant.hoist.position_mm < before


def test_a_brake_that_does_not_release_stalls_the_motor() -> None:
    plant = hanging()
    plant.hoist.stop.mode = BrakeMode.STUCK_CLOSED
    plant.hoist_command = AxisCommand(True, 60.0)
    before = plant.hoist.position_mm
    run(plant, 1000)
    assert plant.hoist.position_mm == before
    assert plant.hoist_current_permille == 2000.0


@pytest.mark.parametrize("mass_kg", [40.0, 75.0, 200.0])
@pytest.mark.parametrize("engage_s", [0.02, 0.1])
def test_stop_distance_without_torque_is_delay_and_friction(
    mass_kg: float, engage_s: float
) -> None:
    plant = hanging(mass_kg)
    plant.hoist.stop.engage_s = engage_s
    plant.hoist_command = AxisCommand(True, -60.0)
    run(plant, 2000)
    start, speed = plant.hoist.position_mm, 60.0
    plant.hoist_command = OFF
    run(plant, 1000)
    load_n = (mass_kg + BAR_KG) * G_M_S2 * plant.hoist.gear.back_efficiency
    gain = (load_n - VISCOUS_N_MM_S * speed) / REFLECTED_KG * 1000
    faster = speed + gain * engage_s
    brake = (plant.hoist.stop.hold_n - load_n) / REFLECTED_KG * 1000
    expected = (speed + faster) / 2 * engage_s + faster**2 / (2 * brake)
    assert start - plant.hoist.position_mm == pytest.approx(expected, rel=0.08)
    assert plant.hoist.stands


# emergency lowering --------------------------------------------------------------------------


@pytest.mark.parametrize("mass_kg", [20.0, 75.0, 200.0])
def test_terminal_speed_of_the_red_strap(mass_kg: float) -> None:
    plant = hanging(mass_kg, 2000.0)
    plant.battery.soc = 0.0
    plant.strap_pulled = True
    run(plant, 3000)
    expected = strap_speed_mm_s(plant.load.tension_n, plant.hoist.gear)
    assert -plant.hoist.velocity_mm_s == pytest.approx(expected, rel=1e-4)
    assert 38.0 < expected < 46.0
    plant.strap_pulled = False
    run(plant, 200)
    assert plant.hoist.stands


# swing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("length_m", [0.5, 1.3, 2.5])
def test_period_of_the_swing(length_m: float) -> None:
    swing = Pendulum(damping=0.0)
    swing.angle_rad = 0.05
    crossings, before = [], swing.angle_rad
    for step in range(20_000):
        swing.step(length_m, 0.0, 0.0)
        if before > 0 >= swing.angle_rad:
            crossings.append(step)
        before = swing.angle_rad
    period = (crossings[-1] - crossings[0]) * STEP_S / (len(crossings) - 1)
    exact = 2 * math.pi * math.sqrt(length_m / G_M_S2) * (1 + 0.05**2 / 16)
    assert period == pytest.approx(exact, rel=1e-3)


def test_a_free_swing_keeps_its_energy() -> None:
    swing = Pendulum(damping=0.0)
    swing.angle_rad = 0.3
    start = swing.energy_j_kg(1.3)
    found = []
    for _ in range(60_000):
        swing.step(1.3, 0.0, 0.0)
        found.append(swing.energy_j_kg(1.3))
    assert max(found) == pytest.approx(start, rel=3e-3)
    assert found[-1] == pytest.approx(start, rel=3e-3)


def test_a_stopping_trolley_swings_the_person_as_far_as_the_impulse_says() -> None:
    plant = hanging()
    plant.traverse_command = AxisCommand(True, 300.0, 400.0, 600.0)
    run(plant, 8000)
    plant.swing.angle_rad = plant.swing.rate_rad_s = 0.0
    speed = plant.traverse.velocity_mm_s
    plant.traverse.position_mm = 4000.0 - 1e-6  # the end of the rail: at once
    run(plant, 2)
    furthest = 0.0
    for _ in range(1500):
        plant.step()
        furthest = max(furthest, plant.swing_mm)
    omega = math.sqrt(G_M_S2 / plant.pendulum_m)
    assert speed == 300.0
    assert furthest == pytest.approx(speed / omega, rel=0.06)


def test_raising_a_swinging_person_swings_them_wider_in_angle() -> None:
    # length falls, angular momentum about the trolley stays: the angle grows as length^-3/4
    swing, length = Pendulum(damping=0.0), 2.0
    swing.angle_rad = 0.05
    widest = {1: 0.0, 2: 0.0}
    for step in range(60_000):
        rate = -0.02 if 20_000 <= step < 50_000 else 0.0
        length += rate * STEP_S
        swing.step(length, rate, 0.0)
        part = 1 if step < 20_000 else 2 if step >= 50_000 else 0
        if part:
            widest[part] = max(widest[part], abs(swing.angle_rad))
    assert widest[2] / widest[1] == pytest.approx((2.0 / length) ** 0.75, rel=0.02)


# strap and load ------------------------------------------------------------------------------


def test_a_hard_stop_bounces_at_the_spring_s_own_frequency() -> None:
    load = SlingLoad(75.0, 1700.0, damping=0.05)
    load.hook(1700.0)
    load.sling_mm = 1500.0 - 75 * G_M_S2 / STRAP_N_MM
    load.velocity_mm_s = -60.0
    pulls = []
    for _ in range(1000):
        load.step(1500.0, 0.0, 1700.0)
        pulls.append(load.pull_n)
    peaks = [n for n in range(1, 999) if pulls[n - 1] < pulls[n] >= pulls[n + 1]]
    period = (peaks[2] - peaks[0]) / 2 * STEP_S
    omega = math.sqrt(STRAP_N_MM * 1000 / 75)
    assert period == pytest.approx(2 * math.pi / omega, rel=0.03)
    # energy: weight + v * sqrt(k m)
    assert max(pulls) == pytest.approx(75 * G_M_S2 + 0.06 * omega * 75, rel=0.05)


def test_a_fall_into_a_slack_strap_pulls_as_the_energy_says() -> None:
    load = SlingLoad(75.0, 1700.0, damping=0.0)
    load.hook(1700.0)
    load.sling_mm = 1550.0  # 50 mm of slack
    peak = 0.0
    for _ in range(600):
        load.step(1500.0, 0.0, 1700.0)
        peak = max(peak, load.pull_n)
    weight, k = 75 * G_M_S2, STRAP_N_MM * 1000
    assert peak == pytest.approx(weight + math.sqrt(weight**2 + 2 * k * weight * 0.05), rel=0.03)


def test_a_snagged_strap_lies_slack_and_drops_the_person_when_it_comes_free() -> None:
    room = LiftRoom()
    room.plant = plant = hanging()
    plant.snag_mm = plant.bar_mm
    plant.hoist_command = AxisCommand(True, -60.0)
    run(plant, 2000)
    assert plant.drum_slack_mm == pytest.approx(100.0, abs=15.0)
    assert not plant.load.strap_tight
    assert plant.load.pull_n == pytest.approx(75 * G_M_S2, rel=0.01)
    assert plant.unhook() is not None
    plant.hoist_command, plant.snag_mm, peak = OFF, None, 0.0
    for _ in range(600):
        plant.step()
        peak = max(peak, plant.load.pull_n)
    assert peak > 3 * 75 * G_M_S2
    run(plant, 2000)
    assert plant.load.reading_kg == pytest.approx(75.0, rel=0.01)


def test_what_the_strap_takes_the_bed_gives_up() -> None:
    plant = LiftPlant()
    plant.hoist.position_mm = BED.free_mm - 60
    plant.load.hook(400.0)
    plant.hoist_command = AxisCommand(True, 5.0)
    shares = []
    for _ in range(220):
        run(plant, 100)
        shares.append((plant.load.pull_n + plant.load.support_n) / (75 * G_M_S2))
    assert shares[40:] == pytest.approx([1.0] * 180, abs=0.03)
    assert plant.load.support_n == 0.0


def test_half_the_step_gives_the_same_answer() -> None:
    def peak(step_s: float) -> tuple[float, float]:
        load = SlingLoad(75.0, 1700.0, step_s=step_s)
        swing = Pendulum(step_s)
        load.hook(1700.0)
        load.sling_mm, swing.angle_rad = 1510.0, 0.1
        highest = 0.0
        for _ in range(round(0.8 / step_s)):
            swing.step(1.3, 0.0, 0.0)
            load.step(1500.0, 0.0, 1700.0, swing.pull_share(1.3))
            highest = max(highest, load.pull_n)
        return highest, swing.angle_rad

    steps = [peak(STEP_S / n) for n in (1, 2, 4, 8)]
    for which in (0, 1):
        gaps = [abs(a[which] - b[which]) for a, b in pairwise(steps)]
        assert gaps[2] < 0.7 * gaps[1] < 0.6 * gaps[0] or gaps[0] < 1e-6
        assert gaps[0] < 0.02 * abs(steps[-1][which])


def test_half_the_step_stops_the_hoist_at_the_same_place() -> None:
    def stop(step_s: float) -> float:
        hoist = Hoist(1000.0, 0.0, 2000.0, step_s)
        hoist.tension_n, hoist.velocity_mm_s = 750.0, -60.0
        hoist.stop.step(current=True)
        for _ in range(round(0.4 / step_s)):
            hoist.step(OFF)
        return hoist.position_mm

    # two steps at 60 mm/s: when the brake closes is known to a step
    assert stop(STEP_S) == pytest.approx(stop(STEP_S / 8), abs=0.12)
    assert stop(STEP_S / 8) == pytest.approx(stop(STEP_S / 16), abs=0.015)


# things in the way ---------------------------------------------------------------------------


def test_a_sling_caught_under_a_rail_loads_the_strap_until_the_motor_stalls() -> None:
    plant = hanging()
    plant.load.caught_mm = plant.load.sling_mm + 20.0
    plant.hoist_command = AxisCommand(True, 20.0)
    run(plant, 6000)
    assert plant.load.tension_n > 5000.0
    assert plant.hoist_current_permille == 2000.0
    held = plant.hoist.position_mm
    run(plant, 1000)
    assert plant.hoist.position_mm == pytest.approx(held, abs=1.0)


def test_requests_break_the_mechanics_and_mend_it() -> None:
    room = LiftRoom()
    for request, key, value in [
        ({"do": "obstruction", "where": "below", "mm": 1300}, "surface", "obstacle"),
        ({"do": "obstruction", "where": "below", "mm": None}, "surface", "bed"),
        ({"do": "brake", "mode": "slipping", "slip_n": 50}, "hoist_brake_mode", "slipping"),
        ({"do": "snag", "value": True}, "snagged", True),
        ({"do": "snag", "value": False}, "drum_slack_mm", 0.0),
        ({"do": "sling_fails"}, "fallen", False),
    ]:
        room.command(request)
        assert room.truth()[key] == value, request
    room.command({"do": "grab", "kg": 30})
    room.plant.step()
    assert room.plant.load.reading_kg == pytest.approx(30.0)


@pytest.mark.parametrize(
    "request_",
    [
        {"do": "brake", "mode": "gone"},
        {"do": "brake"},
        {"do": "encoder", "axis": "belt", "mode": "ok"},
        {"do": "encoder", "axis": "hoist", "mode": "lies"},
        {"do": "obstruction", "where": "left", "mm": 100},
        {"do": "obstruction", "where": "rail", "mm": 9999},
        {"do": "grab", "kg": -1},
        {"do": "gear", "efficiency": 1.5},
        {"do": "battery"},
        {"do": "battery", "aged": 0.5},
    ],
)
def test_a_wrong_request_is_refused_in_words(request_: dict[str, object]) -> None:
    with pytest.raises(RequestError):
        LiftRoom().command(request_)


@pytest.mark.parametrize(
    ("mode", "seen"), [("ok", 50.0), ("slipping", 40.0), ("frozen", 0.0), ("inverted", -50.0)]
)
def test_a_bad_encoder_counts_wrongly_and_stays_wrong(mode: str, seen: float) -> None:
    room = LiftRoom()
    room.sense()
    room.command({"do": "encoder", "axis": "hoist", "mode": mode, "lost_share": 0.2})
    room.plant.hoist.position_mm += 50.0
    room.sense()
    assert room.hoist.inputs.position_mm == pytest.approx(1400.0 + seen)
    room.command({"do": "encoder", "axis": "hoist", "mode": "ok"})
    room.plant.hoist.position_mm += 10.0
    room.sense()
    assert room.hoist.inputs.position_mm == pytest.approx(1410.0 + seen)
    assert room.truth()["encoder_error_mm"] == pytest.approx(seen - 50.0)


def test_the_rail_is_blocked_both_ways() -> None:
    plant = LiftPlant()
    plant.rail_stop_mm = 600.0
    plant.traverse_command = AxisCommand(True, 300.0, 400.0, 600.0)
    run(plant, 3000)
    assert plant.traverse.position_mm == 600.0
    assert plant.traverse_current_permille == 2000.0
    plant.traverse_command = AxisCommand(True, -300.0, 400.0, 600.0)
    run(plant, 1000)
    assert plant.traverse.position_mm < 600.0
    assert plant.traverse_current_permille < 1000.0


# energy and heat -----------------------------------------------------------------------------


def test_what_the_battery_gives_is_what_is_drawn_and_lost() -> None:
    battery = Battery(0.8)
    before = battery.soc
    for _ in range(60_000):
        battery.step(120.0)
    current = battery.current_a
    assert battery.voltage_v * current == pytest.approx(120.0)
    lost = battery.resistance_ohm * current**2
    spent = (before - battery.soc) * CAPACITY_J
    assert spent == pytest.approx((120.0 + lost) * 60.0, rel=0.01)


def test_a_cold_old_empty_battery_sags_more() -> None:
    def sag(soc: float, aged: float, celsius: float) -> float:
        battery = Battery(soc)
        battery.aged, battery.body.temperature_c = aged, celsius
        battery.body.ambient_c = celsius
        battery.step(200.0)
        return open_circuit_v(soc) - battery.voltage_v

    assert sag(0.9, 1.0, 25.0) == pytest.approx(1.2, abs=0.1)
    assert sag(0.9, 1.0, -10.0) > 1.3 * sag(0.9, 1.0, 25.0)
    assert sag(0.9, 3.0, 25.0) > 2.9 * sag(0.9, 1.0, 25.0)
    assert sag(0.05, 1.0, 25.0) > 1.6 * sag(0.9, 1.0, 25.0)


def test_the_open_circuit_curve_only_rises() -> None:
    volts = [open_circuit_v(n / 100) for n in range(101)]
    assert volts == sorted(volts)
    assert (volts[0], volts[-1]) == (22.0, 26.0)


def test_copper_warms_to_its_final_temperature_in_its_own_time() -> None:
    body = ThermalBody(100.0, 2.0)
    for _ in range(round(body.time_constant_s / 0.01)):
        body.step(30.0, 0.01)
    assert body.temperature_c == pytest.approx(22.0 + 60.0 * (1 - math.exp(-1)), rel=1e-6)


# the standing frame --------------------------------------------------------------------------


def test_the_whole_stroke_is_the_whole_angle_and_it_only_rises() -> None:
    angles = [stand_angle_deg(float(mm)) for mm in range(301)]
    assert angles[0] == pytest.approx(0.0, abs=1e-9)
    assert angles[-1] == pytest.approx(80.0)
    assert angles == sorted(angles)
    slope = math.radians(stand_angle_deg(150.01) - stand_angle_deg(149.99)) / 0.02
    assert 1 / slope == pytest.approx(lever_mm(150.0), rel=1e-4)


def test_the_actuator_does_the_work_that_raises_the_centre() -> None:
    work = sum(actuator_n(75.0, mm + 0.5) for mm in range(int(STROKE_MM))) / 1000
    rise = person_centre(80.0).z_mm - person_centre(0.0).z_mm
    assert work == pytest.approx(75 * G_M_S2 * rise / 1000, rel=0.005)


@pytest.mark.parametrize("angle_deg", [0.0, 40.0, 80.0])
def test_it_tips_at_the_angle_of_statics(angle_deg: float) -> None:
    at = centre(90.0, angle_deg)
    back, forward = tipping_pitch_deg(at)
    for pitch in (back, forward):
        assert tip_margin_mm(at, 0.0, pitch, 0.0) == pytest.approx(0.0, abs=1e-6)
        assert tip_margin_mm(at, 0.0, 0.99 * pitch, 0.0) > 0
    roll = math.degrees(math.atan(290.0 / at.z_mm))
    assert tip_margin_mm(at, 0.0, 0.0, roll) == pytest.approx(0.0, abs=1e-6)
    assert centre(90.0, 80.0).z_mm > centre(90.0, 0.0).z_mm


def test_on_the_level_nobody_tips_and_a_slope_or_a_reach_takes_it_over() -> None:
    for mass_kg in (40.0, 75.0, 140.0):
        plant = ChairPlant(mass_kg)
        plant.actuator_command = AxisCommand(True, 20.0, 60.0, 60.0)
        run(plant, 16_000)
        assert plant.tip_margin_mm > 60.0, mass_kg
        assert not plant.tipped
    room = ChairRoom()
    room.plant = plant
    plant.lean_mm = 500.0
    run(plant, 20)
    assert plant.tipped
    assert tip_margin_mm(Point(260.0, 900.0), 0.0, 20.0, 0.0) < 0


def test_knees_carry_nothing_seated_and_most_half_way() -> None:
    pushes = [knee_n(75.0, float(angle)) for angle in range(81)]
    assert pushes[0] == 0.0
    assert max(pushes) == pytest.approx(75 * 0.878 * G_M_S2 / 2, rel=1e-3)
    assert pushes.index(max(pushes)) == 45


def test_the_room_tells_the_truth_of_the_standing_person() -> None:
    room = ChairRoom()
    room.command({"do": "lean", "forward_mm": 100, "right_mm": 50})
    told = room.truth()
    assert told["seat_kg"] + told["feet_kg"] == pytest.approx(75.0)
    assert told["tip_margin_mm"] > 0
    assert not told["tipped"]
