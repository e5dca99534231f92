"""How long until a row trips: the question most tests of single rows ask."""

from __future__ import annotations

from safety.types import LOWERING, Act, Motion, SignalId
from tests.kernel.world import World

S, M = SignalId, Motion
NEVER = -1


def trips_after(world: World, row: str, within_ms: int = 8000) -> int:
    """Milliseconds of steps until `row` is active; NEVER when it is not within the time."""
    for n in range(within_ms // 20):
        if row in world.step().active:
            return 20 * n
    return NEVER


def aloft(load_kg: float = 70.0, rise_mm: float = 300.0, confirmed: bool = True) -> World:
    """Someone hangs, their loops confirmed, well above their pick-up height."""
    world = World().ready()
    world.values[S.LOAD_KG] = load_kg
    world.confirmed = 1 if confirmed else 0
    world.run(400)
    world.values[S.HOIST_POS] = 1200.0 + rise_mm
    world.run(1600)
    assert world.state.people.aloft
    assert world.state.people.confirmed is confirmed
    return world


def standing(stroke_mm: float = 100.0) -> World:
    """Someone stands in the chair."""
    world = World(kind="chair").ready()
    world.values[S.STAND_POS] = stroke_mm
    world.run(400)
    assert world.state.people.standing
    return world


def free(world: World) -> Motion:
    """The motions that may be started now."""
    assert world.verdict is not None
    found = M.NONE
    for item in world.verdict.motions:
        found |= item.motion if item.act <= Act.SLOW else M.NONE
    return found


def lowers(world: World) -> bool:
    """Neutral, and then a fresh press of DOWN or SIT moves."""
    motion = M.DOWN if world.kind == "lift" else M.SIT
    assert motion & LOWERING
    world.release()
    world.run(800)  # the axis comes to rest
    world.press(motion)
    world.run(200)
    return world.speed(motion) < 0
