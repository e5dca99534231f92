"""What nobody knows while a node really is there, and what cannot be concluded for that.

Role: from the nodes that are present to fields of the truth without an eye, to rules and
expectations that need them. Must never: let one of those end as a pass, or let what was seen to
fail end as anything but a failure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from hil import oracle
from hil.run import Ran
from hil.scenario.model import Doing, Scenario
from hil.scenario.play import PLACE
from hil.scenario.words import SPEEDS, WORDS
from hil.timeline import Verdict

CHAIN = frozenset({"estop", "torque_off"})  # the real one is wired to whatever really is there
CONTACTS = frozenset(
    {"hand", "hand_present", "soc", "voltage_v", "charger", *CHAIN}
    | {f"contact_{name}" for name in ("estop_a", "estop_b", "charger_absent")}
)
UNKNOWN: dict[str, frozenset[str]] = {
    "hoist": CHAIN | {
        "height_mm", "speed_mm_s", "hoist_brake", "bar_mm", "load_kg", "strap_tight", "hooked",
        "person_mm", "person_x_mm", "mass_kg", "surface", "swing_mm", "tension_n", "support_n",
        "snagged", "drum_slack_mm", "drum_turns", "motor_rpm", "motor_c", "fallen", "strap",
        "hoist_current_permille", "hoist_stalled", "hoist_brake_mode", "encoder_error_mm",
        "overspeed", "hoist_state",
    },
    "traverse": CHAIN | {
        "x_mm", "x_speed_mm_s", "traverse_brake", "traverse_state", "person_x_mm", "swing_mm",
        "surface",
    },
    "contacts": CONTACTS | {
        f"contact_{name}_free" for name in ("upper_limit", "lower_limit", "left_end", "right_end")
    } | {"contact_strap_tight"},
    "scale": frozenset({"load_kg", "mass_kg", "tension_n"}),
    "stander": CHAIN | {
        "stroke_mm", "stroke_speed_mm_s", "angle_deg", "actuator_brake", "current_a", "feet_kg",
        "seat_kg", "knee_n", "actuator_n", "centre_x_mm", "centre_z_mm", "tip_margin_mm", "tipped",
        "mass_kg", "sit_lever", "motor_c", "encoder_error_mm", "jammed",
    },
    "seat": CONTACTS | {
        f"contact_{name}" for name in ("knee_a", "knee_b", "belt_a", "belt_b", "brakes")
    } | {"knee", "belt", "brakes", "feet", "feet_kg", "pitch_deg", "roll_deg"},
    "guard_io": CHAIN | {"relay", "contact_guard_estop_a", "contact_guard_estop_b"},
}  # fmt: skip
ON = {
    "lift": ("hoist", "traverse", "contacts", "scale", "guard_io"),
    "chair": ("stander", "seat", "guard_io"),
}
# What a hand or a fault takes hold of: verb or fault -> a field that has to be simulated.
HOLDS = {
    "estop": "estop", "hand": "hand", "strap": "strap", "hook": "hooked", "unhook": "hooked",
    "mass": "mass_kg", "soc": "soc", "charger": "charger", "contact": "contact_estop_a",
    "sit_lever": "sit_lever", "knee": "knee", "belt": "belt", "brakes": "brakes", "feet": "feet",
    "pitch": "pitch_deg", "jammed": "jammed", "relay_welded": "relay", "overspeed_reset": "strap",
    "snag": "strap", "encoder": "encoder_error_mm", "battery": "soc", "lean": "stroke_mm",
    "L0.charger": "charger", "L0.charge": "soc", "L1.contact": "contact_estop_a",
    "L1.hand_unplugged": "hand", "L1.relay_welded": "relay", "L7.mass": "mass_kg",
    "L7.slope": "pitch_deg", "L7.joystick": "joystick", "joystick": "joystick",
}  # fmt: skip
SETPOINT = {"hoist": "speed_mm_s", "traverse": "x_speed_mm_s"}
NAME = re.compile(r"[A-Za-z_]\w*")


def fields(names: tuple[str, ...]) -> frozenset[str]:
    """Of the truth, unknown while these nodes really are there."""
    return frozenset().union(*(UNKNOWN[name] for name in names))


def beyond(scenario: Scenario, unknown: frozenset[str]) -> str:
    """Which hand or fault cannot reach what really is there, or ""."""
    for doing in scenario.steps if unknown else ():
        held = _takes_hold(doing)
        if held is None or held & unknown:
            what = doing.args.get("id") or doing.args.get("do") or "a key of the hand control"
            return f"line {doing.line}: {what} would have to be done to what really is there"
    return ""


def _takes_hold(doing: Doing) -> set[str] | None:
    """Fields of the truth; None where nobody has said which."""
    args = doing.args
    if doing.verb not in ("act", "fault"):
        return {"hand"} if args.get("station") == "hand" else set()
    name, given = str(args.get("do") or args.get("id")), args.get("with", {})
    if name.startswith("L9."):
        return set()
    if name == "L6.setpoint":
        return {SETPOINT[given.get("axis", "hoist")]}
    if name == "L7.part":
        return {str(given.get("part"))}
    return {HOLDS[name]} if name in HOLDS else None


def doubt(ran: Ran, scenario: Scenario, unknown: frozenset[str], told: bool) -> Ran:
    """The run with what nobody saw taken out of its verdict; `told`: the story came to its end."""
    if not unknown or ran.result.verdict not in (Verdict.PASS, Verdict.FAIL):
        return ran
    unseen = dict(_unseen(scenario, unknown))
    seen = [event["line"] for event in ran.timeline.lane("expect", "failed")]
    harmed = oracle.told(oracle.violations(ran.timeline), scenario.excused)
    if harmed or (told and any(line not in unseen for line in seen)):
        return ran
    rules = [rule for rule in oracle.blind(unknown) if rule not in scenario.excused]
    reasons = [f"oracle: {rule}: what it needs to see really is there" for rule in rules]
    reasons += [f"line {line}: {why}" for line, why in unseen.items()]
    kept = ran.result.reasons if ran.result.verdict is Verdict.FAIL else ()
    if not reasons and not kept:
        return ran
    result = replace(ran.result, verdict=Verdict.INCONCLUSIVE, reasons=(*kept, *reasons))
    return replace(ran, result=result)


def _unseen(scenario: Scenario, unknown: frozenset[str]) -> Iterator[tuple[int, str]]:
    for doing in (*scenario.steps, *scenario.expect):
        words = sorted(_asked(doing) & unknown)
        if words and (doing.verb == "probe" or doing in scenario.expect):
            yield doing.line, f"{doing.verb} needs the truth of {', '.join(words)}"


def _asked(doing: Doing) -> set[str]:
    if doing.verb == "probe":
        return set(PLACE.values())
    if doing.verb == "no_restart":
        return set(SPEEDS)
    text = " ".join(str(getattr(value, "text", value)) for value in doing.args.values())
    names = set(NAME.findall(text))
    found = {WORDS[name].field for name in names & WORDS.keys() if WORDS[name].lane == "plant"}
    return found | (set(SPEEDS) if "still" in names else set())
