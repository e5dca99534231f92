"""A ceiling lift whose load cell is end-to-end protected: gate and kernel on the bench's cell.

Whatever is sent in the cell's name, nothing rises on it, and slow lowering stays (H24, rule 5).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from config.schema import ConfigError, DeviceSpec, load
from drivers.registry import build
from hil.nodes.scale import ProtectedScale
from hil.rooms.lift import LiftRoom
from liftctl.accept import check
from liftctl.gate.turn import configure, start
from safety.types import Motion
from safety.verdict import Marker
from tests.gate.room import SITES, Gate

FAULTS = ("wrong_crc", "frozen_counter", "skipped_counter", "invalid_counter", "wrong_data_id")
DOCKING_MM_S = 30.0


@dataclass
class ProtectedGate(Gate):
    """The demo lift with another load cell."""

    def __post_init__(self) -> None:
        super().__post_init__()
        site = self.config.site
        devices = tuple(
            replace(item, profile="load_cell_e2e", node=0) if item.name == "scale" else item
            for item in site.device
        )
        site = replace(site, device=devices)
        self.config = configure(site, tuple(build(item, site.limits) for item in devices))
        self.cell = ProtectedScale(0x21)
        self.room = LiftRoom(start_ns=self.now, load_cell=self.cell)
        self.state = start(self.config, self.now, Marker(0, False, (), 0))

    def pressed(self, motion: str, ms: int = 800) -> Motion:
        """Neutral, then a new press: what moves at its end."""
        self.press("")
        self.run(600)
        self.press(motion)
        return self.run(ms).verdict.moving


@pytest.fixture
def raised() -> ProtectedGate:
    """Nobody hangs; the bar is on its way up."""
    gate = ProtectedGate()
    gate.run(3000)
    assert gate.pressed("UP") is Motion.UP
    return gate


def moved_down(gate: ProtectedGate) -> bool:
    """A fresh press of DOWN lowers, and never faster than docking speed."""
    gate.press("")
    gate.run(600)
    gate.press("DOWN")
    fastest = 0.0
    for _ in range(75):
        gate.step()
        speed: float = gate.room.plant.hoist.velocity_mm_s
        fastest = min(fastest, speed)
    return -DOCKING_MM_S - 0.5 <= fastest < -5.0


@pytest.mark.parametrize("fault", FAULTS)
def test_a_cell_that_is_not_believed_stops_up_and_leaves_slow_down(
    raised: ProtectedGate, fault: str
) -> None:
    raised.cell.mode = fault
    limit_ms = raised.config.site.limits.load_ms if fault == "frozen_counter" else 40
    raised.run(int(limit_ms) + 60)
    assert raised.out is not None
    assert not raised.out.verdict.moving
    assert not raised.pressed("UP")
    assert not raised.pressed("RIGHT")
    assert moved_down(raised)
    raised.cell.mode = "ok"
    assert raised.pressed("UP") is Motion.UP


@pytest.mark.parametrize("claimed_kg", [0.0, 75.0, 1000.0])
def test_a_masquerade_raises_nobody_and_strands_nobody(
    raised: ProtectedGate, claimed_kg: float
) -> None:
    raised.cell.claimed_kg, raised.cell.mode = claimed_kg, "masquerade"
    raised.run(100)
    assert raised.out is not None
    assert not raised.out.verdict.moving
    assert not raised.pressed("UP")
    assert moved_down(raised)


def test_a_claimed_overload_by_a_stranger_is_no_overload(raised: ProtectedGate) -> None:
    raised.cell.claimed_kg, raised.cell.mode = 390.0, "masquerade"
    raised.run(400)
    raised.cell.mode = "ok"
    assert raised.pressed("UP") is Motion.UP


SITE = load(SITES / "demo-lift.toml")
CELL = DeviceSpec(name="cell", profile="load_cell_e2e", on="lift")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ((CELL,), "scale and cell both give 'load_kg'; keep one"),
        (
            (CELL, DeviceSpec(name="twin", profile="load_cell_e2e", on="lift")),
            "cell and twin both listen to 6A1 on lift; keep one",
        ),
    ],
)
def test_nobody_else_may_speak_for_a_protected_cell(
    more: tuple[DeviceSpec, ...], message: str
) -> None:
    others = tuple(item for item in SITE.device if item.name != "scale")
    check(replace(SITE, device=(*others, CELL)))
    with pytest.raises(ConfigError, match=message):
        check(replace(SITE, device=(*SITE.device, *more)))
