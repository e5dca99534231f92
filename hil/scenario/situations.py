"""How a scenario begins: a carer brings lift or chair, step by step, to where the story starts.

Role: the ordinary way through a transfer, with the service's own steps. Must never: put the device
anywhere by magic; a bar that begins low was left low.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hil.clock import NS_PER_MS
from hil.scenario.conditions import condition

if TYPE_CHECKING:
    from hil.scenario.play import Player

S = 1000 * NS_PER_MS
READY = condition(
    "mode == ready and enabled and device_mode != starting and device_mode != offline"
)
STEP = {name: condition(f"step == {name}") for name in ("checking", "raising", "standing_up")}
PAUSE = condition("tension_pause")
STILL = condition("still and moving == none")
LEFT_LOW_MM = 960.0  # where the last carer left the bar: over the bed, a sling's length above it
HANGING_MM, STANDING_MM, CHAIR_X_MM = 1150.0, 120.0, 3000.0
RESIDENT = "r-7f3a"
TRIES = 6
RECORDER_LOST = "LC-RECORDER-LOST"


class NotReached(Exception):
    """A situation or a step's own condition did not come."""


def reach(player: Player, start: dict[str, Any]) -> None:
    """Into the situation; each builds on the one before it."""
    wanted = start["situation"]
    for name in CHAINS[player.scenario.rig]:
        if wanted == "booting":
            return
        REACH[name](player, start)
        if name == wanted:
            return


def prepare(room: Any, rig: str, situation: str) -> None:
    """Before the first moment: where the last carer left the bar."""
    if rig == "lift" and situation not in ("booting", "ready"):
        room.plant.hoist.position_mm = LEFT_LOW_MM


def _ready(player: Player, _start: dict[str, Any]) -> None:
    patience_ns = 15 * S if player.plane.name == "virtual" else 90 * S  # processes start meanwhile
    player.until(READY, patience_ns, "a gate that is ready")
    player.plane.run(200 * NS_PER_MS)


def _begin(player: Player, start: dict[str, Any], kind: str) -> None:
    carers = str(start.get("carers", 1))
    args = {"kind": kind, "resident": start.get("resident", RESIDENT), "carers": carers}
    tries = 1 if player.plane.name == "virtual" else TRIES
    for left in reversed(range(tries)):
        try:
            player.workflow("begin", {**args, **start.get("args", {})})
            break
        except NotReached as error:  # the controller has not met the recorder yet: once more
            if not left or RECORDER_LOST not in str(error):
                raise
            player.plane.run(S)
    player.until(STEP["checking"], 3 * S, "the record to be opened")
    player.workflow("checks_ok", {})
    player.workflow("consent_yes", {})


def _hooked(player: Player, start: dict[str, Any]) -> None:
    _begin(player, start, "bed-chair")
    if player.plane.now["plant"]["height_mm"] > LEFT_LOW_MM:
        _held(player, "DOWN", f"height <= {LEFT_LOW_MM:g} mm", 20)
    player.plane.human("act", do="hook")
    player.plane.command({"do": "hook"})
    player.workflow("hooked", {})


def _held(player: Player, motion: str, that: str, within_s: int) -> None:
    """Hold an arrow until it is so. On a machine that is too busy a press may be stopped: like a
    carer, let go and press again; in virtual time nothing is ever too busy.
    """
    wanted, end_ns = condition(that), player.plane.t_ns + within_s * S
    tries = 1 if player.plane.name == "virtual" else TRIES
    for left in reversed(range(tries)):
        player.plane.press("panel:1", motion)
        patience_ns = end_ns - player.plane.t_ns if not left else min(within_s * S, 4 * S)
        reached = _reached(player, wanted, patience_ns, left)
        player.plane.release("panel:1")
        player.until(STILL, 3 * S, "standstill")
        if reached:
            return
    raise NotReached(f"held {motion} {tries} times in vain for: {that}")


def _reached(player: Player, wanted: Any, patience_ns: int, left: int) -> bool:
    """Until it is so, or the press has died and may be tried again."""
    begun_ns = player.plane.t_ns
    while not wanted(player.plane.now):
        gone_ns = player.plane.t_ns - begun_ns
        if gone_ns > max(patience_ns, S) and (left == 0 or STILL(player.plane.now)):
            return False
        player.plane.run(10 * NS_PER_MS)
    return True


def _tension_pause(player: Player, _start: dict[str, Any]) -> None:
    _held(player, "UP", "tension_pause and still", 15)


def _hanging(player: Player, start: dict[str, Any]) -> None:
    player.workflow("loops_ok", {})
    _held(player, "UP", f"height >= {start.get('height', HANGING_MM):g} mm", 40)
    player.plane.run(500 * NS_PER_MS)


def _over_chair(player: Player, _start: dict[str, Any]) -> None:
    _held(player, "RIGHT", f"x >= {CHAIR_X_MM:g} mm", 60)


def _seated(player: Player, start: dict[str, Any]) -> None:
    _begin(player, start, "stand-sit")
    player.until(STEP["standing_up"], 3 * S, "consent to be taken")


def _standing(player: Player, start: dict[str, Any]) -> None:
    _held(player, "STAND", f"stroke >= {start.get('stroke', STANDING_MM):g} mm", 40)
    player.plane.run(500 * NS_PER_MS)


CHAINS = {
    "lift": ("ready", "hooked", "tension_pause", "hanging", "over_chair"),
    "chair": ("ready", "seated", "standing"),
}
REACH = {
    "ready": _ready,
    "hooked": _hooked,
    "tension_pause": _tension_pause,
    "hanging": _hanging,
    "over_chair": _over_chair,
    "seated": _seated,
    "standing": _standing,
}
