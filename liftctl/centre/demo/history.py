"""Made-up days of a gateway: transfers, trends, trips, service, in the words real ones use.

Role: entries for a ledger and an event chain. Process: a demo home. Must never: be taken for a
measurement: every number here is invented.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from liftctl.centre.demo.cast import Gateway
from liftctl.recorder.entries import Entry

KINDS = {"lift": ("bed-chair", "chair-bed", "bed-toilet"), "chair": ("stand-sit",)}
ROWS = {"lift": ("evidence_lost", "slack", "rail_left", "overload", "estop"),
        "chair": ("evidence_lost", "knee_block", "brakes", "pitch")}  # fmt: skip
SERVICE_CYCLES = 2500


@dataclass(slots=True)
class Life:
    """One gateway's invented history; `rng` makes it the same each time."""

    gateway: Gateway
    rng: random.Random
    cycles: int

    def transfer(self, name: str) -> Entry:
        """A closed transfer; the resident's token and weight are there to show that they stay."""
        rng, kind = self.rng, self.gateway.kind
        outcome = rng.choices(("completed", "fallback2", "aborted", "fault"), (92, 4, 3, 1))[0]
        carers = 2 if outcome == "fallback2" or rng.random() < 0.15 else 1
        elapsed = rng.lognormvariate(math.log(230), 0.25)
        blocks = [{"row": rng.choice(ROWS[kind]), "at_s": 12.0}] if rng.random() < 0.1 else []
        record = {
            "schema": 2, "id": name, "device": kind, "kind": rng.choice(KINDS[kind]),
            "outcome": outcome, "carers_planned": 1, "carers_actual": carers,
            "elapsed_s": round(elapsed, 1), "staff_s": round(elapsed * carers, 1),
            "blocks": blocks, "alarms": [], "battery_start_pct": 81, "battery_end_pct": 78,
            "resident": f"r-{rng.randrange(9)}", "peak_load_kg": 71.5, "version": "0.1.0",
        }  # fmt: skip
        self.cycles += 1
        return Entry("closed", name, 1, record, {"outcome": outcome})

    def day(self, left: int, today: date) -> Iterator[Entry]:
        """The events of one day, `left` days before today."""
        yield Entry("trend", "", 1, {"values": self.trends(left)})
        yield Entry("service", "", 1, self.service(today))
        if self.rng.random() < (0.5 if self.gateway.character in ("drift", "comms") else 0.12):
            yield self.trip(self.rng.choice(ROWS[self.gateway.kind]))

    def trends(self, left: int) -> dict[str, float]:
        """How the device wears; `left` 0 is today."""
        who, noise, late = self.gateway.character, self.rng.gauss, max(0.0, 1 - left / 45)
        values = {
            "battery_pct": 84 + noise(0, 3) - (58 * late if who == "battery" else 0),
            "comms_errors": max(0, noise(2, 2)) + (160 * late if who == "comms" else 0),
        }
        if self.gateway.kind == "lift":
            values["motor_current_pct_at_swl"] = (
                62 + noise(0, 1.2) + (22 * late if who == "motor" else 0)
            )
            values["brake_drift_mm"] = abs(noise(1.2, 0.4)) + (7 * late if who == "drift" else 0)
        return {name: round(max(0.0, value), 2) for name, value in values.items()}  # fmt: skip

    def commissioned(self) -> Entry:
        """What it was when it was new."""
        return Entry("commissioned", "", 1, {"values": self.trends(1000), "lifts": 20})

    def service(self, today: date) -> dict[str, Any]:
        """Counters and due dates."""
        overdue = self.gateway.character == "overdue"
        return {
            "cycles": self.cycles, "service_cycles": SERVICE_CYCLES,
            "service_by": str(today + timedelta(days=20 if overdue else 140)),
            "inspection_by": str(today - timedelta(days=9) if overdue
                                 else today + timedelta(days=190)),
        }  # fmt: skip

    def inspected(self, today: date) -> Entry:
        """An inspection that was done."""
        return Entry("service", "", 1, {**self.service(today), "done": "inspection",
                                        "result": "passed"})  # fmt: skip

    def report(self) -> Entry:
        """The reported side of the twin."""
        who = self.gateway.character
        latched = ["hoist_overspeed"] if who == "latched" else []
        told: dict[str, Any] = {
            "kind": self.gateway.kind, "mode": "faulted" if latched else "ready",
            "latched": latched, "active": latched, "quality": {},
            "battery_pct": 26 if who == "battery" else 83, "config_hash": "6b1f0c2d9a7e4411",
            "config_fallback": False, "version": "0.1.0", "refusing": latched,
        }  # fmt: skip
        return Entry("report", "", 1, told)

    def trip(self, row: str) -> Entry:
        """A stop in mid-lift with its last ten seconds."""
        told: dict[str, Any] = {"row": row, "latched": row == "hoist_overspeed", "moving": "UP"}
        return Entry("trip", "", 1, told | {"active": [row], "window": self._window()})

    def _window(self) -> dict[str, list[float]]:
        times = [round(-10 + n / 10, 1) for n in range(101)]
        ramp = [max(0.0, min(1.0, (t + 8) / 0.8)) * min(1.0, max(0.0, -t / 0.3)) for t in times]
        speed = [round(50 * r + self.rng.gauss(0, 0.5) * bool(r), 1) for r in ramp]
        height, heights = 600.0, []
        for value in speed:
            height += value / 10
            heights.append(round(height, 1))
        if self.gateway.kind == "chair":
            return {"t_s": times, "stand_speed_mm_s": [round(v / 5, 2) for v in speed],
                    "stand_current_a": [round(4 * r + 0.2, 2) for r in ramp],
                    "stand_stroke_mm": [round(v / 5, 1) for v in heights]}  # fmt: skip
        return {"t_s": times, "hoist_speed_mm_s": speed, "hoist_height_mm": heights,
                "hoist_current_pct": [round(6 + 34 * r + self.rng.gauss(0, 0.8), 1) for r in ramp],
                "load_pct_swl": [40.0 if t > -7.6 else 5.0 for t in times]}  # fmt: skip
