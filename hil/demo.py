"""`make demo`: one single-handed transfer and one stand through the real processes, judged on the
truth log.

Role: the whole spine once. Process: the judge. Must never: count anything as moved because the
service says so.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from typing import Any

from hil.judge.finger import Broken, Finger
from hil.judge.truth import Travel, travel
from hil.judge.ward import WardUnderTest

HOIST = {"UP", "DOWN"}
RAIL = {"LEFT", "RIGHT"}
STANDER = {"STAND", "SIT"}
# (truth key, motions, most that stopping may take in mm, docs/safety/budget.md)
AXES = {
    "lift": (("height_mm", HOIST, 50.0), ("x_mm", RAIL, 200.0)),
    "chair": (("stroke_mm", STANDER, 20.0),),
}
STANDSTILL_MM = 2.0
HEIGHT, STROKE = "hoist_height_mm", "stand_stroke_mm"
SABOTAGE = {
    "gate_lies": {"demo-lift:gate": "hil.rig.gate_lies"},
    "guard_off": {"guard": "hil.rig.guard_off"},
    "ledger_drop": {"recorder": "hil.rig.ledger_drop"},
}


def say(text: str) -> None:
    """Progress, on standard error: standard output ends with the JSON object."""
    sys.stderr.write(f"demo: {text}\n")


def _ready(state: dict[str, Any]) -> bool:
    rows = {row for item in state.get("motions", {}).values() for row in item["rows"]}
    awaited = any("guard" in row or row == "recorder_lost" for row in rows)
    modes = (state.get("mode"), (state.get("controller") or {}).get("mode"))
    return modes in (("ready", "ready"), ("ready", "degraded")) and not awaited


def _step(state: dict[str, Any]) -> str:
    transfer = (state.get("controller") or {}).get("transfer") or {}
    return str(transfer.get("step", ""))


def _blocked(motion: str, row: str) -> Any:
    return lambda state: row in state["motions"][motion]["rows"]


def _met(row: str) -> Any:
    return lambda state: row in ((state.get("controller") or {}).get("transfer") or {})["blocks"]


async def _begin(finger: Finger, kind: str) -> None:
    await finger.until(_ready, "a gate that is ready", 30.0)
    finger.fatal = "guard_cut"
    await finger.step("begin", kind=kind, resident="r-7f3a", badge="0006547886", carers="1")
    await finger.until(lambda s: _step(s) == "checking", "the record to be opened")
    await finger.step("checks_ok")
    await finger.step("consent_yes")


async def transfer(ward: WardUnderTest, finger: Finger) -> dict[str, Any]:
    """Bed to chair, one carer: tension pause, a release in mid-lift, a blocked arrow with its
    reason.
    """
    await _begin(finger, "bed-chair")
    await finger.hold(
        "DOWN", lambda _: 0 < finger.value(HEIGHT) <= 950, "the bar over the resident"
    )
    with ward.control("lift") as hands:
        hands.do("hook")
        await finger.step("hooked")
        await finger.hold("UP", _blocked("UP", "tension_pause"), "the tension pause")
        reason = finger.state["motions"]["RIGHT"]["rows"][0]
        await finger.hold("RIGHT", _met(reason), "a blocked arrow in the record")
        say(f"held at the tension pause; the arrow to the right is blocked: {reason}")
        await finger.step("loops_ok")
        await finger.hold(
            "UP", lambda _: finger.value(HEIGHT) >= 1150, "the first half of the lift"
        )
        await finger.until(lambda s: s["moving"] == "", "a stop after letting go in mid-lift")
        await finger.hold(
            "UP", lambda _: finger.value(HEIGHT) >= 1250, "the second half of the lift"
        )
        await finger.hold("RIGHT", lambda _: hands.state()["x_mm"] >= 3000, "the chair")
        await finger.hold("DOWN", lambda s: s["values"]["load_kg"] < 3, "the seat")
        await finger.until(lambda s: _step(s) in ("slack", "unhooking"), "the load to be gone")
        hands.do("unhook")
    if _step(finger.state) in ("slack", "unhooking"):
        await finger.step("unhooked")
    await finger.until(lambda s: _step(s) == "outcome", "the outcome form")
    await finger.step("finish", outcome="completed", carers="1", reason="")
    await finger.until(lambda s: _step(s) in ("done", "idle", ""), "the record to be closed")
    return {"blocked_arrow": "RIGHT", "reason": reason}


async def stand(finger: Finger) -> None:
    """Stand up, let go half-way, stand on, sit down."""
    await _begin(finger, "stand-sit")
    await finger.hold("STAND", lambda _: finger.value(STROKE) >= 140, "the first half of standing")
    await finger.until(lambda s: s["moving"] == "", "a stop after letting go in mid-stand")
    await finger.hold("STAND", lambda _: finger.value(STROKE) >= 280, "the second half of standing")
    await finger.hold("SIT", lambda _: 0 <= finger.value(STROKE) <= 1, "the seat")
    await finger.until(lambda s: _step(s) == "outcome", "the outcome form")
    await finger.step("finish", outcome="completed", carers="1", reason="")
    await finger.until(lambda s: _step(s) in ("done", "idle", ""), "the record to be closed")


def truth_of(ward: WardUnderTest, room: str, finger: Finger) -> dict[str, Any]:
    """What the plant did, and the largest travel without evidence on each axis."""
    rows = ward.truth[room].rows()
    found: dict[str, Any] = {"rows": len(rows)}
    for key, motions, limit_mm in AXES[room]:
        holds = [(begin, end) for motion, begin, end in finger.holds if motion in motions]
        gone: Travel = travel(rows, key, holds)
        found[key] = {
            "lowest": min(row[key] for row in rows),
            "highest": max(row[key] for row in rows),
            "largest_travel_without_evidence_mm": gone.stopping_mm,
            "limit_mm": limit_mm,
            "largest_movement_after_standstill_mm": gone.after_standstill_mm,
        }
        if gone.stopping_mm > limit_mm or gone.after_standstill_mm > STANDSTILL_MM:
            raise Broken(f"room {room}: {key} moved without evidence: {found[key]}")
    return found


def ledger_of(ward: WardUnderTest, room: str) -> dict[str, Any]:
    """The last record, the saved time and the head, as the service's own commands tell them."""
    file = ward.site_file(room)
    path = ward.root / "data" / f"demo-{room}" / "ledger.sqlite"
    status, text = ward.liftctl("ledger", "verify", str(path), "--json")
    if status:
        raise Broken(f"room {room}: the ledger does not verify: {text[-300:]}")
    checked = json.loads(text)
    _, text = ward.liftctl("report", "--json", "--site", file)
    report = json.loads(text)
    if report["n_logged"] < 1:
        raise Broken(f"room {room}: the ledger lost a record: it was acknowledged and is not there")
    _, text = ward.liftctl("transfers", "--json", "--site", file)
    return {"record": json.loads(text)[0], "head": checked["head"], "report": report}


def verdicts_of(ward: WardUnderTest, room: str) -> dict[str, Any]:
    """Counts of gate and guard; a guard that had to cut is a failed demo."""
    status = ward.status(room)
    guard, counters = status["guard"] or {}, status["gate"]["counters"] or {}
    if guard.get("cuts", 0) > 1 or guard.get("cut"):
        raise Broken(
            f"room {room}: the guard had to cut: {guard.get('cut')} ({guard.get('cuts')} cuts)"
        )
    return {
        "gate": counters,
        "guard": {name: guard.get(name) for name in ("checks", "cuts", "cut")},
    }


async def play(ward: WardUnderTest, lift: Finger, chair: Finger) -> dict[str, Any]:
    """Everything once; the result object."""
    told: dict[str, Any] = {}
    await lift.open()
    await chair.open()
    try:
        say("room 1: bed to chair with one carer")
        told["lift"] = await transfer(ward, lift)
        say("room 2: standing up and sitting down")
        await stand(chair)
        told["chair"] = {}
    finally:
        await asyncio.gather(lift.close(), chair.close())
    for room, finger in (("lift", lift), ("chair", chair)):
        asked = told[room].get("reason")  # the blocked arrow was meant to be refused
        told[room]["nuisance_stops"] = [why for why in finger.nuisance if why != asked]
        told[room] |= {"truth": truth_of(ward, room, finger), "verdicts": verdicts_of(ward, room)}
        told[room] |= ledger_of(ward, room)
        told[room] |= _figures(told[room]["record"], told[room]["report"])
    return told


def _figures(record: dict[str, Any], report: dict[str, Any]) -> dict[str, Any]:
    if record["outcome"] != "completed":
        raise Broken(f"the record says {record['outcome']}, it was completed")
    baseline = {kind: item["baseline"] for kind, item in report["kinds"].items()}
    before_s, staff_s = baseline[record["kind"]]["staff_s"], record["staff_s"]
    return {
        "phases": record["phases"],
        "carers": record["carers_planned"],
        "peak_load_kg": record["peak_load_kg"],
        "blocks": record["blocks"],
        "staff_s": staff_s,
        "saved_staff_s": before_s - staff_s,  # of this one: a report has no mean of one resident
        "baseline": baseline,
    }


def _verdict_on_sabotage(kind: str, ward: WardUnderTest, finger: Finger, error: str) -> str:
    """Each sabotage has its own message; the truth log says how far it went."""
    if kind == "gate_lies":
        time.sleep(1.0)  # let the plant come to rest before its truth is read
        guard = ward.status("lift")["guard"] or {}
        holds = [(begin, end) for motion, begin, end in finger.holds if motion in HOIST]
        gone = travel(ward.truth["lift"].rows(), "height_mm", holds)
        return (
            f"the gate lied and moved {gone.stopping_mm} mm without evidence before the guard "
            f"cut ('{guard.get('cut')}'); {error}"
        )
    if kind == "guard_off":
        return f"the guard is off: nothing rises or stands without its run enable; {error}"
    return f"the ledger dropped a record that was acknowledged; {error}"


def main() -> int:
    """Run the demo; 0 only if all of it held."""
    parser = argparse.ArgumentParser(prog="make demo")
    parser.add_argument("--sabotage", choices=sorted(SABOTAGE))
    kind = parser.parse_args().sabotage
    started = time.monotonic()
    with WardUnderTest(modules=SABOTAGE.get(kind, {})) as ward:
        lift, chair = Finger(ward.port), Finger(ward.port + 1)
        try:
            told = asyncio.run(play(ward, lift, chair))
        except Broken as error:
            text = _verdict_on_sabotage(kind, ward, lift, str(error)) if kind else str(error)
            say(f"FAILED: {text}")
            say(ward.tail())
            sys.stdout.write(json.dumps({"ok": False, "why": text}) + "\n")
            return 1
    told |= {"ok": True, "seconds": round(time.monotonic() - started, 1)}
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
