"""A room as the support process hears it, people with keys, and a ledger that answers or does not.

Role: drives the real turn with times of its own. Must never: reach into the turn's state.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config.schema import Site
from liftctl import ipc
from liftctl.remote import documents as d
from liftctl.remote.envelope import Trust, TrustedKey, encode, sign
from liftctl.setup.applied import Applied
from liftctl.support.clock import Now
from liftctl.support.turn import start, turn
from liftctl.support.values import (
    Arrived,
    Asked,
    Config,
    Kept,
    Link,
    Output,
    Record,
    Reply,
    Tell,
    Write,
    Wrote,
)
from tests.panel.house import gate_state, site

WALL_S = 1_800_000_000
STILL = {"hoist_speed_mm_s": 0.0, "traverse_speed_mm_s": 0.0, "load_kg": 0.4}
CHAIR_STILL = {"stand_speed_mm_s": 0.0, "drive_speed_rpm": 0.0, "stand_stroke_mm": 2.0}


def person(role: Any, holder: str) -> tuple[Ed25519PrivateKey, TrustedKey]:
    """Somebody with a key, trusted for a year."""
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw().hex()
    return private, TrustedKey(public, role, holder, WALL_S + 366 * 86_400)


TECH, TECH_KEY = person("support", "T. Technician")
ANNE, ANNE_KEY = person("configurator", "A. Anne")
SAM, SAM_KEY = person("safety", "S. Sam")
TRUST = Trust("north-1", "http://127.0.0.1:1", (TECH_KEY, ANNE_KEY, SAM_KEY))
_ids = itertools.count(10_000_000)
DEEP = b'{"a":' + b"[" * 2000 + b"]" * 2000 + b',"type":"live"}'


def head(**changes: Any) -> dict[str, Any]:
    """What every order begins with."""
    blank = {"controller": "north-1", "id": f"order-{next(_ids)}", "issued": WALL_S - 10}
    return {**blank, "expires": WALL_S + 3600, **changes}


def asked(minutes: int = 60) -> d.SupportRequest:
    """A technician wants to look."""
    return d.SupportRequest(**head(), who="T. Technician", reason="it squeaks", minutes=minutes)


def signed(order: Any, *people: tuple[Any, Ed25519PrivateKey]) -> bytes:
    return sign(encode(order), people or [("support", TECH)])


TWO = (("configurator", ANNE), ("safety", SAM))


@dataclass
class Room:
    """`ledger`: the recorder answers at once. Everything put out since the last `said()`."""

    kind: str = "lift"
    kept: Kept = field(default_factory=Kept)
    applied: Applied | None = None
    ledger: bool = True
    changes: dict[str, Any] = field(default_factory=dict)
    fallback: bool = False
    hears: bool = True

    def __post_init__(self) -> None:
        self.site: Site = site(self.kind)
        self.config = Config(self.site, self.fallback, TRUST, "0.1.0")
        self.now = Now(1000.0, float(WALL_S), "boot-1")
        self.now_ns = 10**12
        self.state = start(self.config, self.kept, self.applied, self.now)
        self.outputs: list[Output] = []
        self.seq = 0
        self.transfer: ipc.TransferView | None = None
        self.turn(Link("gate", self.hears), Link("recorder", True), Link("controller", True))
        if self.hears:
            self.hear()

    def turn(self, *inputs: Any) -> list[Output]:
        """One turn, and the ledger's answers to it in the next."""
        self.state, out = turn(
            self.config, self.state, self.now, self.now_ns, f"{len(self.outputs)}", inputs
        )
        self.outputs += out
        answers = []
        for item in out:
            if isinstance(item, Record) and self.ledger:
                self.seq += 1
                answers.append(ipc.Written(item.id, "audit", self.seq, "head"))
        return out + (self.turn(*answers) if answers else [])

    def hear(self, **changes: Any) -> list[Output]:
        """The gate and the controller speak."""
        self.changes |= changes
        still = STILL if self.kind == "lift" else CHAIR_STILL
        values = {**still, **self.changes.get("values", {})}
        blank = {"tick_ns": self.now_ns, "config_hash": self.state.site.hash}
        gate = gate_state(self.kind, **{**blank, **self.changes, "values": values})
        said = ipc.ControllerState(self.now_ns, "ready", 0, self.transfer, (), ())
        return self.turn(gate, said)

    def after(self, seconds: float, wall_s: float | None = None) -> list[Output]:
        """Time passes on both clocks, or the wall clock is set."""
        wall = self.now.wall_s + seconds if wall_s is None else wall_s
        self.now = replace(self.now, boot_s=self.now.boot_s + seconds, wall_s=wall)
        self.now_ns += int(seconds * 1e9)
        return self.hear()

    def order(self, order: Any, *people: Any) -> list[Output]:
        return self.turn(Arrived(signed(order, *people)))

    def press(self, action: str, **args: str) -> list[Output]:
        """Somebody answers what the wall shows now, unless `args` say what it showed."""
        kept, packed = self.state.kept, self.state.packed
        if action.startswith("support") and kept.request:
            args = {"order": kept.request.id, **args}
        if action.startswith("bundle") and packed:
            args = {"sha256": packed.sha256, **args}
        return self.turn(Asked(7, ipc.Workflow("panel:1", action, args)))

    def restart(self, boot: str = "boot-1", hears: bool = True, **changes: Any) -> Room:
        """The process again, from what it had on disk. `hears`: the gate speaks again."""
        kept = msgspec.json.decode(msgspec.json.encode(self.state.kept), type=Kept)
        again = Room(self.kind, kept, self.state.applied, self.ledger, hears=hears)
        again.now = replace(self.now, boot=boot, **changes)
        again.now_ns = self.now_ns
        again.turn()
        if hears:
            again.hear()
        return again

    # --- what was put out -------------------------------------------------------------------------

    def told(self, kind: type) -> list[Any]:
        found = [item.document for item in self.outputs if isinstance(item, Tell)]
        return [item for item in found if isinstance(item, kind)]

    def codes(self) -> list[str]:
        """Of every answer but that an order was received."""
        return [item.code for item in self.told(d.Answer) if item.code != "taken"]

    def events(self) -> list[str]:
        return [item.event for item in self.outputs if isinstance(item, Record)]

    def recorded(self, event: str) -> str:
        """The id of the newest such line; the ledger's answer names it."""
        found = [item for item in self.outputs if isinstance(item, Record) and item.event == event]
        return found[-1].id

    def refused(self) -> list[str]:
        return [item.refused.code for item in self.outputs if isinstance(item, Reply)]

    def writes(self) -> list[Write]:
        return [item for item in self.outputs if isinstance(item, Write)]

    def asked_gate(self) -> int:
        return sum(isinstance(item, ipc.StandDown) for item in self.outputs)

    # --- ways to a place --------------------------------------------------------------------------

    def granted(self, minutes: str = "30") -> Room:
        """A technician has a grant for everything."""
        wants = ("live", "bundle", "guide")
        self.order(d.SupportRequest(**head(), who="T. Technician", reason="noise", wants=wants))
        self.press("support_yes", name="Nurse N.", minutes=minutes)
        assert self.state.kept.grant is not None
        return self

    def proposal(self, **changes: Any) -> d.Proposal:
        blank: dict[str, Any] = {
            **head(),
            "version": 1,
            "base": self.state.site.hash,
            "changes": {"limits.hoist_loaded_mm_s": 50.0},
            "by": "A. Anne",
            "reason": "resident is afraid",
            "healthy_min": 30,
        }
        return d.Proposal(**{**blank, **changes})

    def offered(self, **changes: Any) -> Room:
        self.order(self.proposal(**changes), *TWO)
        assert self.state.kept.offer is not None, self.codes()
        return self

    def on_trial(self, **changes: Any) -> Room:
        """Confirmed on site; the gate went, the file was exchanged, the gate is back with it."""
        self.offered(**changes)
        version = str(self.state.kept.offer.proposal.version)  # type: ignore[union-attr]
        self.press("setup_yes", name="Nurse N.", version=version)
        self.exchange()
        assert self.state.applied and self.state.applied.trial
        return self

    def good(self, why: str = "") -> None:
        """Somebody on site finds it good, and the shell writes that down."""
        self.press("setup_good", name="Nurse N.")
        self.turn(Wrote(why))

    def exchange(self, why: str = "") -> None:
        """The gate stands down, the shell writes, the gate comes back with what is in force."""
        before = len(self.writes())
        self.turn(ipc.StoodDown(""))
        self.turn(Link("gate", False))
        assert len(self.writes()) == before + 1
        self.turn(Wrote(why))
        self.turn(Link("gate", True))
        self.hear()


def speed(room: Room) -> float:
    """The number that proposals change."""
    return room.state.site.limits.hoist_loaded_mm_s
