"""Enrolment: whose word from afar counts here, and the token the centre gave.

Role: reads and changes `trust.json` by hands on site. Process: CLI writes; support and remote read.
Must never: change trust because of anything that came from afar.
"""

from __future__ import annotations

import time
from typing import cast, get_args

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from liftctl.entry import Unusable
from liftctl.files import replace_file
from liftctl.places import Places
from liftctl.remote.envelope import Role, Trust, TrustedKey


def read_trust(places: Places) -> Trust:
    """The enrolment; Unusable when there is none or it cannot be read."""
    try:
        return msgspec.json.decode(places.trust.read_bytes(), type=Trust)
    except FileNotFoundError as error:
        raise Unusable(f"{places.trust}: not enrolled; use 'liftctl enrol site'") from error
    except (OSError, msgspec.DecodeError) as error:
        raise Unusable(f"{places.trust}: {error}; enrol again") from error


def read_token(places: Places) -> str:
    """What the centre knows this site by; "" when it gave none."""
    path = places.trust.with_name("centre.token")
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


def site_key(places: Places) -> Ed25519PrivateKey:
    """The key this site's reports are signed with, made at the first call."""
    path = places.trust.with_name("support.key")
    try:
        return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
    except FileNotFoundError:
        fresh = Ed25519PrivateKey.generate()
        replace_file(path, fresh.private_bytes_raw())
        return fresh
    except ValueError as error:
        raise Unusable(f"{path}: not a signing key; restore it, or remove it and enrol") from error


def enrol(places: Places, controller: str, centre: str, token: str) -> Trust:
    """Name this site and its centre; keys that were trusted stay."""
    known = read_trust(places).keys if places.trust.exists() else ()
    trust = Trust(controller, centre, known)
    _write(places, trust)
    if token:
        replace_file(places.trust.with_name("centre.token"), token.encode())
    return trust


def person(public: str, role: str, holder: str, days: int) -> TrustedKey:
    """One person's key in one role, as it would be believed; Unusable when it is none."""
    if role not in get_args(Role) or role == "site":
        raise Unusable(f"role '{role}' is unknown; use support, configurator or safety")
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Unusable(f"'{public}' is no Ed25519 key: {error}; give 64 hex digits") from error
    until = int(_now_s()) + days * 86_400
    key = TrustedKey(public.lower(), cast(Role, role), holder.strip(), until)
    try:
        return msgspec.convert(msgspec.to_builtins(key), TrustedKey)
    except msgspec.ValidationError as error:
        raise Unusable(f"{error}; give ROLE, 64 hex digits and the holder's name") from error


def trust_key(places: Places, public: str, role: str, holder: str, days: int) -> TrustedKey:
    """Believe one person's key in one role; Unusable when it is none."""
    key = person(public, role, holder, days)
    trust = read_trust(places)
    others = tuple(k for k in trust.keys if (k.id, k.role) != (key.id, key.role))
    _write(places, msgspec.structs.replace(trust, keys=(*others, key)))
    return key


def forget_key(places: Places, key: str) -> int:
    """Stop believing it, in every role; how many were forgotten."""
    trust = read_trust(places)
    left = tuple(item for item in trust.keys if item.id != key)
    _write(places, msgspec.structs.replace(trust, keys=left))
    return len(trust.keys) - len(left)


def _now_s() -> float:
    return time.time_ns() / 1e9


def _write(places: Places, trust: Trust) -> None:
    """Read back as it would be read: a name that is too long is refused now."""
    data = msgspec.json.encode(trust)
    try:
        msgspec.json.decode(data, type=Trust)
    except msgspec.ValidationError as error:
        raise Unusable(f"{error}; shorten it") from error
    replace_file(places.trust, data)
