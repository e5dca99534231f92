"""What the uplink remembers: who it is, and how far the centre has come.

Role: two small files beside the ledger, replaced whole. Process: uplink. Must never: be needed for
correctness: with an old or no position the centre answers with the place it needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from liftctl.entry import Unusable
from liftctl.files import replace_file
from liftctl.places import Places

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Enrolment(msgspec.Struct, frozen=True):
    """Who this gateway is at which centre."""

    url: str
    municipality: str
    home: str
    controller: str


class Position(msgspec.Struct, frozen=True):
    """Of one chain: everything up to `seq` (in this file) is durable at the centre.

    `trouble`: "" or why it stands still, for a person. `set_aside`: rows whose contents stayed.
    """

    epoch: int = 0
    seq: int = 0
    durable_utc: str = ""
    trouble: str = ""
    set_aside: tuple[tuple[int, str], ...] = ()


class Memory(msgspec.Struct, frozen=True):
    """Positions by stream."""

    positions: dict[str, Position] = {}


@dataclass(frozen=True, slots=True)
class Folder:
    """The uplink's folder of a site."""

    path: Path

    @classmethod
    def of(cls, site: str) -> Folder:
        """The site's own."""
        return cls(Places(site).uplink)

    @property
    def events(self) -> Path:
        """The chain of event summaries."""
        return self.path / "events.sqlite"

    @property
    def enrolled(self) -> bool:
        return (self.path / "enrolment.json").is_file()

    def enrolment(self) -> Enrolment:
        """Unusable when this gateway was never enrolled."""
        try:
            return msgspec.json.decode((self.path / "enrolment.json").read_bytes(), type=Enrolment)
        except FileNotFoundError as error:
            raise Unusable(
                "not enrolled; ask the centre for a code, then `liftctl enrol site`"
            ) from error
        except ValueError as error:
            raise Unusable(f"{self.path}/enrolment.json: {error}; enrol again") from error

    def memory(self) -> Memory:
        """What was kept; nothing when it cannot be read (the centre knows)."""
        try:
            return msgspec.json.decode((self.path / "memory.json").read_bytes(), type=Memory)
        except (OSError, ValueError):
            return Memory()

    def keep(self, item: Enrolment | Memory) -> None:
        """Replaced whole: a kill leaves the old or the new one."""
        name = "enrolment.json" if isinstance(item, Enrolment) else "memory.json"
        self._write(name, msgspec.json.encode(item))

    def key(self) -> Ed25519PrivateKey:
        """This gateway's key towards the centre; made once, never leaves."""
        path = self.path / "uplink.key"
        if not path.exists():
            self._write(path.name, Ed25519PrivateKey.generate().private_bytes_raw())
        try:
            return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
        except ValueError as error:
            raise Unusable(f"{path}: no key; remove it and enrol again") from error

    def _write(self, name: str, data: bytes) -> None:
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(self.path / name, data)


def checked(url: str) -> str:
    """The centre's address: HTTPS, or plain HTTP on this machine; Unusable otherwise."""
    parts = urlsplit(url)
    local = parts.hostname in LOOPBACK
    if parts.scheme == "https" or (parts.scheme == "http" and local):
        return url.rstrip("/")
    raise Unusable(f"{url}: use https:// (plain http only on this machine)")
