"""The panel process against a fake gate, guard and controller on real sockets."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from liftctl import ipc
from liftctl.panel import edge
from liftctl.panel.app import create, run
from liftctl.panel.links import RETRY_S
from tests.panel.house import House, gate_state, serving, site, transfer, until


@pytest.fixture
def port(lift: House) -> Iterator[int]:
    with serving(create(site("lift"))) as number:
        yield number


@contextmanager
def page(port: int) -> Iterator[tuple[ClientConnection, str]]:
    with connect(f"ws://127.0.0.1:{port}/ws", origin=f"http://127.0.0.1:{port}") as ws:  # type: ignore[arg-type]
        station = receive(ws, "hello")["station"]
        yield ws, station


def receive(ws: ClientConnection, kind: str) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = json.loads(ws.recv(timeout=60))
        if message["type"] == kind:
            return message


def say(ws: ClientConnection, **message: Any) -> None:
    ws.send(json.dumps(message))


def hold(ws: ClientConnection, press: int, motion: str, tick: str) -> None:
    say(ws, type="beat", press=press, motion=motion, echo=tick)


def _of_a_finger(house: House) -> list[ipc.Hold]:
    """What the guard heard of pages; the process itself says that it hears."""
    return [hold for hold in house.heard(ipc.Hold, "guard") if hold.station != "panel:0"]


def test_the_guard_hears_this_process_though_no_page_is_open(lift: House, port: int) -> None:
    """H1: while the tablet sleeps a gate that moves by itself is still known for a liar."""
    before = len(lift.heard(ipc.Hold, "guard"))
    until(lambda: len(lift.heard(ipc.Hold, "guard")) >= before + 3)
    newest = lift.heard(ipc.Hold, "guard")[-1]
    assert (newest.station, newest.press, newest.motion) == ("panel:0", 0, "")
    assert time.monotonic_ns() - newest.echo_ns < 10**9, "it echoes the gate's own tick"
    assert not lift.holds(), "and the gate is not told of a station that is none"


def test_a_page_hears_the_panel_while_the_gate_is_silent(lift: House, port: int) -> None:
    """A page gives up a line on which it hears nothing; STOP must not be lost with it."""
    lift.silent = True
    with page(port) as (ws, _):
        receive(ws, "here")
        receive(ws, "here")


def test_beats_stop_and_the_end_reach_gate_and_guard(lift: House, port: int) -> None:
    with page(port) as (ws, station):
        tick = receive(ws, "state")["tick"]
        hold(ws, 0, "", tick)
        hold(ws, 1, "UP", tick)
        until(lambda: len(_of_a_finger(lift)) == 2)
        assert lift.holds() == _of_a_finger(lift)
        found = lift.holds()[-1]
        assert (found.station, found.press, found.motion) == (station, 1, "UP")
        assert found.echo_ns == int(tick) and found.rx_ns == 0
        time.sleep(0.2)
        assert len(lift.holds()) == 2, "nothing is repeated"
        say(ws, type="stop")
        until(lambda: lift.heard(ipc.StopPress, "guard"))
    until(lambda: lift.heard(ipc.StationGone, "guard"))
    assert lift.heard(ipc.StopPress) == [ipc.StopPress(station)]
    assert lift.heard(ipc.StationGone) == [ipc.StationGone(station)]


def test_stop_works_while_another_station_owns(lift: House, port: int) -> None:
    lift.changes = {"owner": "hand", "moving": "UP"}
    with page(port) as (ws, station):
        say(ws, type="stop")
        until(lambda: lift.heard(ipc.StopPress))
        assert lift.heard(ipc.StopPress) == [ipc.StopPress(station)]


def test_steps_and_refusals(lift: House, port: int) -> None:
    with page(port) as (ws, station):
        badge = '<img src=x onerror="alert(1)">'
        say(ws, type="step", action="begin", args={"badge": badge})
        until(lambda: lift.heard(ipc.Workflow, "controller"))
        work = ipc.Workflow(station, "begin", {"badge": badge})
        assert lift.heard(ipc.Workflow, "controller") == [work]
        say(ws, type="step", action="nonsense")
        refused = receive(ws, "refused")
        assert (refused["code"], refused["hint"]) == ("unknown", "do this")
        say(ws, type="reset")
        until(lambda: lift.heard(ipc.ResetPress))


def test_the_state_the_page_gets(lift: House, port: int) -> None:
    lift.changes = {
        "latched": ("estop", "hoist_runaway"),
        "events": (("stop", "estop"), ("x", "y")),
    }
    lift.running = transfer("lift", "raising", "pause")
    with page(port) as (ws, _):
        state = receive(ws, "state")
        while not (state["controller"] and state["controller"]["transfer"]):
            state = receive(ws, "state")
    assert isinstance(state["tick"], str) and int(state["tick"]) > 0
    assert state["resettable"] == ["estop"]
    assert state["stops"] == ["estop"]
    assert state["controller"]["transfer"]["step"] == "raising"
    assert "devices" not in state


def test_an_alarm_whose_cause_is_gone_is_told_as_past(lift: House, port: int) -> None:
    lift.changes = {"active": ("slack",)}
    lift.alarms = (("blind?", "high", "latch"), ("slack", "medium", "on"))
    wanted = [["slack", "medium", "on"], ["blind?", "past", "latch"]]
    with page(port) as (ws, _):
        told = (receive(ws, "state")["controller"] for _ in range(250))  # the first may be older
        assert any(said and said["alarms"] == wanted for said in told)


def test_reset_is_not_offered_while_the_estop_is_pressed_or_unknown() -> None:
    from liftctl.panel.view import resettable

    for value in (0.0, None):
        values = {"estop_a_closed": 1.0, "estop_b_closed": value}
        assert resettable(gate_state("lift", latched=("estop",), values=values)) == []


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        '{"type":"beat","press":1,"motion":"UP","echo":"soon"}',
        '{"type":"move"}',
        "[" * 2000,
        "x" * 5000,
        b"\x00\x01",
    ],
)
def test_hostile_talk_ends_that_page_only(lift: House, port: int, text: str | bytes) -> None:
    with page(port) as (good, _), page(port) as (bad, station):
        tick = receive(good, "state")["tick"]
        with pytest.raises(ConnectionClosed):
            bad.send(text)
            while True:
                bad.recv(timeout=60)
        until(lambda: ipc.StationGone(station) in lift.heard(ipc.StationGone))
        hold(good, 1, "UP", tick)
        until(lift.holds)


def test_a_message_nested_without_end_is_called_no_message(lift: House, port: int) -> None:
    with page(port) as (bad, _), pytest.raises(ConnectionClosed) as closed:
        bad.send('{"a":' + "[" * 2000)
        while True:
            bad.recv(timeout=60)
    assert closed.value.rcvd and closed.value.rcvd.code == 4400


def test_well_formed_nonsense_moves_nothing(lift: House, port: int) -> None:
    with page(port) as (ws, _):
        tick = receive(ws, "state")["tick"]
        hold(ws, 1, "STAND", tick)
        hold(ws, 1, "UP|DOWN", tick)
        hold(ws, 2, "UP", str(int(tick) + 10**12))
        hold(ws, 0, "", tick)
        until(lift.holds)
        assert [item.press for item in lift.holds()] == [0]


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null", "https://127.0.0.1"])
def test_a_foreign_origin_is_closed(lift: House, port: int, origin: Any) -> None:
    with connect(f"ws://127.0.0.1:{port}/ws", origin=origin) as ws:
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(timeout=60)
        assert closed.value.rcvd and closed.value.rcvd.code == 4403
    assert not lift.heard(ipc.Hold)


def test_a_foreign_host_is_refused(lift: House, port: int) -> None:
    base = f"http://127.0.0.1:{port}"
    assert httpx.get(base, headers={"Host": "evil.example"}).status_code == 421
    with pytest.raises(InvalidStatus):
        headers = {"Host": "evil.example", "Origin": "http://evil.example"}
        connect(f"ws://127.0.0.1:{port}/ws", additional_headers=headers).__enter__()


def test_headers_words_and_nothing_else(lift: House, port: int) -> None:
    base = f"http://127.0.0.1:{port}"
    answer = httpx.get(base)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert httpx.get(f"{base}/languages/da.json").json()["motion.UP"] == "Hæv"
    assert httpx.get(f"{base}/site.json").json()["motions"] == ["DOWN", "LEFT", "RIGHT", "UP"]
    for path in ("/docs", "/openapi.json", "/languages/xx.json", "/static/../app.py"):
        assert httpx.get(base + path).status_code == 404


def test_the_gate_comes_back(run_dir: Path) -> None:
    with serving(create(site("lift"))) as port, page(port) as (ws, _):
        for _ in range(2):
            house = House("lift")
            receive(ws, "state")
            house.close()
            time.sleep(RETRY_S)


def test_a_step_without_a_controller_says_so(run_dir: Path) -> None:
    with serving(create(site("lift"))) as port, page(port) as (ws, _):
        say(ws, type="step", action="begin")
        assert receive(ws, "refused")["code"] == "controller_away"


def test_a_busy_port_is_one_line_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit) as left:
        run(site("lift"), taken.getsockname()[1])
    assert left.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_no_answer_waits_for_the_peers_acknowledgement() -> None:
    """Nagle's algorithm held every answer in two writes back for 40 ms."""
    with edge.listen("127.0.0.1", 0, "panel") as sock:
        sock.listen()
        with socket.create_connection(sock.getsockname()), sock.accept()[0] as taken:
            assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
