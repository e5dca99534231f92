"""Messages between the processes, and the seqpacket channels they travel on.

Role: the one vocabulary of the service. Process: all. Must never: block a sender (a full buffer
drops and counts), or renew evidence by forwarding it (`echo_ns` travels unchanged; only the gate
stamps `rx_ns`). Sockets: `RUN/SITE/{gate,guard,controller,recorder,support}.sock`, each owned by
the process it is named after, and `outside.sock`, the only one the remote process ever holds.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

BUFFER_BYTES = 1 << 20
MOST_AT_ONCE = 64
# Who only listens: nothing they say is an input of gate or guard. The remote process is barred by
# the kernel from coming here at all (remote/confine.py).
LISTENERS = frozenset({"desk", "status", "support", "remote", "uplink"})


class Message(msgspec.Struct, frozen=True):
    """Base of everything that travels."""


# --- towards the gate -----------------------------------------------------------------------------


class Hello(Message, frozen=True, tag="hello"):
    """First message on a channel: who is calling."""

    role: str


class Hold(Message, frozen=True, tag="hold"):
    """Hold evidence of a station (design rule 2). `motion`: name of one Motion, or "" at neutral.

    `press` counts up within `session` and is 0 at neutral; `echo_ns` is the newest gate tick the
    finger's own screen had seen. `rx_ns` is stamped by the gate; what a sender writes there is
    overwritten.
    """

    station: str
    session: str
    press: int
    motion: str
    echo_ns: int
    rx_ns: int = 0


class StopPress(Message, frozen=True, tag="stop"):
    """STOP as an edge."""

    station: str


class StationGone(Message, frozen=True, tag="gone"):
    """The link to a station died."""

    station: str


class ResetPress(Message, frozen=True, tag="reset"):
    """Reset edge at a station, after the cause of an e-stop was removed."""

    station: str


class ReleaseLatch(Message, frozen=True, tag="release"):
    """A technician's release, on site, with a name."""

    row: str
    by: str


class Permission(Message, frozen=True, tag="permission"):
    """The controller's lease; `motions` is a safety.types.Motion mask."""

    echo_ns: int
    motions: int
    confirmed_pickup: int
    in_transfer: bool
    slow_below_mm: int = 0
    locks: tuple[str, ...] = ()  # names of safety.table.LOCKS


class NewPlan(Message, frozen=True, tag="plan"):
    """The frozen plan of a transfer (safety.types.Plan); `active` False ends it."""

    active: bool
    limit_kg: float = 0.0
    carers: int = 0
    one_carer_allowed: bool = False
    sling_kg: float = 1000.0
    resident_kg: float = 0.0
    resident_ok: bool = False
    sling_ok: bool = False


class GuardSays(Message, frozen=True, tag="guard"):
    """The guard's beat; `cut` is "" or why it has cut."""

    echo_ns: int
    cut: str


class RecorderSays(Message, frozen=True, tag="recorder"):
    """The recorder's beat; unhealthy when it cannot write."""

    echo_ns: int
    healthy: bool
    head: str = ""
    why: str = ""


# --- from the gate
# ---------------------------------------------------------------------------------


class MotionState(msgspec.Struct, frozen=True):
    """One arrow: may it be started now, at docking speed only, and if not, the rows that refuse
    it.
    """

    allowed: bool
    docking: bool
    act: str
    rows: tuple[str, ...]


class GateState(Message, frozen=True, tag="state"):
    """After every turn: every 20 ms and at each urgent change. `tick_ns` is what beats must echo.

    `values`: signal name (unit in the name) -> value, None when not fresh; `quality` only lists
    those not fresh. `mode`: faulted | ready | moving. `moving`: name of the motion that is
    commanded, or "". `devices`: device name -> its display values (also of monitor-class devices).
    `events`: (kind, detail) since the last state.
    """

    tick_ns: int
    site: str
    kind: str
    mode: str
    owner: str
    moving: str
    motions: dict[str, MotionState]
    values: dict[str, float | None]
    quality: dict[str, str]
    active: tuple[str, ...]
    latched: tuple[str, ...]
    aloft: bool
    standing: bool
    tension_pause: bool
    pickup: int
    limit_kg: float
    in_flight: bool
    events: tuple[tuple[str, str], ...]
    devices: dict[str, dict[str, float]]
    ages_ms: dict[str, float]
    counters: dict[str, int]
    config_hash: str
    config_fallback: bool
    version: str


# --- panel <-> controller
# ---------------------------------------------------------------------------


class Workflow(Message, frozen=True, tag="workflow"):
    """A carer's step on the panel: `action` is one of the controller's trigger names."""

    station: str
    action: str
    args: dict[str, str] = {}


class Refused(Message, frozen=True, tag="refused"):
    """An action that was not taken: stable code, and what to do instead."""

    station: str
    action: str
    code: str
    hint: str


class TransferView(msgspec.Struct, frozen=True):
    """The running (or just closed) transfer as the panel shows it.

    `step` is the machine's state; `steps` the ordered states of this kind of transfer; `actions`
    what the carer may do next; `phases` name -> seconds so far.
    """

    id: str
    kind: str
    step: str
    steps: tuple[str, ...]
    actions: tuple[str, ...]
    resident: str
    carers_planned: int
    carers_now: int
    limit_kg: float
    started_ns: int
    phases: dict[str, float]
    blocks: tuple[str, ...]
    peak_load_kg: float
    outcome: str


class ControllerState(Message, frozen=True, tag="controller"):
    """Every gate tick. `residents`: (token, label, carers) that may be chosen; `mode` of the
    device machine. `notices`: token -> what the panel says about assessment and sling; `slings`:
    (serial, notice) of every sling that has one. `records`: "" or what is wrong with the ledger.
    """

    tick_ns: int
    mode: str
    permission: int
    transfer: TransferView | None
    residents: tuple[tuple[str, str, int], ...]
    alarms: tuple[tuple[str, str, str], ...]  # (row, priority, signal), highest first
    last_record: dict[str, Any] | None = None
    notices: dict[str, tuple[str, ...]] = {}
    slings: tuple[tuple[str, str], ...] = ()
    records: str = ""


# --- controller -> recorder
# ---------------------------------------------------------------------------


class TransferOpened(Message, frozen=True, tag="opened"):
    """A transfer began; written before the first motion. `record` holds the header fields."""

    id: str
    t_ns: int
    record: dict[str, Any]


class TransferPhase(Message, frozen=True, tag="phase"):
    """A phase boundary, block, alarm, carer joining or leaving: `name` with `data`."""

    id: str
    t_ns: int
    name: str
    data: dict[str, Any] = {}


class TransferClosed(Message, frozen=True, tag="closed"):
    """The whole record."""

    id: str
    t_ns: int
    record: dict[str, Any]


class Audit(Message, frozen=True, tag="audit"):
    """Something people did that is no transfer: an entry of its own `id`, answered when durable.

    `event` is a code; `detail` may name people.
    """

    id: str
    t_ns: int
    event: str
    detail: dict[str, str] = {}


class Upkeep(msgspec.Struct, frozen=True):
    """The newest word about `what` (inspection, service): `done` and `next_due` as ISO dates,
    `cycles` the lifts at which it is due whatever the date (0: none). `instead_of`: the date of
    the site file that it was given for.
    """

    what: str
    done: str
    next_due: str
    passed: bool = True
    instead_of: str = ""
    cycles: int = 0


class Written(Message, frozen=True, tag="written"):
    """The recorder's acknowledgement: durable at ledger sequence `seq`."""

    id: str
    kind: str
    seq: int
    head: str


class LedgerAsk(Message, frozen=True, tag="ledger_ask"):
    """A person's request to the ledger: erase, seal, correct, note... (recorder/requests.py)."""

    verb: str
    args: dict[str, str] = {}
    fields: dict[str, Any] = {}


class LedgerSays(Message, frozen=True, tag="ledger_says"):
    """What became of it."""

    ok: bool
    text: str
    data: dict[str, Any] = {}


class RecorderState(Message, frozen=True, tag="recorderstate"):
    """Once a second, for controller and desk. `why`: it cannot write; `warning`: it can, but."""

    tick_ns: int
    healthy: bool
    why: str
    warning: str
    epoch: int
    entries: int
    signed: int
    clock: str
    upkeep: tuple[Upkeep, ...] = ()


# --- status
# ---------------------------------------------------------------------------------------------


class GuardState(Message, frozen=True, tag="guardstate"):
    """The guard's own view, for `liftctl status` and the desk."""

    tick_ns: int
    enable: bool
    cut: str
    cuts: int
    checks: int
    evidence_age_ms: float


# --- support
# --------------------------------------------------------------------------------------------


class StandDown(Message, frozen=True, tag="standdown"):
    """Support to gate: end now, if nothing moves, nobody hangs and no transfer runs; whoever
    watches over you starts you again with the newest configuration.
    """


class StoodDown(Message, frozen=True, tag="stooddown"):
    """The gate's answer: `why` is "" when it ends in this moment, else what is in the way."""

    why: str


class Parcel(Message, frozen=True, tag="parcel"):
    """Between support and remote: one signed document as bytes. `number` comes back with empty
    `data` when the centre has it; 0 wants no answer.
    """

    number: int
    data: bytes


class SupportState(Message, frozen=True, tag="support"):
    """What the room is asked, what it has granted, and what is being tried; each None when there is
    nothing. `idle`: "" when a configuration could be taken now, else the code of what is in the
    way. `heard_s`: seconds since the centre was heard; None: never.
    """

    tick_ns: int
    request: dict[str, Any] | None
    grant: dict[str, Any] | None
    bundle: dict[str, Any] | None
    guide: dict[str, Any] | None
    proposal: dict[str, Any] | None
    trial: dict[str, Any] | None
    idle: str
    heard_s: float | None


AnyMessage = (
    Hello
    | Hold
    | StopPress
    | StationGone
    | ResetPress
    | ReleaseLatch
    | Permission
    | NewPlan
    | GuardSays
    | RecorderSays
    | GateState
    | Workflow
    | Refused
    | ControllerState
    | TransferOpened
    | TransferPhase
    | TransferClosed
    | Audit
    | Written
    | LedgerAsk
    | LedgerSays
    | RecorderState
    | GuardState
    | StandDown
    | StoodDown
    | Parcel
    | SupportState
)

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(AnyMessage)


def encode(message: Message) -> bytes:
    """Bytes of one message."""
    return _encoder.encode(message)


def decode(data: bytes) -> AnyMessage:
    """A message from bytes; ValueError, also when it is nested without end."""
    try:
        message: AnyMessage = _decoder.decode(data)
    except RecursionError as error:
        raise ValueError("a message nested deeper than any of ours") from error
    return message


@dataclass(slots=True)
class Channel:
    """One non-blocking seqpacket connection. `dropped` and `malformed` count what was lost."""

    sock: socket.socket
    role: str = ""
    closed: bool = False
    dropped: int = 0
    malformed: int = 0

    def fileno(self) -> int:
        return self.sock.fileno()

    def send(self, message: Message) -> bool:
        """Queue one message; False when the peer is slow (dropped) or gone (closed)."""
        return self.send_bytes(encode(message))

    def send_bytes(self, data: bytes) -> bool:
        """As `send`, for bytes already encoded (one state to many readers)."""
        if self.closed:
            return False
        try:
            self.sock.send(data)
        except BlockingIOError:
            self.dropped += 1
            return False
        except OSError:
            self.close()
            return False
        return True

    def receive(self) -> list[AnyMessage]:
        """The waiting messages, at most 64 at a time: a chattering peer must not starve a loop.

        Marks the channel closed when the peer hung up.
        """
        found: list[AnyMessage] = []
        for _ in range(MOST_AT_ONCE):
            if self.closed:
                break
            try:
                data = self.sock.recv(BUFFER_BYTES)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                self.close()
                break
            try:
                found.append(decode(data))
            except ValueError:
                self.malformed += 1
        return found

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.sock.close()


@dataclass(slots=True)
class Server:
    """A listening seqpacket socket and its live channels."""

    sock: socket.socket
    path: Path
    channels: list[Channel] = field(default_factory=list)

    def accept(self) -> Channel | None:
        """The next waiting connection, already non-blocking."""
        try:
            sock, _ = self.sock.accept()
        except (BlockingIOError, ConnectionError):
            return None
        _prepare(sock)
        channel = Channel(sock)
        self.channels.append(channel)
        return channel

    def broadcast(self, message: Message) -> list[Channel]:
        """To every live channel; forgets and returns those that turned out to be dead."""
        data = encode(message)
        for channel in self.channels:
            channel.send_bytes(data)
        dead = [channel for channel in self.channels if channel.closed]
        self.channels = [channel for channel in self.channels if not channel.closed]
        return dead

    def close(self) -> None:
        for channel in self.channels:
            channel.close()
        self.sock.close()
        self.path.unlink(missing_ok=True)


def _prepare(sock: socket.socket) -> None:
    sock.setblocking(False)
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        sock.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """AF_UNIX paths hold 107 bytes: go through the directory's descriptor."""
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)


def serve(path: Path) -> Server:
    """Listen at `path` (mode 0600, replaces a dead socket); OSError when the folder cannot be
    used.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if living := connect(path):
        living.close()
        raise OSError(errno.EADDRINUSE, "another process serves it; stop that one first", str(path))
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with _short(path) as name:
        sock.bind(name)
    path.chmod(0o600)
    sock.listen(16)
    sock.setblocking(False)
    return Server(sock, path)


def connect(path: Path) -> Channel | None:
    """A channel to whoever listens at `path`, or None when nobody does."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    _prepare(sock)  # first: a full backlog must not hang the caller
    try:
        with _short(path) as name:
            sock.connect(name)
    except OSError:
        sock.close()
        return None
    return Channel(sock)
