"""Carers, facts and deaths in any order."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from liftctl.controller.flows import ACTIONS
from liftctl.controller.values import Link, State, Today
from liftctl.ipc import Permission, TransferClosed, Written, encode
from liftctl.records import staff_s
from safety.types import LOWERING, Motion
from tests.controller.world import ALONE, PAIR, World

RISE = Motion.UP | Motion.STAND
ROWS = ("overload", "recorder_lost", "tension_pause?", "battery_reserve", "boot_faulted", "odd")
ARGS = {
    "kind": st.sampled_from(["bed-chair", "stand-sit", "", "x"]),
    "resident": st.sampled_from([ALONE, PAIR, ""]),
    "carers": st.sampled_from(["1", "2", "4", "9", "", "two"]),
    "outcome": st.sampled_from(["completed", "aborted", "fault", ""]),
    "called_s": st.text(max_size=4),
    "source": st.text(max_size=6),
}
EVENTS = st.tuples(st.sampled_from(["stop", "refused"]), st.sampled_from(ROWS))


class Ward(RuleBasedStateMachine):
    @initialize(kind=st.sampled_from(["lift", "chair"]))
    def start(self, kind: str) -> None:
        self.world = World(kind, auto_write=False)
        self.written: set[str] = set()
        self.world.tick()

    @rule(
        moving=st.sampled_from(["", "UP", "DOWN", "LEFT", "STAND", "SIT"]),
        person=st.booleans(),
        pause=st.booleans(),
        pickup=st.integers(0, 3),
        active=st.lists(st.sampled_from(ROWS), max_size=2),
        latched=st.sampled_from([(), (), (), ("estop",), ("hoist_runaway",)]),
        height=st.one_of(st.none(), st.floats(-1e6, 1e6)),
        events=st.lists(EVENTS, max_size=2),
    )
    def fact(self, moving, person, pause, pickup, active, latched, height, events) -> None:
        self.world.tick(
            moving=moving, aloft=person and self.world.kind == "lift",
            standing=person and self.world.kind == "chair", tension_pause=pause, pickup=pickup,
            active=tuple(active), latched=latched, events=tuple(events),
            values={"hoist_height_mm": height, "load_kg": height},
        )  # fmt: skip

    @rule(
        action=st.sampled_from([*map(str, ACTIONS), "recorded", "?"]),
        args=st.fixed_dictionaries({}, optional=ARGS),
    )
    def carer(self, action, args) -> None:
        self.world.ask(action, **args)

    @rule(carers=st.sampled_from(["1", "2"]), steps=st.integers(1, 7))
    def onward(self, carers, steps) -> None:
        """What a hurried carer does: without it chance seldom gets anybody off the bed."""
        world = self.world
        for _ in range(steps):
            world.tick(active=(), latched=())
            transfer = world.state.transfer
            if transfer is None:
                world.turn(Link("recorder", True))
                world.begin(carers=carers)
            elif not transfer.opened:
                self.written_says("opened", True)
            else:
                self._next_step()
            self.holds()

    def _next_step(self) -> None:
        view = next(item for item in self.world.out.panels if item.transfer)
        ways = ("checks_ok", "consent_yes", "hooked", "loops_ok", "unhooked", "finish")
        for action in (name for name in ways if name in view.transfer.actions):
            self.world.ask(action, outcome="completed", carers="1")
            return

    @rule(by=st.sampled_from(["pause", "resume", "consent_no"]))
    def upset(self, by) -> None:
        self.world.ask(by)

    @rule(kind=st.sampled_from(["opened", "closed", "interrupted"]), mine=st.booleans())
    def written_says(self, kind, mine) -> None:
        transfer = self.world.state.transfer
        if kind == "opened" and mine and transfer:
            self.written.add(transfer.id)
        id_ = transfer.id if transfer and mine else "other"
        self.world.turn(Written(id_, kind, 1, "h"))

    @rule(name=st.sampled_from(["gate", "recorder"]), up=st.booleans())
    def link(self, name, up) -> None:
        self.world.turn(Link(name, up))

    @rule()
    def killed(self) -> None:
        self.world.state = State()
        self.world.turn(Today("2026-11-22"), Link("gate", True), Link("recorder", True))

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "world"):
            return
        state, world = self.world.state, self.world
        leases = [item for item in world.out.gate if isinstance(item, Permission)]
        for lease in (*leases, *filter(None, [state.permission])):
            assert LOWERING in Motion(lease.motions)
            if not Motion(lease.motions) & RISE:
                continue
            transfer, gate = state.transfer, state.gate
            assert transfer and gate
            assert not transfer.paused
            assert transfer.opened and transfer.id in self.written
            assert lease.in_transfer
            if gate.aloft and gate.tension_pause:
                assert transfer.confirmed_pickup == gate.pickup
        for message in world.sent:
            encode(message)
            if isinstance(message, TransferClosed):
                kept = message.record
                stays = kept["carers_present"]
                assert abs(kept["staff_s"] - sum(s["left_s"] - s["joined_s"] for s in stays)) < 0.01
                assert all(0 <= s["joined_s"] <= s["left_s"] for s in stays)
        world.sent.clear()
        if state.transfer:
            assert staff_s(state.transfer.presences, state.transfer.at_s(world.now_ns)) >= 0


TestWard = Ward.TestCase
TestWard.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
