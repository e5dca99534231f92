"""Faults inside motor, gear, brake, strap and load (L6, L7): what no wire can do.

Role: hooks in the virtual plane's own plant; the proof is what the hook itself moved or pulled.
Must never: touch the service, or a plane whose plant is in another process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hil.faults.hardware import LIFT, Made
from hil.faults.kind import VIRTUAL, Args, Kind, Param, Proof, Running
from hil.plants.axis import OFF, STEP_S, Axis, AxisCommand

# axis -> node, what the plant calls its motor, and how fast it goes down without a run enable
DRIVEN = {
    "hoist": ("hoist", "hoist", 30.5),
    "traverse": ("traverse", "traverse", 0.0),
    "stander": ("actuator", "actuator", 6.1),
}
ANY_AXIS = Param("word", "hoist", tuple(DRIVEN))


class _Runaway:
    """The power stage turns the motor whatever it is told. What still stops it: the run enable
    where that is wired to act, NMT stop, the e-stop chain, a flat battery.
    """

    def __init__(self, args: Args) -> None:
        self.axis, self.speed = args["axis"], args["speed"]
        self.on = False
        self.unasked = 0

    def start(self, plane: Any) -> None:
        room, self.on = plane.room, True
        node, attribute, free_down = DRIVEN[self.axis]
        drive, actuate, key = getattr(room, node), room.actuate, f"{attribute}_command"

        def runs() -> None:
            actuate()
            gated = self.speed > 0 or self.speed < -free_down
            stopped = drive.state.name != "OPERATIONAL" or (gated and not room.guard_io.relay_on)
            if self.on and not stopped:
                asked = getattr(room.plant, key)
                self.unasked += not (asked.torque_on and asked.target_mm_s * self.speed > 0)
                setattr(room.plant, key, AxisCommand(True, self.speed, 150.0, 300.0))
            elif self.on:
                setattr(room.plant, key, OFF)

        room.actuate = runs

    def proof(self, plane: Any) -> Proof:
        return {"ticks_unasked": self.unasked} if self.unasked >= 2 else None

    def stop(self, plane: Any) -> None:
        self.on = False

    def gone(self, plane: Any) -> Proof:
        return {"ticks_unasked": self.unasked}


def _runaway(args: Args) -> Running:
    it = _Runaway(args)
    return Running(it.start, it.proof, it.stop, it.gone)


class _Slipping:
    """Gear or brake without effect: the bar goes down whatever drive and brake do."""

    def __init__(self, args: Args) -> None:
        self.speed = -abs(args["speed"])
        self.accel = args["accel"] * STEP_S
        self.on = False
        self.gone_mm = 0.0

    def start(self, plane: Any) -> None:
        self.on = True
        plant = plane.room.plant
        axis: Axis = plant.hoist
        step, brake = axis.step, axis.brake

        def slips(held: Callable[[Any], None]) -> Callable[[Any], None]:
            def moved(command: Any) -> None:
                if not self.on or plant.overspeed_latched:
                    held(command)
                    return
                axis.velocity_mm_s = max(self.speed, axis.velocity_mm_s - self.accel)
                axis.position_mm = max(axis.low_mm, axis.position_mm + axis.velocity_mm_s * STEP_S)
                self.gone_mm -= axis.velocity_mm_s * STEP_S

            return moved

        vars(axis).update(step=slips(step), brake=slips(brake))  # this one axis only

    def proof(self, plane: Any) -> Proof:
        return {"slipped_mm": round(self.gone_mm, 2)} if self.gone_mm > 0.5 else None

    def stop(self, plane: Any) -> None:
        self.on = False

    def gone(self, plane: Any) -> Proof:
        return {"slipped_mm": round(self.gone_mm, 2)}


def _slip(args: Args) -> Running:
    it = _Slipping(args)
    return Running(it.start, it.proof, it.stop, it.gone)


def _no_torque(args: Args) -> Running:
    """A motor phase is lost: the drive believes it turns the motor, the motor does not turn."""
    on, wanted = [True], [0]

    def start(plane: Any) -> None:
        actuate, plant = plane.room.actuate, plane.room.plant
        key = f"{DRIVEN[args['axis']][1]}_command"

        def broken() -> None:
            actuate()
            if on[0]:
                command = getattr(plant, key)
                wanted[0] += bool(command.torque_on and command.target_mm_s)
                setattr(plant, key, OFF)

        plane.room.actuate = broken

    return Running(
        start,
        lambda plane: {"ticks_without_torque": wanted[0]} if wanted[0] > 5 else None,
        lambda plane: on.__setitem__(0, False),
        lambda plane: {"ticks_without_torque": wanted[0]},
    )


class _Load:
    """A force on the strap that the person's weight does not explain."""

    def __init__(self, args: Args, what: str) -> None:
        self.args, self.what = args, what
        self.on = False
        self.before = self.most = 0.0

    def start(self, plane: Any) -> None:
        load = plane.room.plant.load
        hoist = plane.room.plant.hoist
        step, begin_mm = load.step, hoist.position_mm
        self.on, self.before = True, load.tension_n

        def pulled(*args: float) -> None:
            step(*args)
            if self.on:
                load.tension_n = max(0.0, self._force(load.tension_n, hoist.position_mm - begin_mm))
                self.most = max(self.most, abs(load.tension_n - self.before))

        load.step = pulled

    def _force(self, tension_n: float, risen_mm: float) -> float:
        if self.what == "caught":
            return tension_n + float(self.args["stiffness"]) * 9.81 * max(0.0, risen_mm)
        if self.what == "rests":
            return tension_n * max(0.0, 1.0 + risen_mm / float(self.args["depth"]))
        return 0.0

    def proof(self, plane: Any) -> Proof:
        return {"force_n": round(self.most)} if self.most > 50.0 else None

    def stop(self, plane: Any) -> None:
        self.on = False

    def gone(self, plane: Any) -> Proof:
        return {"force_n": round(self.most)}


def _load(what: str) -> Made:
    def make(args: Args) -> Running:
        it = _Load(args, what)
        return Running(it.start, it.proof, it.stop, it.gone)

    return make


KINDS = (
    Kind("L6.runaway", "a power stage turns its motor without being told", _runaway,
         {"axis": ANY_AXIS, "speed": Param("speed")}),
    Kind("L6.no_torque", "a motor phase is lost: the command has no effect", _no_torque,
         {"axis": ANY_AXIS}),
    Kind("L6.slip", "gear or brake without effect: the bar goes down by itself", _slip,
         {"speed": Param("speed"), "accel": Param("speed", "2000 mm/s")}, VIRTUAL, LIFT),
    Kind("L7.caught", "what is raised is caught: kg more for each mm", _load("caught"),
         {"stiffness": Param("mass", "3 kg")}, VIRTUAL, LIFT),
    Kind("L7.rests", "something is under the person: the load goes within this depth",
         _load("rests"), {"depth": Param("length", "30 mm")}, VIRTUAL, LIFT),
    Kind("L7.strap_fails", "strap or quick link lets go", _load("fails"), {}, VIRTUAL, LIFT),
)  # fmt: skip
