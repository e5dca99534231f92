"""The ring: whole records or none, whatever happens to slots and writers."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liftctl.blackbox.ring import (
    PAGE,
    PAYLOAD,
    SLOT,
    Kind,
    RingError,
    RingFollower,
    RingWriter,
    create,
    read,
)

SHARED = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def make(path: Path, slots: int = 64) -> Path:
    create(path, PAGE + slots * SLOT, {"site": "test"})
    return path


@SHARED
@given(payloads=st.lists(st.binary(max_size=3 * PAYLOAD), max_size=60))
def test_what_is_read_is_the_newest_end_of_what_was_written(
    tmp_path: Path, payloads: list[bytes]
) -> None:
    path = make(tmp_path / "ring")
    writer = RingWriter(path)
    seqs = [writer.append(Kind.NOTE, payload) for payload in payloads]
    found = list(read(path))
    assert [r.payload for r in found] == payloads[len(payloads) - len(found) :]
    assert [r.seq for r in found] == seqs[len(seqs) - len(found) :]
    held = sum(r.parts for r in found)
    assert held == writer.next_seq - 1 or held > 64 - 3


@SHARED
@given(
    damage=st.lists(st.tuples(st.integers(0, 64 * SLOT - 1), st.integers(0, 255)), max_size=40),
    laps=st.integers(1, 150),
)
def test_damage_never_yields_a_payload_that_was_not_written(
    tmp_path: Path, damage: list[tuple[int, int]], laps: int
) -> None:
    path = make(tmp_path / "ring")
    writer = RingWriter(path)
    written = {writer.append(Kind.TURN, b"%d " % n * 40): b"%d " % n * 40 for n in range(laps)}
    writer.close()
    raw = bytearray(path.read_bytes())
    for at, value in damage:
        raw[PAGE + at] = value
    path.write_bytes(raw)
    assert all(written[record.seq] == record.payload for record in read(path))
    again = RingWriter(path)
    again.append(Kind.NOTE, b"after")
    assert list(read(path))[-1].payload == b"after"


def test_a_torn_record_is_dropped_and_its_slots_are_counted(tmp_path: Path) -> None:
    path = make(tmp_path / "ring")
    writer, follower = RingWriter(path), RingFollower(path)
    writer.append(Kind.NOTE, b"one")
    writer._put(Kind.TURN, b"x" * PAYLOAD, PAYLOAD, 0, 3)  # killed after the first of three slots
    survivor = RingWriter(path)
    survivor.append(Kind.NOTE, b"two")
    assert [record.payload for record in follower.poll()] == [b"one", b"two"]
    assert follower.lost_slots == 1


def test_a_half_written_slot_is_not_read_until_it_is_whole(tmp_path: Path) -> None:
    path = make(tmp_path / "ring", slots=4)
    writer, follower = RingWriter(path), RingFollower(path)
    for n in range(6):
        writer.append(Kind.NOTE, b"%d" % n)
    follower.poll()
    start = PAGE + (7 % 4) * SLOT
    before = bytes(writer._map[start : start + SLOT])
    writer.append(Kind.NOTE, b"whole")
    after = bytes(writer._map[start : start + SLOT])
    for cut in range(9, SLOT):  # the body first, the number last
        writer._map[start : start + SLOT] = before[:8] + after[8:cut] + before[cut:]
        assert follower.poll() == []
    writer._map[start : start + SLOT] = after
    assert [record.payload for record in follower.poll()] == [b"whole"]
    assert follower.lost_slots == 2  # of the six before, which ran over four slots


def test_a_follower_that_is_overrun_says_how_much(tmp_path: Path) -> None:
    path = make(tmp_path / "ring")
    writer, follower = RingWriter(path), RingFollower(path)
    for n in range(200):
        writer.append(Kind.NOTE, b"%d" % n)
    found = follower.poll()
    assert [record.payload for record in found] == [b"%d" % n for n in range(136, 200)]
    assert follower.lost_slots == 136


def test_a_wrapped_ring_still_holds_its_session(tmp_path: Path) -> None:
    path = make(tmp_path / "ring")
    writer = RingWriter(path)
    writer.append(Kind.SESSION, b"who and what")
    for n in range(500):
        writer.append(Kind.TURN, b"%d" % n)
    assert Kind.SESSION in {record.kind for record in read(path)}


def test_every_block_is_allocated_and_size_is_fixed(tmp_path: Path) -> None:
    path = make(tmp_path / "ring", slots=1024)
    status = path.stat()
    assert status.st_blocks * 512 >= status.st_size
    writer = RingWriter(path)
    for _ in range(3000):
        writer.append(Kind.TURN, bytes(100))
    assert path.stat().st_size == status.st_size


def test_a_file_that_is_no_ring_is_named(tmp_path: Path) -> None:
    (tmp_path / "no").write_bytes(b"x" * 5000)
    for name in ("no", "absent"):
        with pytest.raises(RingError, match=name):
            RingWriter(tmp_path / name)


WRITER = """
import sys
from pathlib import Path
from liftctl.blackbox.ring import RingWriter
writer, n = RingWriter(Path(sys.argv[1])), 0
while True:
    seq, n = writer.append(3, b"%d " % writer.next_seq * 60), n + 1
    if n % 50 == 0:
        print(seq, flush=True)
"""


@pytest.mark.process
def test_kill_nine_loses_nothing_that_was_appended(tmp_path: Path) -> None:
    path = make(tmp_path / "ring", slots=4096)
    for _ in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        told = int(process.stdout.readline())
        follower = RingFollower(path)
        for record in follower.poll():  # the writer is at work
            assert record.payload == b"%d " % record.seq * 60
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
        process.wait()
        told = int(rest[-1]) if rest else told
        found = list(read(path))
        assert found[-1].seq >= told
        assert all(record.payload == b"%d " % record.seq * 60 for record in found)


def test_appending_is_cheap(tmp_path: Path) -> None:
    writer = RingWriter(make(tmp_path / "ring", slots=4096))
    best_us = 1e9
    for _ in range(5):
        start_ns = time.perf_counter_ns()
        for _ in range(500):
            writer.append(Kind.TURN, bytes(100))
        best_us = min(best_us, (time.perf_counter_ns() - start_ns) / 500e3)
    assert best_us < 15
