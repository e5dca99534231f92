"""Whoever dies, every opened transfer gets an end, and what follows is linked to it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liftctl.ipc import GateState, TransferClosed, TransferOpened, TransferPhase
from liftctl.recorder.entries import Entry, Orphan
from liftctl.recorder.transfers import CLAIM_NS, Transfers
from liftctl.recorder.wallclock import Clock, utc_text

S = 1_000_000_000


def gate_state(moving: str, tick_ns: int = 1) -> GateState:
    return GateState(
        tick_ns=tick_ns,
        site="s",
        kind="lift",
        mode="moving" if moving else "ready",
        owner="panel",
        moving=moving,
        motions={},
        values={"load_kg": 70.0},
        quality={},
        active=(),
        latched=(),
        aloft=True,
        standing=False,
        tension_pause=False,
        pickup=1,
        limit_kg=140.0,
        in_flight=True,
        events=(),
        devices={},
        ages_ms={},
        counters={},
        config_hash="h",
        config_fallback=False,
        version="v",
    )


class Wall:
    """A wall clock that can be set; monotonic time stands still at 0."""

    def __init__(self) -> None:
        self.offset_ns = 1_800_000_000 * S
        self.clock = Clock(lambda: 0, lambda: self.offset_ns, lambda: "synchronised")

    def utc(self, t_ns: int) -> str:
        return utc_text(self.offset_ns + t_ns)


def started(name: str = "a") -> tuple[Transfers, list[Entry]]:
    transfers = Transfers(Wall().clock)
    return transfers, transfers.opened(1, TransferOpened(name, 5 * S, {"resident": "r"}), 5 * S)


def told(entries: list[Entry]) -> list[tuple[str, str, Any]]:
    return [(item.kind, item.transfer_id, item.header.get("outcome")) for item in entries]


def test_a_whole_transfer_gets_its_wall_clock_here() -> None:
    transfers, (opening,) = started()
    assert opening.payload["started_utc"] == Wall().utc(5 * S)
    (closing,) = transfers.closed(1, TransferClosed("a", 90 * S, {"outcome": "completed"}))
    assert closing.payload["started_utc"] == Wall().utc(5 * S)
    assert closing.payload["ended_utc"] == Wall().utc(90 * S)
    assert closing.payload["clock"] == {"sync": "synchronised", "step_s": 0.0}
    assert transfers.tick(10**12) == []


@pytest.mark.parametrize("hours", [-1, 2])
def test_a_wall_clock_that_was_set_is_said_in_the_record_and_in_the_chain(hours: int) -> None:
    wall = Wall()
    before, transfers = Wall(), Transfers(wall.clock)
    transfers.opened(1, TransferOpened("a", 5 * S, {}), 5 * S)
    wall.offset_ns += S // 10  # slewed: no step
    assert transfers.tick(6 * S) == []
    wall.offset_ns += hours * 3600 * S
    (entry,) = transfers.tick(7 * S)
    assert (entry.kind, entry.header["step_s"]) == ("clock", hours * 3600.0)
    assert transfers.tick(8 * S) == []
    told = {"phases": {"called": -2.0, "end": 85.0}, "started_mono_ns": 5 * S}
    (closing,) = transfers.closed(1, TransferClosed("a", 90 * S, told))
    assert closing.payload["clock"]["step_s"] == pytest.approx(hours * 3600, abs=0.2)
    # Phases stay in one row by the clock of the opening.
    assert closing.payload["phases_utc"] == {
        "called": before.utc(3 * S),
        "end": before.utc(90 * S),
    }
    assert closing.payload["started_utc"] == before.utc(5 * S)


def test_a_dead_controller_has_five_seconds() -> None:
    transfers, _ = started()
    transfers.phase(1, TransferPhase("a", 9 * S, "raise"))
    transfers.channel_gone(1, 10 * S)
    assert transfers.tick(10 * S + CLAIM_NS - 1) == []
    (entry,) = transfers.tick(10 * S + CLAIM_NS)
    assert told([entry]) == [("closed", "a", "interrupted")]
    assert entry.payload["phases"] == {"raise": 4.0}
    assert (entry.payload["resident"], entry.payload["ended_utc"]) == ("r", None)


def test_a_controller_that_comes_back_claims_its_transfer() -> None:
    transfers, _ = started()
    transfers.channel_gone(1, 10 * S)
    transfers.phase(2, TransferPhase("a", 11 * S, "recorder_back"))
    assert transfers.tick(100 * S) == []
    transfers.channel_gone(1, 101 * S)  # the old link's end is no news
    assert transfers.tick(200 * S) == []


def test_gate_restart_and_a_new_transfer_interrupt_at_once() -> None:
    transfers, _ = started()
    assert told(transfers.gate_restarted(6 * S)) == [("closed", "a", "interrupted")]
    (opening,) = transfers.opened(1, TransferOpened("b", 7 * S, {}), 7 * S)
    assert opening.header["follows"] == "a"
    entries = transfers.opened(1, TransferOpened("c", 8 * S, {}), 8 * S)
    assert told(entries) == [("closed", "b", "interrupted"), ("opened", "c", None)]
    assert entries[1].header["follows"] == "b"


def test_start_up_waits_for_the_newest_orphan_only() -> None:
    transfers = Transfers(Wall().clock)
    orphans = [Orphan("a", 1, {}, ()), Orphan("b", 2, {}, (("raise", 3.0, {}),))]
    assert told(transfers.adopt(orphans, "", 0)) == [("closed", "a", "interrupted")]
    assert transfers.tick(CLAIM_NS - 1) == []
    assert told(transfers.tick(CLAIM_NS)) == [("closed", "b", "interrupted")]


def test_lowering_after_an_interruption_is_linked_once_per_movement() -> None:
    transfers, _ = started()
    assert transfers.gate_state(gate_state("DOWN")) == []  # its transfer accounts for it
    transfers.gate_restarted(6 * S)
    assert transfers.gate_state(gate_state("DOWN")) == []  # still the same movement
    for moving in ("", "UP", "LEFT"):
        assert transfers.gate_state(gate_state(moving)) == []
    (entry,) = transfers.gate_state(gate_state("DOWN"))
    assert (entry.kind, entry.transfer_id) == ("lowering_after_interruption", "a")
    assert transfers.gate_state(gate_state("DOWN")) == []


def test_lowering_while_the_controller_may_come_back_is_kept_until_that_is_known() -> None:
    for claimed in (False, True):
        transfers, _ = started()
        transfers.channel_gone(1, 10 * S)
        assert transfers.gate_state(gate_state("SIT")) == []
        if claimed:
            transfers.phase(2, TransferPhase("a", 11 * S, "back"))
            transfers.channel_gone(2, 20 * S)
        kinds = [entry.kind for entry in transfers.tick(100 * S)]
        assert kinds == ["closed"] + ([] if claimed else ["lowering_after_interruption"])


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["open", "phase", "close", "gone", "restart", "tick"]),
        st.sampled_from(["a", "b", "c"]),
        st.integers(1, 2),
    ),
    max_size=30,
)


@given(acts=ACTS)
def test_no_opened_transfer_is_left_without_an_end(acts: list[tuple[str, str, int]]) -> None:
    transfers, entries, now_ns = Transfers(Wall().clock), list[Entry](), 0
    for act, name, channel in acts:
        now_ns += S
        if act == "open":
            entries += transfers.opened(channel, TransferOpened(name, now_ns, {}), now_ns)
        elif act == "phase":
            entries += transfers.phase(channel, TransferPhase(name, now_ns, "p"))
        elif act == "close":
            entries += transfers.closed(channel, TransferClosed(name, now_ns, {"outcome": "c"}))
        elif act == "gone":
            transfers.channel_gone(channel, now_ns)
        elif act == "restart":
            entries += transfers.gate_restarted(now_ns)
        else:
            entries += transfers.tick(now_ns)
    for channel in (1, 2):
        transfers.channel_gone(channel, now_ns)
    entries += transfers.tick(now_ns + CLAIM_NS)
    last = {entry.transfer_id: entry.kind for entry in entries if entry.kind != "phase"}
    assert set(last.values()) <= {"closed"}
