"""What a condition may ask about: names, where each is found, its unit and what it means.

Role: the vocabulary of scenarios, on plant truth first. Must never: name anything that only one
plane has.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """`lane` and `field` of the timeline; `kind` is a dimension, "bool", "word" or "set"."""

    lane: str
    field: str
    kind: str
    what: str
    factor: float = 1.0


P, G, C, U = "plant", "gate", "controller", "guard"
WORDS: dict[str, Word] = {
    # lift
    "height": Word(P, "height_mm", "length", "height of the spreader bar"),
    "speed": Word(P, "speed_mm_s", "speed", "speed of the spreader bar, up is positive"),
    "x": Word(P, "x_mm", "length", "place of the trolley on the rail"),
    "x_speed": Word(P, "x_speed_mm_s", "speed", "speed of the trolley, right is positive"),
    "load": Word(P, "load_kg", "mass", "load on the strap"),
    "person": Word(P, "person_mm", "length", "height of the sling"),
    "hooked": Word(P, "hooked", "bool", "the sling hangs on the bar"),
    "hoist_brake": Word(P, "hoist_brake", "bool", "the hoist's brake holds"),
    "traverse_brake": Word(P, "traverse_brake", "bool", "the trolley's brake holds"),
    "strap_tight": Word(P, "strap_tight", "bool", "the strap is tight"),
    "strap_pulled": Word(P, "strap", "bool", "somebody pulls the red strap"),
    "overspeed": Word(P, "overspeed", "bool", "the mechanical over-speed brake has latched"),
    # chair
    "stroke": Word(P, "stroke_mm", "length", "stroke of the stand actuator"),
    "stroke_speed": Word(P, "stroke_speed_mm_s", "speed", "its speed, standing up is positive"),
    "angle": Word(P, "angle_deg", "angle", "stand angle"),
    "drive_speed": Word(P, "drive_mm_s", "speed", "speed of the chair"),
    "drive_released": Word(P, "drive_released", "bool", "the joystick may turn the motors"),
    "actuator_brake": Word(P, "actuator_brake", "bool", "the stand actuator holds"),
    "feet_load": Word(P, "feet_kg", "mass", "load on the foot plate"),
    "current": Word(P, "current_a", "current", "current of the stand actuator"),
    # both
    "relay": Word(P, "relay", "bool", "the guard's run enable is closed"),
    "estop": Word(P, "estop", "bool", "an emergency stop is pressed"),
    "torque_off": Word(P, "torque_off", "bool", "the motors have no torque"),
    "charge": Word(P, "soc", "share", "charge of the battery", 100.0),
    "voltage": Word(P, "voltage_v", "voltage", "voltage of the battery"),
    "mass": Word(P, "mass_kg", "mass", "weight of the person"),
    # what the service says
    "moving": Word(G, "moving", "word", "the motion the gate commands, or none"),
    "mode": Word(G, "mode", "word", "the gate's mode"),
    "owner": Word(G, "owner", "word", "the station that owns the motion"),
    "active": Word(G, "active", "set", "the rows that are active"),
    "latched": Word(G, "latched", "set", "the rows that are latched"),
    "aloft": Word(G, "aloft", "bool", "the gate holds that somebody hangs"),
    "standing": Word(G, "standing", "bool", "the gate holds that somebody stands"),
    "tension_pause": Word(G, "tension_pause", "bool", "the pause at low height"),
    "in_flight": Word(G, "in_flight", "bool", "the marker says that somebody is carried"),
    "cut": Word(U, "cut", "word", "why the guard has cut, or none"),
    "enabled": Word(U, "enable", "bool", "the guard toggles the run enable"),
    "device_mode": Word(C, "mode", "word", "the controller's device mode"),
    "step": Word(C, "step", "word", "the step of the transfer"),
}
SPEEDS = ("speed_mm_s", "x_speed_mm_s", "stroke_speed_mm_s")
STILL_MM_S = 1.0


def still(plant: dict[str, object]) -> bool:
    """No lifted or standing person moves: every driven axis rests."""
    found = [plant[name] for name in SPEEDS if name in plant]
    return all(abs(speed) < STILL_MM_S for speed in found)  # type: ignore[arg-type]
