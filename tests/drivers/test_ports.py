"""Ports: strict at the boundary, never blocking, never raising in use."""

from __future__ import annotations

import errno
import os
import pty
import select
import shutil
import subprocess
import sys
import time
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import can
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.schema import BusSpec, SerialSpec
from drivers.device import Chunk
from drivers.frames import Frame, FrameError
from drivers.ports import canbus, line, slcan
from drivers.ports.base import Link, LinkEvent, PortError
from drivers.ports.canbus import CanPort
from drivers.ports.opening import open_bus, open_line
from drivers.ports.slcan import SlcanPort


def bus(port: str, **extra: Any) -> Any:
    return open_bus(BusSpec(name="lift", port=port, **extra))


@pytest.fixture
def pair() -> Iterator[tuple[CanPort, can.BusABC]]:
    port = bus("virtual:contract")
    with can.Bus(channel="contract", interface="virtual", ignore_config=True) as other:
        yield port, other
    port.close()


def test_frames_go_both_ways(pair: tuple[CanPort, can.BusABC]) -> None:
    port, other = pair
    frames = [
        Frame("lift", 0x123, b"\x01\x02"),
        Frame("lift", 0x1FFFFFFF, b"", extended=True),
        Frame("lift", 0x7FF, b"", remote=True),
    ]
    for frame in frames:
        assert port.send(frame)
        seen = other.recv(0)
        assert seen is not None
        other.send(seen)
    assert port.receive() == frames
    assert port.receive() == []
    assert not port.send(Frame("lift", 1, b"", error=True))
    assert port.refused == 1


@pytest.mark.parametrize(
    "message",
    [
        can.Message(arbitration_id=0x9999, is_extended_id=False, data=b"abc"),
        can.Message(arbitration_id=0x20000000, is_extended_id=True),
        can.Message(arbitration_id=-1),
        can.Message(arbitration_id=1, dlc=8, data=b"abc"),
        can.Message(arbitration_id=1, dlc=9, data=b"123456789"),
        can.Message(arbitration_id=1, dlc=9, is_remote_frame=True),
        can.Message(arbitration_id=1, is_fd=True, data=bytes(12)),
    ],
)
def test_nonsense_is_an_event(pair: tuple[CanPort, can.BusABC], message: can.Message) -> None:
    port, other = pair
    other.send(message)
    event = port.receive()[0]
    assert isinstance(event, LinkEvent)
    assert (event.kind, port.malformed) == (Link.MALFORMED, 1)


def test_remote_frame_with_data_is_refused() -> None:
    message = can.Message(arbitration_id=1, is_remote_frame=True, dlc=1)
    message.data = bytearray(b"x")
    with pytest.raises(FrameError):
        canbus._frame("lift", message)


@pytest.mark.parametrize(
    ("bits", "data", "kind"),
    [
        (0x040, b"", Link.BUS_OFF),
        (0x004, b"\0\x01", Link.OVERRUN),
        (0x004, b"\0\x20", Link.PASSIVE),
        (0x004, b"\0\x08", Link.WARNING),
        (0x004, b"\0\x40", Link.ERROR),
        (0x004, b"", Link.ERROR),
        (0x100, b"", Link.RESTARTED),
        (0x080, b"", Link.ERROR),
    ],
)
def test_error_frames_are_events(
    pair: tuple[CanPort, can.BusABC], bits: int, data: bytes, kind: Link
) -> None:
    port, other = pair
    other.send(can.Message(arbitration_id=bits, is_error_frame=True, data=data))
    event = port.receive()[0]
    assert isinstance(event, LinkEvent)
    assert event.kind is kind


def test_a_dead_link_is_reported_and_reopened(pair: tuple[CanPort, can.BusABC]) -> None:
    port, other = pair
    assert port._bus is not None
    port._bus.shutdown()
    assert [item.kind for item in port.receive() if isinstance(item, LinkEvent)] == [Link.DOWN]
    assert (port.fileno(), port.receive(), port.send(Frame("lift", 1, b""))) == (-1, [], False)
    assert port.reopen()
    other.send(can.Message(arbitration_id=1, is_extended_id=False))
    assert port.receive() == [Frame("lift", 1, b"")]


class Failing:
    """A bus whose calls fail the way the drivers of adapters do."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def fail(self, *_: object, **__: object) -> None:
        raise self.error

    send = recv = shutdown = fail


@pytest.mark.parametrize(
    ("error", "is_down"),
    [
        (can.CanOperationError("Transmit buffer full"), False),
        (can.CanOperationError("no buffer", errno.ENOBUFS), False),
        (can.CanOperationError("down", errno.ENETDOWN), True),
        (OSError(errno.ENODEV, "gone"), True),
        (ValueError("odd nibble"), False),
    ],
)
def test_send_failures(pair: tuple[CanPort, can.BusABC], error: Exception, is_down: bool) -> None:
    port, _ = pair
    port._bus = Failing(error)  # type: ignore[assignment]
    assert not port.send(Frame("lift", 1, b""))
    assert port.refused == 1
    assert (port._bus is None) == is_down
    kinds = {item.kind for item in port.receive() if isinstance(item, LinkEvent)}
    assert kinds == {Link.DOWN}


def test_one_call_is_bounded(
    pair: tuple[CanPort, can.BusABC], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, other = pair
    monkeypatch.setattr(canbus, "RECEIVE_LIMIT", 3)
    for n in range(5):
        other.send(can.Message(arbitration_id=n, is_extended_id=False))
    assert [len(port.receive()), len(port.receive())] == [3, 2]
    # A descriptor that stays readable while every frame is filtered away.
    with open("/dev/zero", "rb") as always:
        monkeypatch.setattr(port, "_fd", always.fileno())
        assert port.receive() == []


def test_monitor_only_never_sends() -> None:
    port = bus("virtual:quiet", monitor_only=True)
    assert not port.send(Frame("lift", 1, b""))
    port.close()
    port.close()


@pytest.mark.parametrize(
    ("port", "message"),
    [
        ("can0", "use vbus:NAME, socketcan:can0"),
        ("vbus:", "use vbus:NAME"),
        ("pcan:1", "use vbus:NAME"),
        ("slcan:/dev/no-such-tty", "plug the adapter in"),
        ("vbus:none", "`liftctl up` starts it"),
    ],
)
def test_opening_errors_name_the_remedy(
    port: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIFTCTL_RUN", str(tmp_path))
    with pytest.raises(PortError, match=message):
        bus(port)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENODEV, "x"), "ip link set can7 up type can bitrate 500000"),
        (can.CanOperationError("x", errno.ENETDOWN), "the interface is down"),
        (PermissionError(errno.EPERM, "x"), "no permission"),
        (can.CanInterfaceNotImplementedError("no such plugin"), "no such plugin; check the port"),
    ],
)
def test_socketcan_opening_errors(
    error: Exception, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canbus.can, "Bus", Failing(error).fail)
    with pytest.raises(PortError, match=message):
        bus("socketcan:can7")


def test_reopen_that_fails() -> None:
    port = bus("virtual:again")
    port._where = ("vbus", "/nowhere/none.sock", 500_000)
    assert not port.reopen()
    assert port.fileno() == -1


# --- serial line


@pytest.fixture
def wire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, Path]]:
    """The far end of a pseudo-terminal, and its name as a simulated line."""
    far, near = pty.openpty()
    tty.setraw(near)
    monkeypatch.setenv("LIFTCTL_RUN", str(tmp_path))
    (tmp_path / "serial").mkdir()
    path = tmp_path / "serial" / "motors"
    path.symlink_to(os.ttyname(near))
    os.close(near)
    os.set_blocking(far, False)
    yield far, path
    os.close(far)


def wait(port: Any, count: int = 1) -> list[Any]:
    """At least `count` items, unless a second passes; a terminal may deliver in pieces."""
    found: list[Any] = port.receive()
    deadline = time.monotonic() + 1
    while len(found) < count and port.fileno() >= 0 and time.monotonic() < deadline:
        select.select([port.fileno()], [], [], 0.05)
        found += port.receive()
    return found


def read(far: int, size: int) -> bytes:
    data = b""
    while len(data) < size and select.select([far], [], [], 1)[0]:
        data += os.read(far, size - len(data))
    return data


def test_serial_both_ways_and_raw(wire: tuple[int, Path]) -> None:
    far, _ = wire
    port = open_line(SerialSpec(name="motors", port="vserial:motors"))
    assert port.receive() == []
    os.write(far, b"FF=0\r\x00\xff\x03")
    pieces = wait(port)
    while len(b"".join(piece.data for piece in pieces)) < 8:
        pieces += wait(port)
    assert b"".join(piece.data for piece in pieces) == b"FF=0\r\x00\xff\x03"
    assert port.send(Chunk("motors", b"?FF\r"))
    assert read(far, 4) == b"?FF\r"
    port.close()
    assert (port.fileno(), port.receive(), port.send(Chunk("motors", b"x"))) == (-1, [], False)


def test_serial_never_blocks_and_never_splits(wire: tuple[int, Path]) -> None:
    far, path = wire
    port = open_line(SerialSpec(name="motors", port=str(path)))
    piece = bytes(range(250)) * 40
    taken = 0
    while port.send(Chunk("motors", piece)):
        taken += 1
        assert taken < 1000
    assert port.refused == 1
    received = b""
    while select.select([far], [], [], 0.2)[0]:
        received += os.read(far, 65536)
        port.send(Chunk("motors", b""))
    assert received == piece * taken
    port.close()


def test_serial_down_and_again(wire: tuple[int, Path], tmp_path: Path) -> None:
    far, path = wire
    port = open_line(SerialSpec(name="motors", port="vserial:motors"))
    other, near = pty.openpty()
    os.dup2(other, far)
    os.close(other)
    assert [item.kind for item in wait(port)] == [Link.DOWN]
    assert (port.fileno(), port.receive()) == (-1, [])
    path.unlink()
    assert not port.reopen()
    path.symlink_to(os.ttyname(near))
    assert port.reopen()
    os.write(far, b"+")
    assert wait(port) == [Chunk("motors", b"+")]
    port._line._tty.close()  # type: ignore[attr-defined]
    os.close(near)
    assert not port.send(Chunk("motors", b"x"))


@pytest.mark.parametrize(
    ("port", "message"),
    [("vserial:none", "`liftctl up` starts it"), ("/etc/hostname", "name a serial line")],
)
def test_serial_opening_errors(port: str, message: str, wire: tuple[int, Path]) -> None:
    with pytest.raises(PortError, match=message):
        open_line(SerialSpec(name="motors", port=port))


@pytest.mark.parametrize(
    ("number", "message"),
    [(errno.EACCES, "group dialout"), (errno.EAGAIN, "another process uses it")],
)
def test_serial_remedies(number: int, message: str) -> None:
    assert message in line._remedy(OSError(number, "x"), "/dev/ttyUSB0")


def test_run_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIFTCTL_RUN", raising=False)
    for exists, start in ((True, "/run/user/"), (False, "/tmp/liftctl-")):
        monkeypatch.setattr(Path, "is_dir", lambda _self, answer=exists: answer)
        assert str(line.run_dir()).startswith(start)


# --- slcan


@given(st.integers(0, 0x1FFFFFFF), st.binary(max_size=8), st.booleans(), st.booleans())
def test_slcan_round_trip(can_id: int, data: bytes, extended: bool, remote: bool) -> None:
    frame = Frame(
        "b", can_id if extended else can_id & 0x7FF, b"" if remote else data, extended, remote
    )
    assert slcan.decode("b", slcan.encode(frame)[:-1]) == frame


@given(st.binary(max_size=40))
def test_slcan_decode_raises_only_frame_errors(record: bytes) -> None:
    try:
        frame = slcan.decode("b", record)
    except FrameError:
        return
    assert slcan.encode(frame)[:-1].upper() == record.upper() or frame.remote


@pytest.mark.parametrize(
    "record",
    [
        b"t2008112233",
        b"t200311223",
        b"t8000",
        b"T200000000",
        b"t2009",
        b"r1232AABB",
        b"t20",
        b"x1230",
    ],
)
def test_slcan_refuses(record: bytes) -> None:
    with pytest.raises(FrameError):
        slcan.decode("b", record)


@pytest.fixture
def adapter(wire: tuple[int, Path]) -> Iterator[tuple[SlcanPort, int]]:
    far, path = wire
    port = bus(f"slcan:{path}")
    assert isinstance(port, SlcanPort)
    yield port, far
    port.close()


def opened(adapter: tuple[SlcanPort, int]) -> tuple[SlcanPort, int]:
    port, far = adapter
    assert read(far, 8) == b"\rC\rS6\rO\r"
    os.write(far, b"\a\r\rt0000\r")
    assert wait(port) == [Frame("lift", 0, b"")]
    assert port.is_open
    return port, far


def test_slcan_frames_both_ways(adapter: tuple[SlcanPort, int]) -> None:
    assert not adapter[0].send(Frame("lift", 1, b""))  # not acknowledged yet
    port, far = opened(adapter)
    assert port.send(Frame("lift", 0x213, b"\x01\x02"))
    assert read(far, 10) == b"t21320102\r"
    os.write(far, b"z\rt1A02FF8")
    time.sleep(0.01)
    assert port.receive() == []
    os.write(far, b"1\rT19EFFF130\r")
    assert wait(port, 2) == [
        Frame("lift", 0x1A0, b"\xff\x81"),
        Frame("lift", 0x19EFFF13, b"", extended=True),
    ]
    assert len(port._unanswered) == 0


def test_slcan_refusal_is_counted(adapter: tuple[SlcanPort, int]) -> None:
    port, far = opened(adapter)
    assert port.send(Frame("lift", 1, b""))
    assert port.send(Frame("lift", 2, b""))
    os.write(far, b"\r\a")
    assert wait(port) == [LinkEvent("lift", Link.REFUSED, "t0020")]
    assert port.refused == 1


def test_slcan_garbage(adapter: tuple[SlcanPort, int]) -> None:
    port, far = opened(adapter)
    os.write(far, b"t2008112233\rt1\a" + b"9" * 100)
    assert [item.kind for item in wait(port, 3)] == [Link.MALFORMED] * 3
    assert port.malformed == 3
    os.write(far, b"\rt0010\r")
    assert wait(port) == [Frame("lift", 1, b"")]


def test_slcan_adapter_that_never_answers(adapter: tuple[SlcanPort, int]) -> None:
    port, _ = opened(adapter)
    assert all(port.send(Frame("lift", 1, b"")) for _ in range(slcan.WINDOW))
    assert not port.send(Frame("lift", 1, b""))
    assert [item.kind for item in port.receive() if isinstance(item, LinkEvent)] == [Link.DOWN]
    assert port.fileno() == -1
    assert port.reopen()
    assert not port.is_open


def test_slcan_adapter_that_refuses_the_bit_rate(adapter: tuple[SlcanPort, int]) -> None:
    port, far = adapter
    os.write(far, b"\r\a")
    events = wait(port)
    assert [(item.kind, item.detail) for item in events] == [(Link.DOWN, "the adapter refused S6")]
    assert (port.receive(), port.send(Frame("lift", 1, b""))) == ([], False)


def test_slcan_line_that_dies(adapter: tuple[SlcanPort, int], wire: tuple[int, Path]) -> None:
    port, far = opened(adapter)
    other, near = pty.openpty()
    os.dup2(other, far)
    os.close(other)
    os.close(near)
    assert [item.kind for item in wait(port)] == [Link.DOWN]
    wire[1].unlink()
    assert not port.reopen()


def test_slcan_with_a_full_line(adapter: tuple[SlcanPort, int]) -> None:
    port, _ = opened(adapter)
    assert port._line is not None
    while port._line.write(bytes(1000)):
        pass
    assert not port.send(Frame("lift", 1, b""))
    assert (port.refused, len(port._unanswered)) == (1, 0)


def test_slcan_write_that_fails(adapter: tuple[SlcanPort, int]) -> None:
    port, _ = opened(adapter)
    port._line.close()  # type: ignore[union-attr]
    port._line._tty.fd = None  # type: ignore[union-attr]
    assert not port.send(Frame("lift", 1, b""))
    assert [item.kind for item in port.receive() if isinstance(item, LinkEvent)] == [Link.DOWN]


def test_slcan_bit_rates_and_listen_only(wire: tuple[int, Path]) -> None:
    far, path = wire
    with pytest.raises(PortError, match="cannot do 123 bit/s"):
        bus(f"slcan:{path}", bitrate=123)
    port = bus(f"slcan:{path}", bitrate=250_000, monitor_only=True)
    assert read(far, 8) == b"\rC\rS5\rL\r"
    os.write(far, b"\r\r\rt0000\r")
    assert len(wait(port)) == 1
    assert not port.send(Frame("lift", 1, b""))
    port.close()


# --- the virtual bus between processes


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    pytest.importorskip("hil.vbus.hub")
    monkeypatch.setenv("LIFTCTL_RUN", str(tmp_path))
    command = [sys.executable, "-m", "hil.vbus.hub", "--bus", "lift:500000"]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2])
    deadline = time.monotonic() + 10
    while not (tmp_path / "vbus" / "lift.sock").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    yield process
    process.terminate()
    process.wait(60)
    shutil.rmtree(tmp_path / "vbus", ignore_errors=True)


@pytest.mark.process
def test_virtual_bus(hub: Any) -> None:
    one, two = bus("vbus:lift"), bus("vbus:lift")
    for n in range(20):
        assert one.send(Frame("lift", n, bytes((n,))))
    seen = wait(two, 20)
    assert seen == [Frame("lift", n, bytes((n,))) for n in range(20)]
    # Echoes of its own twenty frames must not hide the one behind them.
    assert two.send(Frame("lift", 0x7FF, b""))
    time.sleep(0.05)
    assert one.receive() == [Frame("lift", 0x7FF, b"")]
    hub.terminate()
    hub.wait(60)
    kinds = [item.kind for item in wait(one) if isinstance(item, LinkEvent)]
    assert kinds == [Link.DOWN]
    assert not one.reopen()
    two.close()
