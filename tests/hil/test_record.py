"""A recording of a site is a regression: today's code must decide it as it was decided then."""

from __future__ import annotations

import json
from pathlib import Path

import can
import pytest

from config.schema import load, to_json
from drivers.frames import Frame
from hil.planes.virtual import VirtualPlane
from hil.record import case, decide
from hil.record.decide import RecordingError
from liftctl.blackbox.ring import Kind, RingWriter, create
from liftctl.blackbox.turnlog import digest_of, encode_session, encode_turn
from liftctl.gate.inputs import GateInput
from liftctl.gate.replay import snapshot
from liftctl.gate.turn import GateConfig, GateTurnState, Outputs, encoded, turn

SITE = Path("config/sites/demo-lift.toml")
NS = 1_000_000_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site that keeps a black box, and a candump of its bus; somebody holds RIGHT."""
    folder = tmp_path_factory.mktemp("site")
    plane = VirtualPlane(load(SITE), 75.0, 1)
    create(folder / "ring.bin", 1 << 22)
    ring = RingWriter(folder / "ring.bin")
    header = {"config": to_json(plane.site), "version": "0.1.0", "mono_ns": 0, "wall_ns": 0}
    ring.append(Kind.SESSION, encode_session(header))

    def kept(
        config: GateConfig, state: GateTurnState, now_ns: int, given: tuple[GateInput, ...]
    ) -> tuple[GateTurnState, Outputs]:
        if state.kernel.last_ns == state.kernel.boot_ns:
            ring.append(Kind.SNAPSHOT, snapshot(state))
        state, out = turn(config, state, now_ns, given)
        record = encode_turn(now_ns, digest_of(encoded(out)), out.verdict.active, given)
        ring.append(Kind.TURN, record)
        return state, out

    plane.gate.decide = kept
    with can.CanutilsLogWriter(folder / "bus.log") as log:

        def heard(frame: Frame) -> None:
            message = can.Message(
                timestamp=plane.clock.now_ns / NS, arbitration_id=frame.id,
                data=frame.data, is_extended_id=False, channel="can0",
            )  # fmt: skip
            log.on_message_received(message)

        plane.wire.takers["tap"] = heard
        plane.run(3 * NS)
        plane.press("hand", "RIGHT")
        plane.run(NS)
        plane.release("hand")
        plane.run(NS)
    assert any(e["moving"] == "RIGHT" for e in plane.timeline.lane("gate", "change"))
    return folder


def test_a_black_box_is_decided_the_same_and_becomes_a_case(site: Path, tmp_path: Path) -> None:
    said = case.record(site / "ring.bin", tmp_path / "case", None, {})
    assert "turns" in said
    told = json.loads((tmp_path / "case" / "case.json").read_text("utf-8"))
    assert told["turns"] > 200
    assert told["recorded_by"] == "0.1.0"
    again = case.replay(tmp_path / "case")
    assert again.same, again.words


def test_a_candump_log_is_decoded_and_decided(site: Path, tmp_path: Path) -> None:
    case.record(site / "bus.log", tmp_path / "case", SITE, {})
    events = (tmp_path / "case" / "events.jsonl").read_text("utf-8")
    assert "hoist_lost" in events.splitlines()[0]
    assert "hoist_lost" not in events.splitlines()[-2]
    assert case.replay(tmp_path / "case").same


def test_code_that_decides_otherwise_is_found_with_the_moment(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.record(site / "bus.log", tmp_path / "log", SITE, {})
    case.record(site / "ring.bin", tmp_path / "box", None, {})
    monkeypatch.setattr("safety.facts.Scene.is_off", lambda self, signal: True)
    for name, says in (("log", "they part at event"), ("box", "otherwise")):
        again = case.replay(tmp_path / name)
        assert not again.same
        assert says in again.words


def test_a_changed_byte_in_what_is_sent_is_found_too(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.record(site / "bus.log", tmp_path / "log", SITE, {})
    monkeypatch.setattr("liftctl.gate.turn.OPERATIONAL", b"\x04")
    again = case.replay(tmp_path / "log")
    assert not again.same
    assert "digest" in again.words


BAD_LOGS = {
    "not a candump line": "hello\n",
    "has no time stamp": "123#00\n",
    "is CAN FD": "(1.0) can0 123##100\n",
    "time goes backwards": "(2.0) can0 123#00\n(1.0) can0 123#00\n",
    "less than one turn": "(1.0) can0 123#00\n",
    "known: can0": "(1.0) can0 123#00\n(1.1) can7 123#00\n",
}


@pytest.mark.parametrize("says", BAD_LOGS)
def test_a_log_that_cannot_be_used_is_refused_by_line(tmp_path: Path, says: str) -> None:
    (tmp_path / "bad.log").write_text(BAD_LOGS[says])
    with pytest.raises(RecordingError, match=says) as error:
        case.record(tmp_path / "bad.log", tmp_path / "case", SITE, {"can0": "lift"})
    assert "bad.log" in str(error.value)
    assert not (tmp_path / "case").exists()


def test_what_is_no_recording_or_no_case_is_refused(site: Path, tmp_path: Path) -> None:
    (tmp_path / "x.lbb").write_bytes(b"nothing")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "case.json").write_text("{}")
    for call, says in (
        (lambda: case.record(tmp_path / "x.lbb", tmp_path / "c", None, {}), "not a black-box"),
        (lambda: case.record(tmp_path / "none", tmp_path / "c", None, {}), "no such file"),
        (lambda: case.record(site / "bus.log", tmp_path / "c", None, {}), "--site"),
        (lambda: case.record(site / "ring.bin", tmp_path / "full", None, {}), "exists already"),
        (lambda: case.replay(tmp_path / "nowhere"), "liftctl hil record"),
        (lambda: case.replay(tmp_path / "full"), "not a file of the bench"),
    ):
        with pytest.raises(RecordingError, match=says):
            call()


def test_an_altered_case_is_refused(site: Path, tmp_path: Path) -> None:
    case.record(site / "bus.log", tmp_path / "case", SITE, {})
    with (tmp_path / "case" / "bus.log").open("a") as log:
        log.write("(9.0) can0 123#00\n")
    with pytest.raises(RecordingError, match="altered since it was written"):
        case.replay(tmp_path / "case")


def test_a_log_of_another_machine_names_its_own_interfaces(site: Path) -> None:
    assert decide.interfaces(site / "bus.log") == ("can0",)
