"""What happens round a gate: carers, faults, repairs and odd messages, all at random.

Role: the events of tests/gate/walk.py. Must never: tell the outsider anything but by the inputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from liftctl import ipc
from liftctl.gate.inputs import GateInput, Link, RxBytes, RxFrame
from tests.gate.conditions import KEYS, OWN
from tests.gate.wiring import HEARD
from tests.gate.world import BED_MM, FAULT, MS, QUICK

if TYPE_CHECKING:
    from tests.gate.walk import Carer, Walk

STATIONS = ("panel:1", "panel:2", "hand")
LIKELY = {"lift": OWN["lift"], "chair": ("STAND", "SIT", "SIT")}
ENDS = {"lift": (("UP", "DOWN"), ("RIGHT", "LEFT")), "chair": (("STAND", "SIT"),)}
CONTACTS = {
    "lift": ("upper", "lower", "strap", "left", "right", "estop_a", "estop_a", "estop_b"),
    "chair": ("knee_a", "knee_b", "belt_a", "belt_b", "brakes", "charger", "charger"),
}
TROUBLES = (
    "controller", "guard", "guard", "recorder", "cut", "full", "disk", "mask", "mask", "locks",
    "unconfirmed", "deaf", "noise", "noise", "mute", "contact", "contact", "contact", "drive",
    "emergency", "node", "node", "load", "soc", "soc", "seat", "seat", "hand",
    "estop", "estop",
)  # fmt: skip


def happen(walk: Walk) -> None:
    """What happens before the next turn; more while something moves."""
    if walk.rng.random() < 0.001:
        walk.carer = walk.rng.choice(STATIONS)
    for name, carer in walk.carers.items():
        if walk.now >= carer.until:
            finger(walk, name, carer)
    moving = any(item.motion for item in walk.books.orders.values())
    if not moving and walk.rng.random() < 0.05:  # no effect: let go, try again
        walk.carers[walk.carer].until = walk.now
    if walk.rng.random() < (0.03 if moving or walk.books.released else 0.005):
        disturb(walk)
    if walk.rng.random() < (0.01 if moving else 0.05):
        repair(walk)
    if walk.rng.random() < (0.03 if moving else 0.01):
        message(walk)
    person(walk)


def finger(walk: Walk, name: str, carer: Carer) -> None:
    """Let go after a hold; mostly leave it to `carer`; sometimes change without neutral."""
    rng = walk.rng
    if carer.motion and rng.random() < 0.95:
        motion, ms = "", rng.randrange(60, 400)
    elif name != walk.carer and rng.random() < 0.97:
        motion, ms = "", rng.randrange(200, 3000)
    else:
        motion, ms = wanted(walk), rng.randrange(100, 4000)
    if motion and rng.random() > 0.03:
        carer.press = walk.steps
    carer.motion, carer.until = motion, walk.now + ms * MS
    carer.press = carer.press if motion else 0
    if name == "hand":
        bits = {word: bit for bit, word in KEYS[walk.kind].items()}
        walk.world.keys = bits.get(motion, 0) | (rng.random() < 0.02) << 1


def wanted(walk: Walk) -> str:
    """Mostly away from the end where it stands."""
    ends = [
        motion
        for axis, (ahead, back) in zip(walk.world.drives.values(), ENDS[walk.kind], strict=True)
        for motion, near in ((ahead, axis.at - axis.low), (back, axis.high - axis.at))
        if near < (axis.high - axis.low) / 20
    ]
    return walk.rng.choice(ends if ends and walk.rng.random() < 0.7 else LIKELY[walk.kind])


def disturb(walk: Walk) -> None:
    rng, w = walk.rng, walk.world
    until = walk.now + rng.choice((100, 400, 1000, 2500)) * MS
    name = walk.carer if rng.random() < 0.8 else rng.choice(STATIONS)
    lost = f"lost {rng.choice(sorted(HEARD[walk.kind])):X}"
    what = rng.choice((*TROUBLES, *[f"frozen {name}"] * 3, *[f"silent {name}"] * 2, lost))
    walk.trouble[what] = until
    if what == "mask":
        walk.masks = (*walk.masks[:-1], rng.choice((0, rng.randrange(128), rng.randrange(128))))
    elif what == "contact":
        w.open.add(rng.choice(CONTACTS[walk.kind]))
    elif what == "estop":
        w.open |= {"estop_a", "estop_b"}
    elif what == "drive":
        rng.choice(list(w.drives.values())).mode = rng.choice((FAULT, QUICK))
    elif what == "emergency":
        rng.choice(list(w.drives.values())).emergency = rng.choice((0x8130, 0x2310))
    elif what == "node":
        node = rng.choice(list(w.nodes.values()))
        node.nmt, node.alive = rng.choice((0, 4, 0x7F)), rng.random() < 0.8
    elif what == "load":
        w.weighs, w.mass_kg = rng.random() < 0.5, rng.choice((75.0, 215.0, 260.0))
        w.slack_mm = rng.choice((60, 150))
    elif what == "seat":
        w.feet_kg, w.pitch_deg = rng.choice(((2.0, 0.0), (20.0, -4.0)))
        w.joystick_rpm = rng.choice((0, 40))
    elif what == "soc":
        w.soc = rng.choice((0.15, 0.08, 0.08))
    elif what == "hand":
        w.present = rng.random() < 0.5


def repair(walk: Walk) -> None:
    """Somebody puts right what was wrong, resets and releases."""
    w, rng = walk.world, walk.rng
    w.open, w.weighs, w.mass_kg, w.soc, w.present = set(), True, 75.0, 0.9, True
    w.feet_kg, w.pitch_deg, w.joystick_rpm = 20.0, 0.0, 0
    for node in w.nodes.values():
        node.alive = True
    if rng.random() < 0.7:
        walk.trouble = {}
    walk.more.append(Link(walk.now, walk.kind, "up"))
    walk.more.append(ipc.ResetPress("panel:1"))
    walk.more += [ipc.ReleaseLatch(row, "A. Technician") for row in walk.latched]


def message(walk: Walk) -> None:
    """A message of the rarer kind, or one that means nothing."""
    rng, now = walk.rng, walk.now
    name = walk.carer if rng.random() < 0.6 else rng.choice(STATIONS)
    far = rng.choice((-(2**63), -1, 0, 2**63, now + 50 * MS, now - 260 * MS))
    own, known = rng.choice(OWN[walk.kind]), sorted(HEARD[walk.kind])
    can_id = rng.choice(known) if rng.random() < 0.5 else rng.randrange(2048)
    data = rng.randbytes(HEARD[walk.kind].get(can_id, rng.randrange(9)))
    session = f"{name}/{walk.carers[name].session}"
    choices: tuple[tuple[GateInput, ...], ...] = (
        (ipc.StopPress(name),),
        (ipc.StopPress(name), ipc.Hold("panel:1", "new", walk.steps, own, walk.tick, now)),
        (ipc.StopPress("nobody"),),
        (ipc.StationGone(name),),
        (ipc.Hold("hand", "hand", walk.steps, own, walk.tick, now),),
        (ipc.Hold(name, session, walk.steps, own, far, now),),
        (ipc.Hold(name, session, walk.steps, own, walk.tick, far),),
        (ipc.Hold("panel:3", "s", walk.steps, own, walk.tick, now),),
        (ipc.Hold(name, session, rng.randrange(walk.steps), own, walk.tick, now),),
        (ipc.Hold(name, session, 5, rng.choice(("HOISTING", "DRIVE", "up")), walk.tick, now),),
        (ipc.Permission(far, 127, 0, True),),
        (ipc.GuardSays(far, ""),),
        (ipc.RecorderSays(far, True),),
        (ipc.ReleaseLatch(rng.choice(("estop", *walk.latched)), " "),),
        (ipc.ResetPress(name),),
        (ipc.NewPlan(True, rng.choice((60.0, 140.0, 140.0)), 2, True, resident_ok=True,
                     sling_ok=True),),
        (ipc.NewPlan(False),),
        (Link(now, walk.kind, rng.choice(("bus-off", "down", "error-passive"))),),
        (RxFrame(now, walk.kind, can_id, data, rng.choice((0, 0, 0, 1, 2, 4))),),
        (RxFrame(now, "observed", can_id, data, rng.choice((0, 1))),),
        (RxBytes(now, rng.choice(("motors", "nowhere")), rng.randbytes(30)),),
    )  # fmt: skip
    walk.more += rng.choice(choices)
    if rng.random() < 0.05:
        walk.carers[name].session += 1


def person(walk: Walk) -> None:
    """Hooked soon and unhooked seldom, both near the bed."""
    w = walk.world
    low = walk.kind == "lift" and w.drives[0x10].at < BED_MM
    if low and walk.rng.random() < (0.005 if w.hooked else 0.05):
        w.hooked = not w.hooked
        if not w.hooked:
            walk.more.append(ipc.NewPlan(False))
