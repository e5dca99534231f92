"""Segments and freezes: complete, bounded, each replayable alone."""

from __future__ import annotations

import errno
import itertools
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from liftctl.blackbox import logfile
from liftctl.blackbox.ring import Kind, Record, RingWriter, create
from liftctl.blackbox.turnlog import decode_turn, encode_session, encode_turn
from liftctl.recorder.keeper import Freeze, Keeper, NewSession
from liftctl.recorder.segments import Limits

S = 1_000_000_000
SMALL = Limits(segment_bytes=20_000, segments=3, freezes=2, min_free_bytes=0)


class Bench:
    """A gate that writes ten turns a second into a ring, and a keeper beside it."""

    def __init__(self, folder: Path, limits: Limits = SMALL, ring_bytes: int = 1 << 20) -> None:
        self.folder, self.limits, self.now_ns = folder, limits, 0
        self.wall = itertools.count(1_800_000_000 * S, S)
        self.said: list[Any] = []
        create(folder / "ring", ring_bytes)
        self.start_gate()
        self.start_keeper()

    def start_gate(self) -> None:
        self.gate = RingWriter(self.folder / "ring")
        header = {"config": "{}", "mono_ns": self.now_ns}
        self.gate.append(Kind.SESSION, encode_session(header))

    def start_keeper(self) -> None:
        self.keeper = Keeper(
            self.folder / "ring",
            self.folder / "box",
            lambda: next(self.wall),
            lambda: self.now_ns,
            self.limits,
        )

    def run(self, seconds: int, *freezes: Freeze) -> None:
        jobs: deque[Any] = deque(freezes)
        for _ in range(seconds):
            self.gate.append(Kind.SNAPSHOT, b"state")
            for _ in range(10):
                self.now_ns += S // 10
                self.gate.append(Kind.TURN, encode_turn(self.now_ns, b"digest88", (), "x" * 40))
            self.keeper.run(jobs, self.said.append)

    def files(self, kind: str) -> list[list[Record]]:
        paths = sorted((self.folder / "box").glob(f"{kind}-*.lbb"))
        return [list(logfile.read(path)) for path in paths]


def seconds(records: list[Record]) -> list[float]:
    return [decode_turn(r.payload).now_ns / S for r in records if r.kind == Kind.TURN]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_freeze_holds_a_minute_before_and_ten_seconds_after(bench: Bench) -> None:
    bench.run(100)
    bench.run(8, Freeze(100 * S, "stop-H3"))
    assert bench.files("freeze") == []
    bench.run(5)
    (records,) = bench.files("freeze")
    assert [record.kind for record in records[:2]] == [Kind.SESSION, Kind.SNAPSHOT]
    times = seconds(records)
    assert times[0] <= 40.1
    assert times[-1] >= 110
    assert times == sorted(set(times))
    assert len(times) == round((times[-1] - times[0]) * 10) + 1


def test_overlapping_freezes_merge_and_the_number_is_bounded(bench: Bench) -> None:
    bench.run(70)
    bench.run(20, Freeze(70 * S, "a"), Freeze(75 * S, "b"))
    assert len(bench.files("freeze")) == 1
    for _ in range(4):
        bench.run(30, Freeze(bench.now_ns, "again"))
    found = bench.files("freeze")
    assert len(found) == 2
    assert seconds(found[0])[-1] <= seconds(found[1])[0] + 1.1  # they do not repeat each other


def test_a_freeze_does_not_wait_for_a_dead_gate(bench: Bench) -> None:
    bench.run(20)
    bench.keeper.run(deque([Freeze(bench.now_ns, "gate-lost")]), bench.said.append)
    bench.now_ns += 16 * S
    bench.keeper.run(deque(), bench.said.append)
    assert seconds(bench.files("freeze")[0])[-1] == 20.0


def test_a_recorder_that_is_told_to_stop_freezes_what_it_has(bench: Bench) -> None:
    bench.run(20, Freeze(18 * S, "stop"))
    bench.keeper.close()
    assert seconds(bench.files("freeze")[0])[-1] == 20.0


def test_segments_are_complete_bounded_and_start_whole(bench: Bench) -> None:
    bench.run(200)
    files = bench.files("seg")
    assert len(files) == SMALL.segments
    times = [t for records in files for t in seconds(records)]
    assert times == [round(times[0] + n / 10, 1) for n in range(len(times))]
    assert times[-1] == 200.0
    assert all([r.kind for r in file[:2]] == [Kind.SESSION, Kind.SNAPSHOT] for file in files)


def test_a_restarted_recorder_goes_on_where_it_was(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Limits(segments=9, min_free_bytes=0))
    bench.run(5)
    bench.start_keeper()
    bench.run(5)
    times = {t for records in bench.files("seg") for t in seconds(records)}
    assert times == {round(n / 10, 1) for n in range(1, 101)}
    assert sum(len(seconds(records)) for records in bench.files("seg")) == 110  # one second twice


def test_only_a_gate_that_starts_beside_us_is_news(bench: Bench) -> None:
    bench.run(3)
    assert bench.said == []
    bench.start_gate()
    bench.run(3)
    assert bench.said == [NewSession()]
    bench.start_keeper()
    bench.said.clear()
    bench.run(3)
    assert bench.said == []


def test_a_new_ring_file_is_followed_after_the_old_one_is_read_out(bench: Bench) -> None:
    bench.run(3)
    bench.gate.append(Kind.TURN, encode_turn(int(3.05 * S), b"", (), ()))
    create(bench.folder / "ring", 1 << 20)
    bench.start_gate()
    bench.keeper.run(deque(), bench.said.append)
    bench.run(3)
    times = [t for records in bench.files("seg") for t in seconds(records)]
    assert 3.05 in times
    assert times[-1] == 6.0
    assert len(times) == 61


def test_a_full_disk_raises_forgets_and_recovers(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run(2)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr("liftctl.recorder.segments.os.write", full)
        for _ in range(400):
            with pytest.raises(OSError, match="full"):
                bench.run(1, Freeze(bench.now_ns, "stop"))
        assert len(bench.keeper._chunks) < 420
    bench.run(15)
    assert seconds(bench.files("seg")[-1])[-1] == bench.now_ns / S
    assert bench.files("freeze")


def test_nobody_else_can_read_a_freeze(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.run(80, Freeze(20 * S, "estop"))
    (path,) = (tmp_path / "box").glob("freeze-*.lbb")
    assert path.stat().st_mode & 0o777 == 0o600
