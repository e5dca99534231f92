"""What can be flipped around the kernel: the person, the plan, signals, who is alive, locks.

Role: switches as data, each option with what it does to an otherwise healthy world. Process: none
of the service's. Must never: say what the kernel makes of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from safety.signals import Spec
from safety.table import LOCKS
from safety.types import SignalId

S = SignalId
# What a healthy signal says where it is not simply 1.
HEALTHY: dict[SignalId, float] = {
    S.HOIST_POS: 1200, S.TRAVERSE_POS: 400, S.LOAD_KG: 0, S.LOAD_LEFT_KG: 0, S.LOAD_RIGHT_KG: 0,
    S.HOIST_SPEED: 0, S.TRAVERSE_SPEED: 0, S.HOIST_FAULT: 0, S.TRAVERSE_FAULT: 0,
    S.HOIST_CURRENT: 0, S.STAND_CURRENT: 3, S.BATTERY_PCT: 80, S.BATTERY_V: 25, S.MOTOR_TEMP: 30,
    S.FEET_KG: 20, S.PITCH_DEG: 0, S.ROLL_DEG: 0, S.STAND_POS: 0, S.STAND_SPEED: 0,
    S.STAND_FAULT: 0, S.DRIVE_SPEED: 0, S.DRIVE_FAULT: 0,
}  # fmt: skip
# What a measurement may say otherwise; contacts and flags simply change sides.
SAYS: dict[SignalId, tuple[float, ...]] = {
    S.HOIST_POS: (4000,), S.TRAVERSE_POS: (-20, 2100, 4100), S.LOAD_KG: (212, 230, 260),
    S.LOAD_LEFT_KG: (60,), S.LOAD_RIGHT_KG: (60,), S.HOIST_SPEED: (-200, -30, 50),
    S.TRAVERSE_SPEED: (50,), S.BATTERY_PCT: (8, 15), S.BATTERY_V: (11, 20, 21), S.MOTOR_TEMP: (85,),
    S.FEET_KG: (2,), S.PITCH_DEG: (5,), S.ROLL_DEG: (5,), S.STAND_POS: (150,),
    S.STAND_SPEED: (-5, 15), S.DRIVE_SPEED: (250,), S.STAND_CURRENT: (20,), S.HOIST_CURRENT: (60,),
}  # fmt: skip
UNITS = {
    "": "", "mm_s": "mm/s", "mm": "mm", "kg": "kg", "pct": "%", "v": "V", "c": "°C", "deg": "°",
    "rpm": "rpm", "a": "A",
}  # fmt: skip
WORDS = {"a": "A", "b": "B", "estop": "e-stop", "ok": "OK", "pos": "position",
         "temp": "temperature"}  # fmt: skip
PERSON_KG = 70.0
SITUATIONS, CONTACTS, MEASURED = "Situation", "Contacts and flags", "Measurements"
ALIVE, LOCKED = "Who is alive", "Set by a person or the calendar"
MOMENTS = "Needs a motion or a moment"
GROUPS = (SITUATIONS, CONTACTS, MEASURED, ALIVE, LOCKED, MOMENTS)
MOVED = frozenset({S.LOAD_KG, S.LOAD_LEFT_KG, S.LOAD_RIGHT_KG, S.HOIST_POS, S.STAND_POS})


@dataclass(frozen=True, slots=True)
class Option:
    """One setting of a switch: what it does to the world. `values`: None is a reading that may not
    be used. `then`: what changes once all of this has settled.
    """

    label: str
    values: tuple[tuple[SignalId, float | None], ...] = ()
    does: str = ""
    then: tuple[tuple[SignalId, float | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Switch:
    """Something that can be flipped; the first option is the healthy one."""

    id: str
    label: str
    group: str
    options: tuple[Option, ...]


def _load(kg: float) -> tuple[tuple[SignalId, float | None], ...]:
    return ((S.LOAD_KG, kg), (S.LOAD_LEFT_KG, kg / 2), (S.LOAD_RIGHT_KG, kg / 2))


def _hang(height_mm: float) -> tuple[tuple[SignalId, float | None], ...]:
    return (*_load(PERSON_KG), (S.HOIST_POS, height_mm))


SITUATION = {
    "lift": Switch(
        "situation", "Person", SITUATIONS,
        (
            Option("nobody in the sling"),
            Option("hangs low, loops not confirmed", _hang(1200), "aloft"),
            Option("hangs 10 cm up, not confirmed", _hang(1300), "aloft"),
            Option("hangs 20 cm up, loops confirmed", _hang(1400), "confirmed"),
            Option("hung there, a loop slips off", _hang(1400), "confirmed", _load(40)),
            Option("hung there, the load is gone", _hang(1400), "confirmed", _load(0)),
        ),
    ),
    "chair": Switch(
        "situation", "Person", SITUATIONS,
        (Option("sits"), Option("stands", ((S.STAND_POS, 150.0),), "stands")),
    ),
}  # fmt: skip


# Everything that is neither the person nor a signal: (setting, what it does to the world).
CHOICES: tuple[tuple[str, str, str, tuple[tuple[str, str], ...]], ...] = (
    ("plan", "Plan", SITUATIONS, (
        ("none needed", ""), ("fits", "plan"), ("one carer, not entitled", "one_carer"),
        ("another resident", "resident"), ("another sling", "sling"), ("limit 60 kg", "limit"),
        ("resident weighs 100 kg", "weight"),
    )),
    ("controller", "Controller", ALIVE, (
        ("permits", ""), ("permits nothing", "no_motion"), ("silent", "no_lease"),
    )),
    ("guard", "Guard", ALIVE, (("agrees", ""), ("has cut", "cut"), ("silent", "no_guard"))),
    ("recorder", "Recorder", ALIVE, (
        ("writes", ""), ("cannot write", "full"), ("silent", "no_recorder"),
    )),
    ("turn", "Gate's turn", ALIVE, (
        ("in time", ""), ("50 ms late", "late:50"), ("100 ms late", "late:100"),
    )),
    ("start", "Gate", ALIVE, (("runs", ""), ("just started, no panel yet", "restart"))),
    ("panel", "Key of the panel", ALIVE, (("free", ""), ("held since it appeared", "held"))),
    ("config", "Configuration", ALIVE, (
        ("accepted", ""), ("refused, the last one runs", "fallback"),
    )),
    *((name, name.capitalize(), LOCKED, (("no", ""), ("yes", f"lock:{name}")))
      for name in sorted(LOCKS)),
)  # fmt: skip


def choice(name: str, label: str, group: str, settings: tuple[tuple[str, str], ...]) -> Switch:
    made = (Option(text, does=does) for text, does in settings)
    return Switch(name, label, group, tuple(made))


def healthy(signal: SignalId) -> float:
    """What this signal says when all is well and nobody hangs or stands."""
    return HEALTHY.get(signal, 1.0)


def label_of(name: str) -> str:
    """An id as words."""
    told = " ".join(WORDS.get(word, word) for word in name.split("_"))
    return told[0].upper() + told[1:]


def latch(row: str) -> Switch:
    options = (Option("no"), Option("yes, latched", does=f"latch:{row}"))
    return Switch(f"latch:{row}", label_of(row), MOMENTS, options)


def singles(switches: tuple[Switch, ...]) -> Iterator[tuple[int, int]]:
    """Every option that is not the healthy one."""
    for number, switch in enumerate(switches):
        for option in range(1, len(switch.options)):
            yield number, option


def measured(signal: SignalId, spec: Spec) -> Switch:
    usual, unknown = healthy(signal), Option("unknown", ((signal, None),))
    if (spec.minimum, spec.maximum) == (0.0, 1.0):
        words = ("no", "yes")
        other = Option(words[int(1 - usual)], ((signal, 1 - usual),))
        label = label_of(signal.value)
        return Switch(signal.value, label, CONTACTS, (Option(words[int(usual)]), other, unknown))
    unit = next((u for u in UNITS if u and signal.value.endswith(f"_{u}")), "")
    label = label_of(signal.value.removesuffix(f"_{unit}"))
    said = (Option(f"{v:g} {UNITS[unit]}", ((signal, v),)) for v in SAYS.get(signal, ()))
    usually = f"{usual:g} {UNITS[unit]}" if signal not in MOVED else "by the situation"
    return Switch(signal.value, label, MEASURED, (Option(usually), *said, unknown))
