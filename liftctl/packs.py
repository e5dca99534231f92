"""Sealed packs: a zip whose manifest names every file with its hash, signed where there is a key.

Role: the one form of what is handed to others (evidence, incidents), and the check that it holds.
Process: the CLI. Must never: differ between two runs over the same files, or trust the key inside a
pack further than "whoever made this held it".
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

MANIFEST, SIGNATURE, SIGNER = "manifest.json", "manifest.sig", "signer.pub"
OUTSIDE = (MANIFEST, SIGNATURE, SIGNER)
FIRST_DAY = (1980, 1, 1, 0, 0, 0)
LARGEST = 2**31


class PackError(Exception):
    """A pack or key that cannot be used; the message is one line."""


def plain(value: Any) -> bytes:
    """JSON with one spelling."""
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False).encode() + b"\n"


def seal(
    files: Mapping[str, bytes], about: Mapping[str, Any], key: Ed25519PrivateKey | None
) -> bytes:
    """The zip. `about` goes into the manifest (`format` is what `problems` asks for); without
    a key it is hashed and not signed.
    """
    hashes = {name: hashlib.sha256(body).hexdigest() for name, body in sorted(files.items())}
    manifest = plain({**about, "files": hashes})
    whole = {**files, MANIFEST: manifest}
    if key is not None:
        whole[SIGNATURE] = key.sign(manifest).hex().encode()
        whole[SIGNER] = key.public_key().public_bytes_raw().hex().encode()
    return _zip(whole)


def _zip(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, body in sorted(files.items()):
            told = zipfile.ZipInfo(name, FIRST_DAY)
            told.compress_type, told.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(told, body, compresslevel=9)
    return out.getvalue()


def read(path: Path, what: str = "pack") -> dict[str, bytes]:
    """Every file of a pack; PackError when it is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(item.file_size for item in archive.infolist()) > LARGEST:
                raise PackError(f"{path}: unpacks to more than 2 GiB; not read")
            names = archive.namelist()
            if len(names) != len(set(names)):
                raise PackError(f"{path}: holds a name twice")
            return {name: archive.read(name) for name in names}
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise PackError(f"{path}: no {what} ({error})") from error
    except zlib.error as error:
        raise PackError(f"{path}: damaged ({error})") from error


def told(files: Mapping[str, bytes], name: str) -> dict[str, Any]:
    """A JSON file of the pack; empty when it is no object."""
    try:
        found = json.loads(files.get(name, b""))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def manifest_problems(files: Mapping[str, bytes], form: str) -> Iterator[str]:
    """Every file that is not as the manifest says."""
    manifest = told(files, MANIFEST)
    if manifest.get("format") != form:
        yield f"manifest.json: format {manifest.get('format')!r}, this software reads {form}"
    files_told = manifest.get("files")
    named = files_told if isinstance(files_told, dict) else {}
    for name in sorted(set(named) | set(files) - set(OUTSIDE)):
        if name not in files:
            yield f"{name}: named in the manifest, missing in the pack"
        elif name not in named:
            yield f"{name}: not named in the manifest"
        elif hashlib.sha256(files[name]).hexdigest() != named[name]:
            yield f"{name}: was changed after signing"


def signer(files: Mapping[str, bytes]) -> str:
    """The key inside, hex; "" when it is not signed."""
    return files.get(SIGNER, b"").decode("ascii", "replace").strip()


def signature_problems(files: Mapping[str, bytes], expected: str) -> Iterator[str]:
    """`expected`: hex of the key it must be signed with, got from elsewhere."""
    if expected and signer(files) != expected.strip().lower():
        yield f"signed with {signer(files) or 'no key'}, not with the key given"
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signer(files)))
        key.verify(bytes.fromhex(files[SIGNATURE].decode("ascii")), files.get(MANIFEST, b""))
    except (InvalidSignature, ValueError, KeyError):
        yield "manifest.json: its signature does not hold"


def key_in(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 key of a PEM file; PackError."""
    try:
        found = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise PackError(f"{path}: no private key that can be read ({error})") from error
    if not isinstance(found, Ed25519PrivateKey):
        raise PackError(f"{path}: not an Ed25519 key; make one: openssl genpkey -algorithm ed25519")
    return found
