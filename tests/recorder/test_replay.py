"""Replay and export, with a toy gate that only adds up what it is given."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import can
import msgspec
import pytest
import typer
from typer.testing import CliRunner

from drivers.frames import Frame
from liftctl.blackbox import cli, logfile
from liftctl.blackbox.ring import Kind, Record, RingWriter, create, read
from liftctl.blackbox.turnlog import (
    Stamped,
    Step,
    digest_of,
    encode_session,
    encode_turn,
    replay,
)


class Toy:
    """State is a number; `gain` is its configuration."""

    def __init__(self) -> None:
        self.gain, self.total = 1, 0

    def from_session(self, header: dict[str, Any]) -> None:
        self.gain = json.loads(header["config"])["gain"]

    def load_snapshot(self, payload: bytes) -> None:
        self.total = msgspec.msgpack.decode(payload, type=int)

    def step(self, now_ns: int, inputs: bytes) -> Step:
        self.total += self.gain * sum(msgspec.msgpack.decode(inputs, type=tuple[int, ...]))
        frame = Frame("can0", 0x123, bytes([self.total % 256]))
        rows = ("over",) if self.total > 50 else ()
        return Step(digest_of(b"%d" % self.total), rows, str(self.total), (Stamped(now_ns, frame),))


def written(path: Path, turns: int = 40, gain: int = 1, lie_at: int = -1) -> Path:
    create(path, 1 << 16)
    writer, toy = RingWriter(path), Toy()
    header = {"config": json.dumps({"gain": gain}), "wall_ns": 10**18, "mono_ns": 0}
    writer.append(Kind.SESSION, encode_session(header))
    toy.gain = gain
    for n in range(turns):
        if n % 10 == 0:
            writer.append(Kind.SNAPSHOT, msgspec.msgpack.encode(toy.total))
        step = toy.step(n, msgspec.msgpack.encode((n, 1)))
        digest = b"liar" if n == lie_at else step.digest
        writer.append(Kind.TURN, encode_turn(n * 10**7, digest, step.rows, (n, 1)))
    return path


def test_every_turn_is_decided_the_same(tmp_path: Path) -> None:
    result = replay(read(written(tmp_path / "ring")), Toy())
    assert (result.turns, result.skipped, result.gaps, result.difference) == (40, 0, 0, None)


def test_replay_starts_in_mid_ring(tmp_path: Path) -> None:
    records = list(read(written(tmp_path / "ring")))
    session, late = records[0], records[15:]
    result = replay([session, *late], Toy())
    assert result.difference is None
    assert 0 < result.skipped < 10
    assert result.turns + result.skipped == sum(r.kind == Kind.TURN for r in late)


def test_a_gap_waits_for_the_next_snapshot(tmp_path: Path) -> None:
    records = list(read(written(tmp_path / "ring")))
    result = replay(records[:8] + records[9:], Toy())
    assert (result.gaps, result.difference) == (1, None)
    assert result.skipped > 0


def test_the_first_difference_is_named(tmp_path: Path) -> None:
    result = replay(read(written(tmp_path / "ring", lie_at=17)), Toy())
    assert result.difference is not None
    assert result.difference.now_ns == 17 * 10**7
    assert result.turns == 18
    other = replay(read(tmp_path / "ring"), Toy(), config=json.dumps({"gain": 2}))
    assert other.difference is not None
    assert other.turns == 1


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    module = types.ModuleType("toy_gate")
    module.machine = Toy  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "toy_gate", module)
    monkeypatch.setattr(cli.load_machine, "__defaults__", ("toy_gate:machine",))
    app = typer.Typer()
    app.command("replay")(cli.replay_command)
    app.command("export")(cli.export_command)
    return app


def test_the_command_exits_0_1_or_2(tmp_path: Path, app: typer.Typer) -> None:
    run = CliRunner().invoke
    good = run(app, ["replay", str(written(tmp_path / "good")), "--json"])
    assert (good.exit_code, json.loads(good.stdout)["identical"]) == (0, True)
    bad = run(app, ["replay", str(written(tmp_path / "bad", lie_at=30))])
    assert bad.exit_code == 1
    assert "DIFFERENT VERDICT at 0.300000 s" in bad.stdout
    assert "recorded rows:   over" in bad.stdout
    (tmp_path / "junk").write_bytes(b"junk")
    for name in ("junk", "absent"):
        assert run(app, ["replay", str(tmp_path / name)]).exit_code == 2


@pytest.mark.parametrize("suffix", [".log", ".blf"])
def test_python_can_reads_the_export_back(tmp_path: Path, app: typer.Typer, suffix: str) -> None:
    out = tmp_path / f"out{suffix}"
    result = CliRunner().invoke(app, ["export", str(written(tmp_path / "ring")), str(out)])
    assert result.exit_code == 0, result.output
    with can.LogReader(out) as reader:
        messages = list(reader)
    assert len(messages) == 40
    assert messages[0].arbitration_id == 0x123
    assert messages[-1].timestamp == pytest.approx(1e9, abs=1)
    unknown = CliRunner().invoke(app, ["export", str(tmp_path / "ring"), str(tmp_path / "a.xyz")])
    assert unknown.exit_code == 2


def test_a_log_file_ends_quietly_when_cut_and_loudly_when_damaged(tmp_path: Path) -> None:
    path = tmp_path / "x.lbb"
    records = [Record(n, 1, Kind.NOTE, b"note %d" % n) for n in range(1, 6)]
    logfile.write(path, 7, records)
    whole = path.read_bytes()
    assert list(logfile.read(path)) == records
    path.write_bytes(whole[:-3])
    assert list(logfile.read(path)) == records[:-1]
    path.write_bytes(whole.replace(b"note 2", b"note 9"))
    with pytest.raises(logfile.LogError, match="damaged at record 2"):
        list(logfile.read(path))
