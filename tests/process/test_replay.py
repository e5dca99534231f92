"""The black box of a real run decides every turn again; a changed threshold names its turn."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.process.room import LIFT, Room

pytestmark = pytest.mark.process
SITE = Path("config/sites/demo-lift.toml")


@pytest.fixture
def ring(flying: Room, tmp_path: Path) -> Path:
    """A copy of the ring after a person was raised, the gate still running."""
    start = flying.height
    flying.page.hold("UP", lambda _: flying.height >= start + 60, "something to record")
    flying.standstill("letting go")
    return Path(shutil.copy(flying.ward.root / "data" / LIFT / "ring.bin", tmp_path))


def test_replay_is_identical(flying: Room, ring: Path) -> None:
    status, said = flying.ward.liftctl("replay", str(ring))
    assert status == 0, said
    turns = re.search(r"every verdict is the same: (\d+) turns", said)
    assert turns and int(turns[1]) > 100, said


@pytest.mark.parametrize("change", ["tension_pause_mm = 40", "hoist_loaded_mm_s = 59"])
def test_replay_with_one_threshold_changed(
    flying: Room, ring: Path, tmp_path: Path, change: str
) -> None:
    text = SITE.read_text(encoding="utf-8")
    other = tmp_path / "other.toml"
    other.write_text(text.replace("[limits]\n", f"[limits]\n{change}\n"), encoding="utf-8")
    status, said = flying.ward.liftctl("replay", str(ring), "--site", str(other))
    assert status == 1, said
    assert re.search(r"DIFFERENT VERDICT at \d+\.\d+ s, sequence \d+", said), said
    assert "recomputed" in said
