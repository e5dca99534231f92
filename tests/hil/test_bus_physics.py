"""The bus as copper and controllers: who is confined when, how long it takes, who comes back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.vbus.bus import DOMINANT, RECESSIVE, BusCore, Delivery
from hil.vbus.confinement import Confinement, NodeState
from hil.vbus.frame import Frame, bit_length, stuffed_length
from hil.vbus.physics import BusEvent, Counters, ErrorKind, ErrorSpec, Operation
from tests.hil.test_bus import by_the_book

RATE = 500_000
BIT_NS = 1_000_000_000 // RATE
S = 1_000_000_000


def bus(*nodes: int, rates: dict[int, int] | None = None) -> BusCore:
    """Real copper: nobody but these nodes."""
    core = BusCore(RATE, ideal=False)
    for node in nodes:
        core.attach(node, (rates or {}).get(node))
    return core


def told(core: BusCore, what: Operation, node: int | None = None) -> list[BusEvent]:
    return [e for e in core.events() if e.what is what and node in (None, e.node)]


def states(core: BusCore, node: int) -> list[tuple[int, NodeState]]:
    return [(e.t_ns, e.state) for e in told(core, Operation.STATUS, node) if e.state]


def test_a_frame_of_zeros_by_hand() -> None:
    # 19 zeros to the length code and a checksum of 15 zeros: a stuff bit after every fifth
    core = bus(1, 2)
    core.submit(1, Frame(0), 0)
    (delivery,) = core.advance(S)
    assert delivery.t_ns == (34 + 6 + 13) * BIT_NS


@pytest.mark.parametrize("is_extended", [False, True])
def test_delivery_times_are_the_lengths_of_the_book(is_extended: bool) -> None:
    core, end_ns = bus(1, 2), 0
    for data in (b"", b"\x55" * 8, bytes(8), b"\xff" * 8, b"\1\2\3"):
        frame = Frame(0x155, data, is_extended)
        core.submit(1, frame, 0)
        end_ns += by_the_book(frame) * BIT_NS
    assert core.advance(S)[-1].t_ns == end_ns


def test_a_lone_node_becomes_passive_and_never_leaves_the_bus() -> None:
    core = bus(1)
    core.submit(1, Frame(0x100), 0)
    assert core.advance(5 * S) == []
    assert core.counters(1).tec == 128
    events = core.events()
    assert {e.error for e in events if e.what is Operation.BUS_ERROR} == {ErrorKind.ACK}
    assert [e.state for e in events if e.what is Operation.STATUS] == [
        NodeState.WARNING,
        NodeState.PASSIVE,
    ]
    core.attach(2)
    (delivery,) = core.advance(6 * S)
    assert delivery.frame == Frame(0x100)
    assert core.counters(1).tec == 127


def test_an_error_frame_takes_its_flag_delimiter_and_intermission() -> None:
    core, frame = bus(1, 2), Frame(0x123, b"\1\2")
    core.inject(ErrorSpec(ErrorKind.CRC))
    core.submit(1, frame, 0)
    (delivery,) = core.advance(S)
    broken = stuffed_length(frame) + 3 + 7 + 8 + 3
    assert delivery.t_ns == (broken + bit_length(frame)) * BIT_NS


@pytest.mark.parametrize("kind", list(ErrorKind))
def test_bus_off_comes_with_the_thirty_second_error_and_no_earlier(kind: ErrorKind) -> None:
    core = bus(1, 2)
    injection = core.inject(ErrorSpec(kind, sender=1, count=None))
    core.submit(1, Frame(0x100), 0)
    core.submit(1, Frame(0x101), 0)
    core.advance(S)
    if kind is ErrorKind.ACK:  # a passive node that lacks an answer counts no further
        assert core.counters(1).state is NodeState.PASSIVE
        return
    assert injection.hits == 32
    assert core.counters(1).state is NodeState.BUS_OFF
    assert core.counters(2).rec == 32
    assert [e.frame for e in told(core, Operation.DISCARDED, 1)] == [Frame(0x100), Frame(0x101)]
    assert core.submit(1, Frame(0x102), S) is False


def off(core: BusCore) -> int:
    """Drive node 1 off; when that was."""
    core.inject(ErrorSpec(ErrorKind.BIT, sender=1, count=32))
    core.submit(1, Frame(0x700), 0)
    core.advance(S)
    (t_ns,) = [t for t, state in states(core, 1) if state is NodeState.BUS_OFF]
    return t_ns


def test_recovery_takes_128_times_11_recessive_bits_of_an_idle_bus() -> None:
    core = bus(1, 2)
    off(core)
    core.restart(1, S)
    due_ns = S + 128 * 11 * BIT_NS
    assert core.next_ns(S) == due_ns
    core.advance(due_ns - 1)
    assert core.counters(1).state is NodeState.BUS_OFF
    core.advance(due_ns)
    assert core.counters(1) == Counters(0, 0, NodeState.ACTIVE)
    assert core.submit(1, Frame(0x100), due_ns)
    assert len(core.advance(2 * S)) == 1


def test_recovery_on_a_full_bus_counts_one_run_per_frame() -> None:
    core = bus(1, 2, 3)
    off(core)
    core.babble(2, Frame(0x001, bytes(8)), S)
    core.restart(1, S)
    core.advance(S)
    frames = 0
    now_ns = S
    while core.counters(1).state is NodeState.BUS_OFF:
        now_ns = core.next_ns(now_ns) or now_ns
        frames += len(core.advance(now_ns))
    assert frames == pytest.approx(128, abs=1)


def test_without_a_restart_nobody_comes_back() -> None:
    core = bus(1, 2)
    off(core)
    core.advance(100 * S)
    assert core.counters(1).state is NodeState.BUS_OFF


def test_auto_restart_comes_back_by_itself() -> None:
    core = BusCore(RATE, ideal=False)
    core.attach(1, auto_restart=True)
    core.attach(2)
    t_ns = off(core)
    assert core.counters(1).state is NodeState.ACTIVE
    core.advance(t_ns + S)
    assert core.submit(1, Frame(1), t_ns + S)


def test_a_local_error_blames_the_receiver_and_the_frame_comes_again() -> None:
    core = bus(1, 2, 3)
    core.inject(ErrorSpec(ErrorKind.CRC, receiver=3))
    core.submit(1, Frame(0x100), 0)
    assert len(core.advance(S)) == 1
    assert [core.counters(n).rec for n in (2, 3)] == [0, 8]
    assert core.counters(1).tec == 7


def test_a_passive_receiver_alone_loses_the_frame() -> None:
    core = bus(1, 2, 3)
    injection = core.inject(ErrorSpec(ErrorKind.CRC, receiver=3, count=16))
    core.submit(1, Frame(0x100), 0)
    (delivery,) = core.advance(S)
    assert injection.hits == 16  # fifteen times 9 make it passive; the last flag is recessive
    assert delivery.deaf == {3}
    assert [core.counters(n) for n in (1, 3)] == [
        Counters(119, 0, NodeState.WARNING),
        Counters(0, 136, NodeState.PASSIVE),
    ]


def test_a_wrong_bit_rate_sends_nothing_and_goes_off() -> None:
    core = bus(1, 2, 3, rates={3: 250_000})
    core.submit(3, Frame(0x100), 0)
    assert core.advance(S) == []
    assert core.counters(3).state is NodeState.BUS_OFF
    assert core.counters(1).state is NodeState.ACTIVE


def test_a_listener_at_the_wrong_rate_breaks_frames_until_it_is_passive() -> None:
    core = bus(1, 2, 3, rates={3: 250_000})
    for _ in range(200):
        core.submit(1, Frame(0x100), 0)
    deliveries = core.advance(10 * S)
    assert len(deliveries) == 200
    assert core.counters(3).state is NodeState.PASSIVE
    assert {d.deaf for d in deliveries} == {frozenset({3})}
    errors = told(core, Operation.BUS_ERROR)
    assert 10 <= len(errors) <= 16


def test_a_babbling_node_starves_everything_below_it() -> None:
    core = bus(1, 2)
    core.babble(2, Frame(0x001), 0)
    core.submit(1, Frame(0x100), 0)
    core.submit(1, Frame(0x000), 0)
    heard = core.advance(S)
    assert {d.frame.can_id for d in heard} == {0x001}
    assert told(core, Operation.ARBITRATION_LOST, 1)
    core.babble(2, None, S)
    assert [d.frame.can_id for d in core.advance(2 * S) if d.sender == 1] == [0x100, 0x000]


def test_a_wire_held_dominant_throws_the_sender_out_and_makes_the_rest_passive() -> None:
    core = bus(1, 2, 3)
    core.submit(1, Frame(0x100, bytes(8)), 0)
    core.advance(20 * BIT_NS)
    core.stick(DOMINANT, 20 * BIT_NS)
    assert core.advance(S) == []
    assert core.counters(1).state is NodeState.BUS_OFF
    assert core.counters(2).state is NodeState.PASSIVE
    (off_ns,) = [t for t, state in states(core, 1) if state is NodeState.BUS_OFF]
    assert off_ns == (20 + 14 + 30 * 8) * BIT_NS  # 8 at once, then 31 times 8
    core.stick(None, 2 * S)
    core.submit(2, Frame(0x200), 2 * S)
    (delivery,) = core.advance(3 * S)
    assert delivery.t_ns == 2 * S + (11 + bit_length(Frame(0x200))) * BIT_NS


def test_a_shorted_wire_throws_every_sender_out_after_32_attempts() -> None:
    core = bus(1, 2)
    core.stick(RECESSIVE, 0)
    core.submit(1, Frame(0x100), 0)
    core.advance(S)
    assert core.counters(1).state is NodeState.BUS_OFF
    assert core.counters(2).rec == 0


def test_a_cut_node_is_alone_until_it_is_mended() -> None:
    core = bus(1, 2, 3)
    core.cut(1, 0)
    core.submit(1, Frame(0x100), 0)
    core.submit(2, Frame(0x200), 0)
    (delivery,) = core.advance(S)
    assert (delivery.sender, 1 in delivery.deaf) == (2, True)
    assert core.counters(1).state is NodeState.PASSIVE
    core.mend(1, S)
    assert [d.frame.can_id for d in core.advance(2 * S)] == [0x100]


def test_one_identifier_from_two_nodes_with_different_data_throws_both_out() -> None:
    core = bus(1, 2, 3)
    core.submit(1, Frame(0x100, b"\1"), 0)
    core.submit(2, Frame(0x100, b"\2"), 0)
    assert core.advance(S) == []
    assert {core.counters(n).state for n in (1, 2)} == {NodeState.BUS_OFF}


def test_one_frame_from_two_nodes_at_once_is_one_frame() -> None:
    core = bus(1, 2, 3)
    core.submit(1, Frame(0x100, b"\1"), 0)
    core.submit(2, Frame(0x100, b"\1"), 0)
    assert len(core.advance(S)) == 1
    assert {e.node for e in told(core, Operation.CONFIRM)} == {1, 2}


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": ErrorKind.ACK, "receiver": 2},
        {"kind": ErrorKind.BIT, "count": 0},
        {"kind": ErrorKind.BIT, "bit": 0},
    ],
)
def test_a_senseless_injection_is_refused_in_words(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        ErrorSpec(**wrong)  # type: ignore[arg-type]


# rules as properties ------------------------------------------------------------------------

steps = st.lists(
    st.sampled_from(["sent", "heard", "tx", "ack", "rx", "first", "held"]), max_size=120
)


@settings(deadline=None, max_examples=200)
@given(steps)
def test_counters_follow_the_book(story: list[str]) -> None:
    node, tec, rec, off_ = Confinement(), 0, 0, False
    for step in story:
        if off_:
            break
        passive = tec > 127 or rec > 127
        match step:
            case "sent":
                node.sent()
                tec = max(0, tec - 1)
            case "heard":
                node.heard()
                rec = 119 if rec > 127 else max(0, rec - 1)
            case "tx":
                node.sending_failed()
                tec += 8
            case "ack":
                node.sending_failed(unacknowledged=True)
                tec += 0 if passive else 8
            case "rx" | "first":
                node.hearing_failed(first=step == "first")
                rec = min(255, rec + (9 if step == "first" else 1))
            case _:
                node.held_dominant(sending=True)
                tec += 8
        off_ = tec > 255
        assert (node.tec, node.rec, node.is_off) == (tec, rec, off_)
        if off_:
            assert node.state is NodeState.BUS_OFF
        elif tec > 127 or rec > 127:
            assert node.state is NodeState.PASSIVE
        else:
            assert (node.state is NodeState.WARNING) == (max(tec, rec) >= 96)


faults = st.lists(
    st.builds(
        ErrorSpec,
        st.sampled_from([ErrorKind.BIT, ErrorKind.STUFF, ErrorKind.FORM, ErrorKind.CRC]),
        sender=st.sampled_from([None, 1, 2]),
        count=st.integers(1, 6),
        bit=st.one_of(st.none(), st.integers(1, 80)),
    ),
    max_size=4,
)
traffic = st.lists(
    st.tuples(st.integers(1, 3), st.integers(0, 0x7FF), st.integers(0, 400_000)),
    min_size=1,
    max_size=25,
)


def play(plan: list[tuple[int, int, int]], specs: list[ErrorSpec], step: int) -> list[object]:
    """Deliveries and events; `step` is how often the core is asked, which must not matter."""
    core, now_ns, heard = bus(1, 2, 3), 0, list[Delivery]()
    for spec in specs:
        core.inject(spec)
    for sender, can_id, gap_ns in plan:
        for part in range(1, step + 1):
            heard += core.advance(now_ns + gap_ns * part // step)
        now_ns += gap_ns
        # the identifiers of the nodes differ, as on any sane bus
        core.submit(sender, Frame(can_id - can_id % 3 + sender - 1 & 0x7FF), now_ns)
    heard += core.advance(now_ns + S)
    return [*heard, *core.events()]


@settings(deadline=None, max_examples=60)
@given(traffic, faults)
def test_errors_below_bus_off_lose_nothing_and_asking_oftener_changes_nothing(
    plan: list[tuple[int, int, int]], specs: list[ErrorSpec]
) -> None:
    found = play(plan, specs, 1)
    assert found == play(plan, specs, 7)
    deliveries = [item for item in found if isinstance(item, Delivery)]
    assert len(deliveries) == len(plan)
    times = [d.t_ns for d in deliveries]
    assert times == sorted(times)
