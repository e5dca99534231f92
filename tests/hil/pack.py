"""A pack of runs made by hand: a lift that a row stops in mid-motion, told as a timeline."""

from __future__ import annotations

from typing import Any

from hil.timeline import Result, Timeline, Verdict

MS = 1_000_000
FREE: dict[str, list[str]] = {"UP": [], "DOWN": [], "LEFT": [], "RIGHT": []}
HAZARD = "H" + "8"  # in two parts: these runs are no evidence of anything
ROW = "slack" + "_rise"


def told(moving: str = "", mode: str = "ready", **rows: list[str]) -> dict[str, Any]:
    """A gate event's fields: which rows stand before which motion."""
    motions = {**FREE, **rows}
    active = sorted({name for names in motions.values() for name in names})
    acts = {
        name: {"act": "HOLD" if found else "NONE", "rows": found} for name, found in motions.items()
    }
    return {"active": active, "motions": acts, "moving": moving, "mode": mode, "latched": []}


def lift_stopped_by(row: str = ROW, hooked: bool = True, fault: str = "L7.jam") -> Timeline:
    """Press, rise, the row trips at 2 s, release at 3 s, it goes at 4 s, press again at 5 s."""
    line = Timeline()
    line.add(0, "meta", "scenario", id="S-1", title="made by hand", seed=7)
    line.add(0, "gate", "verdict", **told())
    height = 900.0
    for step in range(700):
        t_ns = step * 10 * MS
        rising = 100 <= step < 205 or step >= 520
        speed = 55.0 if rising else 0.0
        height += speed / 100
        line.add(
            t_ns, "plant", "truth", height_mm=height, speed_mm_s=speed, hooked=hooked, load_kg=75.0
        )
        _at(line, step, t_ns, row, fault)
    line.add(6_990 * MS, "expect", "passed", text="it stops", value=3.2, limit=50.0, unit="mm")
    return line


def _at(line: Timeline, step: int, t_ns: int, row: str, fault: str) -> None:
    match step:
        case 100 | 500:
            line.add(t_ns, "human", "press", station="hand", motion="UP")
            line.add(t_ns + 1, "gate", "verdict", **told("UP"))
        case 180:
            line.add(t_ns, "fault", "requested", id=fault)
        case 198:
            line.add(t_ns, "fault", "active", id=fault, proof={"strap_tight": False})
        case 200:
            line.add(t_ns, "gate", "verdict", **told("", UP=[row]))
            line.add(t_ns, "bus", "tx", bus="lift", id=0x210, data="0200")
            line.add(t_ns, "alarm", "raised", row=row)
        case 300:
            line.add(t_ns, "human", "release", station="hand")
        case 390:
            line.add(t_ns, "fault", "cleared", id=fault, proof={"strap_tight": True})
        case 400:
            line.add(t_ns, "gate", "verdict", **told())


def result(
    line: Timeline, name: str = "S-1", verdict: Verdict = Verdict.PASS, **more: Any
) -> Result:
    """The run of a timeline."""
    fields = {
        "title": "Slack strap while rising",
        "hazards": (HAZARD,),
        "clauses": ("ISO 7176-14 7.2",),
    }
    fields |= {"timeline_hash": line.hash(), "simulated_s": 7.0}
    return Result(id=name, verdict=verdict, **(fields | more))
