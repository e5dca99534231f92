"""What a second look at the kernel found: time that was not watched, and ordinary situations that
looked like faults (H4-H6, H14, H24).
"""

from __future__ import annotations

from safety.types import Motion, SignalId
from tests.kernel.trips import aloft
from tests.kernel.world import World

S, M = SignalId, Motion


# --- the red strap, while the drive says nothing


def test_a_person_brought_down_by_hand_while_the_drive_is_silent_has_not_slipped() -> None:
    """H5, H24: nobody knows whether it sinks; an unknown speed must not become a slipped loop."""
    world = aloft(70.0)
    world.values |= {S.HOIST_SPEED: None, S.HOIST_POS: None}
    world.run(2000)
    for kg in range(70, -1, -2):
        world.values[S.LOAD_KG] = float(kg)
        world.step()
    world.run(1000)
    assert not world.state.latched
