"""One turn of the controller: facts and carers' steps in, permission and records out.

Role: `turn(config, state, now_ns, inputs) -> (state, outputs)`, pure. Process: controller (and
virtual time, and tests). Must never: read a clock, do I/O, raise on anything a panel may send, or
permit a rise without a durable record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from config.plans import Register
from liftctl.controller import alarms, effects, facts, plans, record, refusals
from liftctl.controller.flow import Case, Fired, Flow
from liftctl.controller.flows import ACTIONS, CHAIR, LIFT, Step, Trigger
from liftctl.controller.permissions import is_loaded, permission
from liftctl.controller.values import (
    GATE_SILENT_NS,
    Asked,
    Config,
    Input,
    Link,
    Outputs,
    Papers,
    State,
    Today,
    Transfer,
)
from liftctl.ipc import (
    ControllerState,
    GateState,
    NewPlan,
    RecorderState,
    Refused,
    TransferClosed,
    TransferOpened,
    TransferPhase,
    Written,
)

# A carer's step -> (lock, set or taken off).
LOCKING = {
    Trigger.CLEANING_ON: ("cleaning", True),
    Trigger.CLEANING_OFF: ("cleaning", False),
    Trigger.PULL_TEST_OK: ("relocated", False),
}

FLOW_OF = {"lift": LIFT, "chair": CHAIR}


def turn(
    config: Config, state: State, now_ns: int, inputs: Iterable[Input]
) -> tuple[State, Outputs]:
    """The state after `inputs` (in order) and what to send; call it at least twice a second."""
    work = _Turn(config, state, now_ns)
    for item in inputs:
        work.take(item)
    work.settle(state)
    return work.state, work.out


class _Turn:
    """The turn under way: the newest state and what has been put out so far."""

    def __init__(self, config: Config, state: State, now_ns: int) -> None:
        self.config, self.state, self.now_ns = config, state, now_ns
        self.out = Outputs()
        self.flow: Flow = FLOW_OF[config.site.kind]

    def take(self, item: Input) -> None:
        match item:
            case GateState():
                self._gate(item)
            case Asked():
                self._asked(item)
            case Written():
                self._written(item)
            case Link():
                self._link(item)
            case Today():
                if item.date != self.state.today:
                    self.state = replace(self.state, today=item.date, papers=None)
            case Register():
                self._register(item)
            case RecorderState():
                self.state = replace(self.state, records=item.warning, upkeep=item.upkeep)

    def _register(self, register: Register) -> None:
        """Between transfers only: what a plan was made from stays as it was (design rule 7)."""
        if self.state.transfer is None:
            self.state = replace(self.state, register=register, papers=None)

    # --- links -----------------------------------------------------------------------------------

    def _link(self, link: Link) -> None:
        if link.name == "gate":
            self.state = replace(self.state, gate=None)
            if link.up:
                self._send_plan()
        else:
            self.state = replace(self.state, recorder_up=link.up)
            if link.up:
                self._catch_up()

    def _send_plan(self) -> None:
        """A gate that (re)started knows no plan; without a recorded transfer there is none."""
        transfer = self.state.transfer
        if transfer is None or not transfer.opened or transfer.step is Step.DONE:
            self.out.gate.append(NewPlan(active=False))
            return
        plan = transfer.plan
        self.out.gate.append(
            NewPlan(
                True,
                plan.limit_kg,
                plan.carers,
                plan.one_carer_allowed,
                plan.sling_kg,
                plan.resident_kg,
                plan.resident_ok,
                plan.sling_ok,
            ),
        )

    def _catch_up(self) -> None:
        """A recorder that is back gets what it may have missed (same id: it may have it)."""
        transfer = self.state.transfer
        if transfer is None:
            return
        if not transfer.opened:
            self._open(transfer)
        if transfer.step is Step.DONE:
            self._close(transfer)
        elif transfer.opened:
            self._phase("recorder_back", {})

    def _written(self, written: Written) -> None:
        transfer = self.state.transfer
        if transfer is None or written.id != transfer.id:
            if written.kind == "interrupted":
                self._orphan_named(written.id)
        elif written.kind == "opened":
            self._set(replace(transfer, opened=True))
        elif written.kind == "closed" and self._fire(Trigger.WRITTEN, {}) is Fired.DONE:
            self.state = replace(self.state, transfer=None)

    def _orphan_named(self, id_: str) -> None:
        """The recorder closed the orphan, perhaps only after the next transfer began."""
        transfer = self.state.transfer
        if transfer is None:
            self.state = replace(self.state, follows=id_)
        elif transfer.plan.follows == plans.UNKNOWN:
            self._set(replace(transfer, plan=replace(transfer.plan, follows=id_)))

    # --- facts -----------------------------------------------------------------------------------

    def _gate(self, gate: GateState) -> None:
        orphan = facts.orphaned(self.state, gate)
        boots = "boot_faulted" in gate.active
        booting_ns = (self.state.booting_ns or self.now_ns) if boots else 0
        boot_ns = round(self.config.site.limits.boot_ms * 1e6)
        may_boot = self.now_ns - booting_ns <= boot_ns
        heard, risen = alarms.update(self.state.alarms, gate, self.config.priority_of, may_boot)
        self.state = replace(
            self.state, gate=gate, gate_seen_ns=self.now_ns, orphan=orphan, alarms=heard,
            booting_ns=booting_ns,
        )  # fmt: skip
        self._judge_mode()  # a step in this turn is judged by what the gate said before it
        transfer = self.state.transfer
        if transfer is None or transfer.step is Step.DONE:
            return
        self._set(record.measure(transfer, gate))
        for alarm in risen:
            at_s = transfer.at_s(self.now_ns)
            self._add("alarm", {"row": alarm.row, "priority": alarm.priority, "at_s": at_s})
        for block in record.blocks_of(transfer, gate, self.now_ns):
            self._add("block", block)
        for trigger, holds in facts.FACTS:
            if self.state.transfer and holds(gate, self.state.transfer):
                self._fire(trigger, {})

    def _judge_mode(self) -> None:
        mode = facts.mode_of(self.state, self.config.service_rows)
        self.state = replace(self.state, mode=mode)

    def _add(self, name: str, entry: dict[str, Any]) -> None:
        """One more alarm or block, in the transfer and told to the recorder."""
        transfer = self.state.transfer
        if transfer is None:
            return
        kept = transfer.alarms if name == "alarm" else transfer.blocks
        if len(kept) == record.MOST_ENTRIES:
            return
        if name == "alarm":
            self._set(replace(transfer, alarms=(*kept, entry)))
        else:
            self._set(replace(transfer, blocks=(*kept, entry)))
        self._phase(name, entry)

    # --- carers ----------------------------------------------------------------------------------

    def _asked(self, asked: Asked) -> None:
        code = self._act(asked)
        if code:
            work = asked.workflow
            said = Refused(work.station, work.action, code, refusals.HINTS[code])
            self.out.replies.append((asked.channel, said))

    def _act(self, asked: Asked) -> str:
        """Take the step, or say why not."""
        action, args = asked.workflow.action, asked.workflow.args
        if action not in ACTIONS:
            return "LC-FLOW-ACTION"
        trigger = Trigger(action)
        if trigger is Trigger.ACK_ALARM:
            heard = alarms.acknowledge(self.state.alarms, args.get("row", ""))
            self.state = replace(self.state, alarms=heard)
            return ""
        if trigger in LOCKING:
            return self._lock(trigger)
        if trigger is Trigger.BEGIN:
            return self._begin(asked)
        if effects.invalid(trigger, args):
            return "LC-ARGS"
        fired = self._fire(trigger, args)
        if fired is Fired.GUARDED:
            return refusals.guarded(trigger, case_of(self.state.transfer, self.state.gate))
        return "LC-FLOW-STEP" if fired is Fired.INVALID else ""

    def _lock(self, trigger: Trigger) -> str:
        """A lock is set or taken off only while nobody hangs, stands or is about to."""
        if self.state.transfer or is_loaded(self.state.gate):
            return "LC-FLOW-STEP"
        name, on = LOCKING[trigger]
        rest = self.state.locks - {name}
        self.state = replace(self.state, locks=rest | {name} if on else rest)
        return ""

    def _begin(self, asked: Asked) -> str:
        if self.state.transfer is not None:
            return "LC-FLOW-STEP"
        args = asked.workflow.args
        code = plans.readiness(self.state)
        plan = plans.plan_of(self.config, self.state, args)
        if code or isinstance(plan, str):
            return code or str(plan)
        transfer = effects.begun(asked.fresh_id, plan, self.now_ns, args, asked.workflow.station)
        gate = self.state.gate
        measured = record.measure(transfer, gate) if gate else transfer
        self.state = replace(self.state, transfer=measured, orphan=False, follows="")
        self._open(measured)
        return ""

    # --- the machine -----------------------------------------------------------------------------

    def _fire(self, trigger: Trigger, args: Mapping[str, str]) -> Fired:
        transfer = self.state.transfer
        case = case_of(transfer, self.state.gate)
        fired = self.flow.fire(case, trigger)
        if fired is not Fired.DONE or transfer is None:
            return fired
        moment = effects.Moment(transfer.at_s(self.now_ns), transfer.step, args, self.state.gate)
        after = effects.apply(transfer, trigger, Step(case.state), moment)
        if after != transfer:
            self._set(after)
            self._report(transfer, after, trigger)
        return fired

    def _report(self, before: Transfer, after: Transfer, trigger: Trigger) -> None:
        if trigger is Trigger.RECORDED:
            self._send_plan()
        if before.step is not Step.DONE and after.step is Step.DONE:
            self._close(after)
            self._send_plan()
        elif trigger is not Trigger.WRITTEN:
            name = effects.PHASES[trigger][0] if trigger in effects.PHASES else trigger.value
            self._phase(name, {"step": after.step.value, "carers": after.carers_now})

    def _set(self, transfer: Transfer) -> None:
        self.state = replace(self.state, transfer=transfer)

    # --- the recorder ----------------------------------------------------------------------------

    def _open(self, transfer: Transfer) -> None:
        header = record.record_of(transfer, self.config.site, self.now_ns)
        self.out.recorder.append(TransferOpened(transfer.id, self.now_ns, header))

    def _phase(self, name: str, data: dict[str, Any]) -> None:
        if self.state.transfer:
            said = TransferPhase(self.state.transfer.id, self.now_ns, name, data)
            self.out.recorder.append(said)

    def _close(self, transfer: Transfer) -> None:
        whole = record.record_of(transfer, self.config.site, self.now_ns)
        self.state = replace(self.state, last_record=whole)
        self.out.recorder.append(TransferClosed(transfer.id, self.now_ns, whole))

    # --- the end of the turn ---------------------------------------------------------------------

    def settle(self, before: State) -> None:
        """Mode, the lease for the newest tick, and the panels' view, when anything is new."""
        if self.now_ns - self.state.gate_seen_ns > GATE_SILENT_NS:
            self.state = replace(self.state, gate=None)
        if self.state.papers is None:
            known = plans.papers(plans.register(self.config, self.state), self.state.today)
            self.state = replace(self.state, papers=known)
        self._judge_mode()
        gate = self.state.gate
        lease = permission(self.config.site, self.state, gate) if gate else None
        self.state = replace(self.state, permission=lease)
        if lease is not None and lease != before.permission:
            self.out.gate.append(lease)
        if self.state != before:
            self.out.panels.append(self._view())

    def _view(self) -> ControllerState:
        state, known = self.state, self.state.papers or Papers()
        seen = None
        if state.transfer:
            free = self.flow.allowed(case_of(state.transfer, state.gate))
            actions = tuple(str(name) for name in free if name in ACTIONS)
            seen = record.view_of(state.transfer, self.flow.states, actions)
        return ControllerState(
            tick_ns=state.gate.tick_ns if state.gate else 0,
            mode=state.mode,
            permission=state.permission.motions if state.permission else 0,
            transfer=seen,
            residents=known.residents,
            notices=known.notices,
            slings=known.slings,
            records=state.records,
            alarms=tuple((i.row, i.priority, str(i.signal)) for i in state.alarms),
            last_record=state.last_record,
        )


def case_of(transfer: Transfer | None, gate: GateState | None) -> Case:
    """What the guards may ask."""
    if transfer is None:
        return Case(state=Step.IDLE, loaded=is_loaded(gate))
    return Case(
        state=transfer.step,
        loaded=is_loaded(gate),
        paused=transfer.paused,
        carers=transfer.carers_now,
        carers_needed=transfer.plan.carers_needed,
    )
