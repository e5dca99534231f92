"""The hold session: what may be said, and that nothing is invented, renewed or repeated."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liftctl import ipc
from liftctl.panel.session import (
    FLOOD,
    Beat,
    Close,
    Gone,
    Input,
    Output,
    Reset,
    Send,
    Session,
    Step,
    Stop,
    Tick,
    To,
    decoder,
    turn,
)

START = Session("panel:1", "s", frozenset({"UP", "DOWN"}), newest_ns=1000)


def beat(press: int, motion: str = "", echo: int = 1000) -> Beat:
    return Beat(press, motion, str(echo))


def run(*inputs: Input, state: Session = START, now_ns: int = 0) -> tuple[Session, list[Output]]:
    state, outputs = turn(state, now_ns, inputs)
    return state, list(outputs)


def holds(outputs: list[Output]) -> list[tuple[int, str, int]]:
    said = [out.message for out in outputs if isinstance(out, Send)]
    return [(m.press, m.motion, m.echo_ns) for m in said if isinstance(m, ipc.Hold)]


def test_a_beat_goes_to_gate_and_guard_unchanged() -> None:
    _, outputs = run(beat(1, "UP", 990))
    hold = ipc.Hold("panel:1", "s", 1, "UP", 990)
    assert outputs == [Send(To.EVIDENCE, hold)]


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("an ended press", [beat(1, "UP"), beat(0), beat(1, "UP")]),
        ("a press below the highest", [beat(5, "UP"), beat(0), beat(4, "UP")]),
        ("another motion in the same press", [beat(1, "UP"), beat(1, "DOWN")]),
        ("a motion of another kind", [beat(1, "STAND")]),
        ("a mask", [beat(1, "UP|DOWN")]),
        ("neutral with a motion", [beat(0, "UP")]),
        ("a press without a motion", [beat(1)]),
        ("an echo from the future", [beat(1, "UP", 1001)]),
        ("a press that STOP ended", [beat(1, "UP"), Stop(), beat(1, "UP")]),
    ],
)
def test_is_not_forwarded(name: str, inputs: list[Input]) -> None:
    state, _ = run(*inputs[:-1])
    assert holds(run(inputs[-1], state=state)[1]) == [], name


def test_a_fresh_press_after_a_stop_is_forwarded() -> None:
    _, outputs = run(beat(1, "UP"), Stop(), beat(0), beat(2, "UP"))
    assert holds(outputs) == [(1, "UP", 1000), (0, "", 1000), (2, "UP", 1000)]


def test_the_newest_tick_only_moves_by_what_was_sent() -> None:
    _, outputs = run(Tick(1500), beat(0, echo=1500))
    assert holds(outputs) == [(0, "", 1500)]


def test_stop_reset_steps_and_the_end_have_their_ways() -> None:
    _, outputs = run(Stop(), Reset(), Step("begin", {"kind": "x"}), Gone())
    assert outputs == [
        Send(To.EVIDENCE, ipc.StopPress("panel:1")),
        Send(To.GATE, ipc.ResetPress("panel:1")),
        Send(To.CONTROLLER, ipc.Workflow("panel:1", "begin", {"kind": "x"})),
        Send(To.EVIDENCE, ipc.StationGone("panel:1")),
    ]


def test_a_flood_is_thinned_then_hung_up_but_stop_and_release_always_pass() -> None:
    state, outputs = run(beat(1, "UP"), *[beat(1, "UP")] * (FLOOD - 1))
    assert len(holds(outputs)) == 40
    assert holds(run(beat(0), state=state)[1]) == [(0, "", 1000)]
    assert len(run(*[Stop()] * 200, state=state)[1]) == 200
    _, more = run(*[beat(1, "UP")] * FLOOD, state=state)
    assert Close(4429) in more


def test_an_ordinary_page_is_never_thinned() -> None:
    state, sent = START, 0
    for n in range(400):  # 20 s of holding, with an edge every second
        state, outputs = run(beat(n // 20 + 1, "UP"), state=state, now_ns=n * 50_000_000)
        sent += len(holds(outputs))
    assert sent == 400


def test_steps_are_thinned() -> None:
    _, outputs = run(*[Step("pause")] * 50)
    assert len(outputs) == 10


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"type":"drive"}',
        '{"type":"beat"}',
        '{"type":"beat","press":-1,"motion":"","echo":"1"}',
        '{"type":"beat","press":"1","motion":"UP","echo":"1"}',
        '{"type":"beat","press":true,"motion":"UP","echo":"1"}',
        '{"type":"beat","press":1,"motion":"UP","echo":"x"}',
        '{"type":"beat","press":1,"motion":"UP","echo":"1\\n"}',
        '{"type":"beat","press":1,"motion":"UP","echo":1}',
        '{"type":"beat","press":1,"motion":"UP","echo":"' + "9" * 30 + '"}',
        '{"type":"beat","press":1,"motion":"UPUPUPUPUP","echo":"1"}',
        '{"type":"stop","extra":1}',
        '{"type":"step","action":"../x"}',
        '{"type":"step","action":"begin","args":{"a":1}}',
        '{"type":"step","action":"begin","args":{"a":"' + "x" * 201 + '"}}',
    ],
)
def test_is_not_understood(text: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        decoder.decode(text)


said = st.one_of(
    st.builds(
        Beat,
        st.integers(0, 6),
        st.sampled_from(["", "UP", "DOWN", "STAND"]),
        st.integers(0, 2500).map(str),
    ),
    st.just(Stop()),
    st.builds(Tick, st.integers(1000, 2000)),
)


@given(st.lists(said, max_size=60))
def test_whatever_is_said(script: list[Beat | Stop | Tick]) -> None:
    """Every hold is a beat just said; presses rise, keep their motion and never come back."""
    state, dead, highest, motions = START, 0, 0, dict[int, str]()
    for item in script:
        before = state.newest_ns
        state, outputs = run(item, state=state)
        found = holds(outputs)
        if isinstance(item, Stop):
            assert outputs == [Send(To.EVIDENCE, ipc.StopPress("panel:1"))]
            dead = highest
        if not isinstance(item, Beat):
            assert not found
            continue
        assert found in ([], [(item.press, item.motion, int(item.echo))])
        for press, motion, echo in found:
            assert echo <= before
            assert press == 0 or (press > dead and press >= highest)
            assert press == 0 or motions.setdefault(press, motion) == motion
            dead = highest if press == 0 else dead
            highest = max(highest, press)
