"""What the support process knows, hears and puts out.

Role: values, and the turn under way. Process: support. Must never: hold an output that is one of
the gate's or the controller's inputs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import msgspec

from config.schema import Site
from liftctl.bucket import Bucket
from liftctl.ipc import ControllerState, GateState, Refused, StandDown, StoodDown, Workflow, Written
from liftctl.remote.documents import Document, Proposal, SupportRequest
from liftctl.remote.envelope import Trust
from liftctl.remote.reasons import REASONS
from liftctl.setup.applied import Applied
from liftctl.support.bundle import Packed
from liftctl.support.clock import Now
from liftctl.support.grants import Grant, Guide

# --- in -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Arrived:
    """Bytes from the centre, believed in nothing yet."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """A step somebody took on the panel; `channel` gets the refusal."""

    channel: int
    workflow: Workflow


@dataclass(frozen=True, slots=True)
class Link:
    """`name`: gate, controller or recorder."""

    name: str
    up: bool


@dataclass(frozen=True, slots=True)
class Wrote:
    """What became of the newest Write: "" done, "running" a gate was in the way, else the error."""

    why: str


Input = Arrived | Asked | Link | Wrote | GateState | ControllerState | Written | StoodDown

# --- out ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tell:
    """To the centre, signed by the shell; `lasting`: kept until the centre has it."""

    document: Document
    lasting: bool = True


@dataclass(frozen=True, slots=True)
class Record:
    """To the ledger: an entry of its own."""

    id: str
    event: str
    detail: dict[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    channel: int
    refused: Refused


@dataclass(frozen=True, slots=True)
class Write:
    """Put `applied` in force. `between`: only while no gate runs, because numbers change."""

    applied: Applied
    between: bool


Output = Tell | Record | Reply | Write | StandDown

# Recorded of those that nobody known signed: ten at once, then one an hour.
STRANGERS = Bucket(size=10, per_s=1 / 3600, level=10)
# Taken of those that somebody known signed: a stolen key fills neither wall nor ledger.
ORDERS = Bucket(size=100, per_s=1 / 60, level=100)

# --- state ----------------------------------------------------------------------------------------


class Offer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A proposal that was judged and waits for somebody on site."""

    proposal: Proposal
    signers: tuple[str, ...]
    hash: str


class Asker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who signed the request: `holder` of the key as it was enrolled on site, and the key's id."""

    holder: str
    key: str


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What outlives the process. `seen`: ids of orders until they expire; `floor_s`: when the
    newest order that was believed had been signed, by the site's clock at most; it is not earlier
    than that. `overspeed`: the over-speed latches of the newest gate state; a gate that is silent
    has cleared none.
    """

    newest_version: int = 0
    floor_s: float = 0.0
    seen: dict[str, int] = {}
    request: SupportRequest | None = None
    asker: Asker | None = None
    grant: Grant | None = None
    guide: Guide | None = None
    offer: Offer | None = None
    overspeed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A configuration on its way in (or back): `wanted` since `since_s`, standing down until the
    gate has gone, then written. `code`: why it goes back; "" on the way in.
    """

    wanted: Applied
    since_s: float
    asked_s: float = 0.0
    gone: bool = False
    writing: bool = False
    code: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True)
class Keeping:
    """What was found good, on its way to the disk, and who gets to hear if it does not arrive."""

    wanted: Applied
    said: Asked


@dataclass(frozen=True, slots=True)
class Awaited:
    """What is done once the ledger has it, if the room is still asked `order` then."""

    what: str  # grant | bundle | setup | good
    order: str
    since_s: float
    channel: int
    workflow: Workflow
    grant: Grant | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """`file`: the site as its file says it, without what came from afar."""

    file: Site
    fallback: bool
    trust: Trust
    version: str


@dataclass(frozen=True, slots=True)
class State:
    """`site` is the one in force."""

    site: Site
    kept: Kept = field(default_factory=Kept)
    applied: Applied | None = None
    gate: GateState | None = None
    controller: ControllerState | None = None
    recorder_up: bool = False
    gate_up: bool = False
    packed: Packed | None = None
    packed_for: str = ""
    change: Change | None = None
    keeping: Keeping | None = None
    awaited: dict[str, Awaited] = field(default_factory=dict)
    trails: dict[str, Record] = field(default_factory=dict)
    tried_s: float = 0.0  # when the trial's configuration was written
    heard_s: float | None = None
    repeated: frozenset[str] = frozenset()  # orders that came again and were told so
    orders: Bucket = ORDERS  # by somebody known
    strangers: Bucket = STRANGERS  # orders by nobody known that are recorded
    unheard: int = 0  # those that were not, since the last that was
    live_s: float = 0.0
    reported_s: float = 0.0
    told: str = ""  # the newest Reported without its time


@dataclass(slots=True)
class Work:
    """The turn under way."""

    config: Config
    state: State
    now: Now
    now_ns: int
    fresh_id: str  # unique for this turn
    out: list[Output] = field(default_factory=list)
    used: int = 0

    def keep(self, **changes: object) -> None:
        """Change what outlives the process."""
        self.set(kept=msgspec.structs.replace(self.state.kept, **changes))

    def set(self, **changes: object) -> None:
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]

    def record(self, event: str, **detail: str) -> str:
        """One line of the audit trail; its id."""
        self.used += 1
        record = Record(f"audit-{self.fresh_id}-{self.used}", event, detail)
        self.out.append(record)
        self.set(trails={**self.state.trails, record.id: record})
        return record.id

    def refuse(self, asked: Asked, code: str) -> None:
        work = asked.workflow
        self.out.append(
            Reply(asked.channel, Refused(work.station, work.action, code, REASONS[code]))
        )
