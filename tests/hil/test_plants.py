"""Physics: stop distances, brakes, load, energy."""

from __future__ import annotations

import pytest

from hil.plants.axis import LAG_S, OFF, STEP_S, Axis, AxisCommand
from hil.plants.chair import ChairPlant
from hil.plants.lift import LiftPlant
from hil.plants.sling import BED


def run(plant: LiftPlant | ChairPlant, duration_ms: int) -> None:
    for _ in range(duration_ms):
        plant.step()


def go_to(plant: LiftPlant, height_mm: float, speed_mm_s: float = 60.0) -> None:
    """Hoist there without overshooting much, then stand."""
    down = height_mm < plant.hoist.position_mm
    while plant.hoist.position_mm > height_mm if down else plant.hoist.position_mm < height_mm:
        plant.hoist_command = AxisCommand(True, -speed_mm_s if down else speed_mm_s)
        plant.step()
    plant.hoist_command = AxisCommand(True, 0.0)
    run(plant, 1000)


def traverse_to(plant: LiftPlant, x_mm: float) -> None:
    while plant.traverse.position_mm < x_mm:
        plant.traverse_command = AxisCommand(True, 300.0, 400.0, 600.0)
        plant.step()
    plant.traverse_command = OFF
    run(plant, 1000)


@pytest.mark.parametrize("speed_mm_s", [10.0, 30.0, 60.0, 100.0, 300.0])
@pytest.mark.parametrize("decel_mm_s2", [150.0, 300.0, 600.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_stop_distance_is_v_squared_over_2a(
    speed_mm_s: float, decel_mm_s2: float, sign: int
) -> None:
    axis = Axis(0.0, -1e6, 1e6)
    for _ in range(3000):
        axis.step(AxisCommand(True, sign * speed_mm_s))
    assert axis.velocity_mm_s == sign * speed_mm_s
    start_mm = axis.position_mm
    while not axis.stands:
        axis.step(AxisCommand(True, 0.0, 150.0, decel_mm_s2))
    ideal_mm = speed_mm_s**2 / (2 * decel_mm_s2)
    lag_mm = speed_mm_s * (STEP_S + LAG_S)
    assert abs(axis.position_mm - start_mm) <= 1.02 * ideal_mm + lag_mm
    assert abs(axis.position_mm - start_mm) >= 0.98 * ideal_mm


def test_no_motion_without_torque() -> None:
    plant = LiftPlant()
    plant.hoist_command = AxisCommand(False, 100.0)
    plant.traverse_command = AxisCommand(False, 100.0)
    run(plant, 2000)
    assert (plant.hoist.position_mm, plant.traverse.position_mm) == (1400.0, 400.0)


def test_an_empty_battery_drives_nothing_but_the_red_strap_still_lowers() -> None:
    plant = LiftPlant()
    plant.battery.soc = 0.0
    plant.hoist_command = AxisCommand(True, 50.0)
    run(plant, 1000)
    assert plant.hoist.position_mm == 1400.0
    plant.chain.pressed = plant.strap_pulled = True
    run(plant, 1000)
    assert plant.hoist.velocity_mm_s == pytest.approx(-40.0, abs=0.2)
    plant.strap_pulled = False
    run(plant, 200)
    assert plant.hoist.stands


def hanging(mass_kg: float = 75.0) -> LiftPlant:
    plant = LiftPlant(mass_kg)
    assert plant.hook() is not None
    go_to(plant, BED.free_mm - 60)
    assert abs(plant.load.reading_kg) < 0.01
    assert plant.hook() is None
    go_to(plant, BED.free_mm + 150)
    return plant


@pytest.mark.parametrize("mass_kg", [40.0, 75.0, 200.0])
def test_the_strap_load_settles_to_the_mass(mass_kg: float) -> None:
    plant = hanging(mass_kg)
    run(plant, 1000)
    assert plant.load.reading_kg == pytest.approx(mass_kg, rel=0.01)
    assert plant.unhook() is not None


def test_the_load_rises_over_a_few_centimetres() -> None:
    plant = LiftPlant()
    go_to(plant, BED.free_mm - 60)
    plant.hook()
    readings = []
    for height_mm in range(945, 1016, 10):
        go_to(plant, height_mm, 5.0)
        readings.append(plant.load.reading_kg)
    assert readings == sorted(readings)
    assert readings[0] < 1.0
    assert 20.0 < readings[4] < 60.0
    assert readings[-1] == pytest.approx(75.0, rel=0.01)


def test_lowering_onto_the_bed_unloads_then_slackens() -> None:
    plant = hanging()
    go_to(plant, BED.free_mm - 60)
    assert plant.load.reading_kg < 1.0
    assert plant.load.strap_tight
    assert plant.unhook() is None
    go_to(plant, BED.bar_rest_mm - 10)
    assert not plant.load.strap_tight
    assert plant.load.reading_kg < 0.0


def test_a_whole_transfer_from_bed_to_chair() -> None:
    plant = hanging()
    go_to(plant, 1300)
    traverse_to(plant, 3000)
    assert plant.load.reading_kg == pytest.approx(75.0, rel=0.01)
    go_to(plant, 840)
    assert plant.load.reading_kg < 1.0
    assert plant.unhook() is None
    assert plant.load.person_x_mm == pytest.approx(3000, abs=100)


def test_lifting_costs_at_least_the_potential_energy() -> None:
    plant = hanging()
    before_j, from_mm = plant.battery.soc * 24 * 5 * 3600, plant.hoist.position_mm
    go_to(plant, 2000)
    spent_j = before_j - plant.battery.soc * 24 * 5 * 3600
    assert spent_j > 75 * 9.81 * (plant.hoist.position_mm - from_mm) / 1000


def test_voltage_sags_under_load() -> None:
    plant = hanging()
    resting_v = plant.battery.voltage_v
    plant.hoist_command = AxisCommand(True, 60.0)
    run(plant, 1000)
    assert plant.battery.voltage_v < resting_v


def test_the_overspeed_brake_catches_and_stays() -> None:
    plant = hanging()
    plant.hoist_command = AxisCommand(True, -400.0, 5000.0, 5000.0)
    run(plant, 300)
    assert plant.overspeed_latched
    assert plant.hoist.stands
    plant.strap_pulled = True
    run(plant, 300)
    assert plant.hoist.stands


def test_hard_ends_and_their_switches() -> None:
    plant = LiftPlant()
    plant.hoist_command = AxisCommand(True, 100.0)
    plant.traverse_command = AxisCommand(True, -300.0)
    run(plant, 10_000)
    assert (plant.hoist.position_mm, plant.traverse.position_mm) == (2100.0, 0.0)
    contacts = plant.contacts()
    assert not contacts["upper_limit_free"]
    assert not contacts["left_end_free"]
    assert contacts["lower_limit_free"]


def test_feet_take_the_weight_as_the_person_stands() -> None:
    plant = ChairPlant(80.0)
    seated_kg = plant.feet_kg
    plant.actuator_command = AxisCommand(True, 20.0, 60.0, 60.0)
    run(plant, 16_000)
    assert plant.angle_deg == pytest.approx(80.0)
    assert seated_kg < plant.feet_kg <= 80.0
    plant.feet_on_plate = False
    assert plant.feet_kg == 0.0


def test_the_sit_lever_needs_neither_bus_nor_battery() -> None:
    plant = ChairPlant()
    plant.actuator.position_mm = 100.0
    plant.battery.soc = 0.0
    plant.sit_lever = True
    run(plant, 5000)
    assert plant.actuator.position_mm == pytest.approx(50.0, abs=2.0)


@pytest.mark.parametrize("missing", ["run_enable", "drive_released", "released_brakes", "joystick"])
def test_the_chair_drives_only_by_joystick_and_only_uninhibited(missing: str) -> None:
    plant = ChairPlant()
    plant.run_enable = missing != "run_enable"
    plant.drive_released = missing != "drive_released"
    plant.brakes = missing == "released_brakes"
    plant.joystick = 0.0 if missing == "joystick" else 0.5
    run(plant, 2000)
    assert plant.drive.velocity_mm_s == 0.0
