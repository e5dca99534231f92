"""The I/O round the support process's turn: sockets, clocks, keys and two small files.

Role: serves panel and desk on one socket and the remote process on another, listens to gate,
controller and recorder. Process: support. Must never: open the network, or take from the outside
socket anything but a sealed parcel.
"""

from __future__ import annotations

import select
import time
from collections import OrderedDict
from pathlib import Path
from secrets import token_hex

import msgspec

from config.schema import ConfigError, Site
from liftctl import __version__, ipc
from liftctl.accept import accept
from liftctl.entry import Ending, say
from liftctl.files import replace_file
from liftctl.places import Places
from liftctl.remote.enrol import read_trust, site_key
from liftctl.remote.envelope import encode, sign
from liftctl.setup import applied
from liftctl.support.answers import FROM_OFFICE
from liftctl.support.clock import Now
from liftctl.support.turn import start, turn
from liftctl.support.values import (
    Arrived,
    Asked,
    Config,
    Input,
    Kept,
    Link,
    Output,
    Record,
    Reply,
    State,
    Tell,
    Write,
    Wrote,
)
from liftctl.support.view import state_message

RETRY_S = 0.2
SHOW_S = 0.5
WAKE_S = 0.25
MOST_REPORTS = 256
PEERS = ("gate", "controller", "recorder")
HEARD = ipc.GateState | ipc.ControllerState | ipc.Written | ipc.StoodDown
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Shell:
    """One site's support process; `step` is one wake-up."""

    def __init__(self, file: Site, site: Site, fallback: bool) -> None:
        self.places = Places(site.name)
        self.config = Config(file, fallback, read_trust(self.places), __version__)
        self.key = site_key(self.places)
        self.boot = BOOT_ID.read_text(encoding="ascii").strip()
        kept = self._read_kept()
        found = None if fallback else applied.read(self.places)
        self.state = State(site=file, kept=kept)  # its floor, for the first look at the clocks
        self.state = start(self.config, kept, found, self.now())
        self.panels = ipc.serve(self.places.sock("support"))
        self.outside = ipc.serve(self.places.sock("outside"))
        self.peers: dict[str, ipc.Channel] = {}
        self.reports: OrderedDict[int, bytes] = OrderedDict()
        self.sent = 0
        self.next: list[Input] = []
        self.retry_s = self.shown_s = 0.0

    def _read_kept(self) -> Kept:
        """What was remembered. Unreadable: a proposal or an order might come twice, so say it."""
        try:
            return msgspec.json.decode(self.places.support.read_bytes(), type=Kept)
        except FileNotFoundError:
            return Kept()
        except (OSError, msgspec.DecodeError) as error:
            raise ConfigError(
                f"{self.places.support}: {error}; restore it, or remove it and every key in "
                "trust.json that may have signed before"
            ) from error

    def now(self) -> Now:
        """Both clocks."""
        wall_s = max(self.state.kept.floor_s, time.time_ns() / 1e9)
        boot_s = time.clock_gettime_ns(time.CLOCK_BOOTTIME) / 1e9
        return Now(boot_s, wall_s, self.boot)

    # --- in ---------------------------------------------------------------------------------------

    def step(self, wait_s: float = WAKE_S) -> None:
        """Wait for work, take one turn, put out what it says."""
        self._wait(0.0 if self.next else wait_s)
        inputs, self.next = self.next, []
        self._connect(inputs)
        self._hear(inputs)
        asking = self._hear_panels(inputs)
        self._hear_outside(inputs)
        before, now = self.state.kept, self.now()
        self.state, out = turn(
            self.config, self.state, now, time.monotonic_ns(), token_hex(8), inputs
        )
        if self.state.kept != before:
            replace_file(self.places.support, msgspec.json.encode(self.state.kept))
        for item in out:
            self._put(item, asking)
        self._show(now)

    def _wait(self, wait_s: float) -> None:
        channels = [*self.peers.values(), *self.panels.channels, *self.outside.channels]
        live = [channel.fileno() for channel in channels if not channel.closed]
        doors = [self.panels.sock.fileno(), self.outside.sock.fileno()]
        select.select([*doors, *live], [], [], wait_s)

    def _connect(self, inputs: list[Input]) -> None:
        now_s = time.monotonic()
        if now_s < self.retry_s:
            return
        self.retry_s = now_s + RETRY_S
        for name in PEERS:
            if name in self.peers:
                continue
            channel = ipc.connect(self.places.sock(name))
            if channel is not None and channel.send(ipc.Hello("support")):
                self.peers[name] = channel
                inputs.append(Link(name, up=True))

    def _hear(self, inputs: list[Input]) -> None:
        for name, channel in tuple(self.peers.items()):
            heard = [item for item in channel.receive() if isinstance(item, HEARD)]
            states = [item for item in heard if isinstance(item, ipc.GateState)]
            inputs += [item for item in heard if not isinstance(item, ipc.GateState)]
            inputs += states[-1:]  # a picture replaces the one before
            if channel.closed:
                del self.peers[name]
                inputs.append(Link(name, up=False))

    def _hear_panels(self, inputs: list[Input]) -> dict[int, ipc.Channel]:
        while self.panels.accept() is not None:
            pass
        asking = {item.fileno(): item for item in self.panels.channels if not item.closed}
        for number, channel in asking.items():
            for item in channel.receive():
                if isinstance(item, ipc.Hello):
                    channel.role = channel.role or item.role
                elif isinstance(item, ipc.Workflow) and may_answer(channel.role, item.action):
                    inputs.append(Asked(number, item))
        return asking

    def _hear_outside(self, inputs: list[Input]) -> None:
        while (channel := self.outside.accept()) is not None:
            self._resend(channel)
        for channel in self.outside.channels:
            for item in channel.receive():
                if not isinstance(item, ipc.Parcel):
                    channel.malformed += 1
                elif item.number:
                    self.reports.pop(item.number, None)
                else:
                    inputs.append(Arrived(item.data))

    # --- out --------------------------------------------------------------------------------------

    def _put(self, item: Output, asking: dict[int, ipc.Channel]) -> None:
        match item:
            case Tell():
                self._tell(item)
            case Record():
                self._send("recorder", audit_entry(item))
            case Reply():
                if item.channel in asking:
                    asking[item.channel].send(item.refused)
            case ipc.StandDown():
                self._send("gate", item)
            case Write():
                self.next.append(Wrote(self._write(item)))

    def _send(self, name: str, message: ipc.Message) -> None:
        if name in self.peers:
            self.peers[name].send(message)

    def _tell(self, item: Tell) -> None:
        data = sign(encode(item.document), [("site", self.key)])
        self.sent += 1
        if item.lasting:
            self.reports[self.sent] = data
            while len(self.reports) > MOST_REPORTS:
                self.reports.popitem(last=False)
        self.outside.broadcast(ipc.Parcel(self.sent if item.lasting else 0, data))

    def _resend(self, channel: ipc.Channel) -> None:
        for number, data in self.reports.items():
            channel.send(ipc.Parcel(number, data))

    def _write(self, item: Write) -> str:
        """ "" when it is durable. Numbers change only while no gate runs and none can start."""
        try:
            if not item.between:
                accept(self.state.site)  # first: what runs was accepted whenever we die
                applied.write(self.places, item.applied)
                return ""
            with applied.no_gate(self.places) as free:
                if not free:
                    return "running"
                applied.write(self.places, item.applied)
                return ""
        except (OSError, ConfigError) as error:
            say("support", f"{error}; nothing was changed")
            return str(error)

    def _show(self, now: Now) -> None:
        if time.monotonic() - self.shown_s >= SHOW_S:
            self.shown_s = time.monotonic()
            self.panels.broadcast(state_message(self.state, now, time.monotonic_ns()))

    def close(self) -> None:
        """Leave every socket."""
        for channel in self.peers.values():
            channel.close()
        self.panels.close()
        self.outside.close()


def may_answer(role: str, action: str) -> bool:
    """The room answers everything; the home's office whether somebody may look, and what leaves."""
    return role == "panel" or (role == "desk" and action in FROM_OFFICE)


def audit_entry(record: Record) -> ipc.Message:
    """How a line of the audit trail travels to the ledger."""
    return ipc.Audit(record.id, time.monotonic_ns(), record.event, dict(record.detail))


def run(file: Site, site: Site, fallback: bool) -> None:
    """Serve until the process is ended."""
    shell = Shell(file, site, fallback)
    ending = Ending()
    try:
        while not ending.asked:
            shell.step()
    except OSError as error:
        say("support", f"{error}; what cannot be remembered is not done, starting anew")
        raise SystemExit(1) from error
    finally:
        shell.close()
