"""Where a site's files live: runtime sockets and durable data.

Role: one answer to "which path", for every process. Process: all. Must never: create a durable
folder as a side effect of being asked (`liftctl up` and `liftctl init` create).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


def run_root() -> Path:
    """The runtime folder: LIFTCTL_RUN, the user's own run folder, or one in /tmp."""
    given = os.environ.get("LIFTCTL_RUN")
    if given:
        return Path(given)
    user = Path(f"/run/user/{os.getuid()}")
    return user / "liftctl" if user.is_dir() else Path(f"/tmp/liftctl-{os.getuid()}")  # noqa: S108


def data_root() -> Path:
    """The durable folder: LIFTCTL_DATA or ./var."""
    return Path(os.environ.get("LIFTCTL_DATA", "var"))


@dataclass(frozen=True, slots=True)
class Places:
    """The paths of one site."""

    site: str

    @property
    def run(self) -> Path:
        return run_root() / self.site

    @property
    def data(self) -> Path:
        return data_root() / self.site

    def sock(self, process: str) -> Path:
        """The socket owned by `process`."""
        return self.run / f"{process}.sock"

    @property
    def ring(self) -> Path:
        """The gate's memory ring; on durable storage so that it outlives a reboot."""
        return self.data / "ring.bin"

    @property
    def marker(self) -> Path:
        return self.data / "marker.bin"

    @property
    def cleaning(self) -> Path:
        """There while the screen is locked for wiping."""
        return self.data / "cleaning"

    @property
    def gate_lock(self) -> Path:
        """Held as long as a gate lives."""
        return self.data / "gate.lock"

    @property
    def ledger(self) -> Path:
        return self.data / "ledger.sqlite"

    @property
    def uplink(self) -> Path:
        """Enrolment, key, positions and event summaries of the uplink."""
        return self.data / "uplink"

    @property
    def enrolment(self) -> Path:
        """Written when this gateway was enrolled at a knowledge centre."""
        return self.uplink / "enrolment.json"

    @property
    def blackbox(self) -> Path:
        return self.data / "blackbox"

    @property
    def register(self) -> Path:
        """Residents and slings: who is behind a token."""
        return self.data / "register.json"

    @property
    def heads(self) -> Path:
        """Where the ledger's last signed head is kept a second time."""
        return self.blackbox / "heads"

    @property
    def accepted(self) -> Path:
        """The last accepted configuration (design rule 11)."""
        return self.data / "accepted.json"

    @property
    def applied(self) -> Path:
        """What was accepted from afar, on top of the site's file."""
        return self.data / "applied.json"

    @property
    def trust(self) -> Path:
        """Whose word from afar counts; no such file: nobody's."""
        return self.data / "trust.json"

    @property
    def support(self) -> Path:
        """What the support process must remember."""
        return self.data / "support.json"
