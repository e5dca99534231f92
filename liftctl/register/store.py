"""The register's file.

Role: read and replace `register.json` (0600). Process: the CLI writes, the controller reads. Must
never: be half written, or be read leniently (a key that is not known is an error).
"""

from __future__ import annotations

import json
import secrets
import shutil
from dataclasses import asdict
from pathlib import Path

from config.plans import Register, faults
from config.schema import ConfigError, build
from liftctl.files import replace_file

VERSION = 1


def fresh_token() -> str:
    """A random name for a resident; nothing can be reckoned from it."""
    return f"r-{secrets.token_hex(6)}"


def load(path: Path) -> Register:
    """The register; an empty one when there is no file; ConfigError."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Register()
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}; restore {path.name} or import again") from error
    version = raw.pop("version", None) if isinstance(raw, dict) else None
    if version != VERSION:
        raise ConfigError(f"{path}: version {version}, expected {VERSION}; import again")
    found: Register = build(Register, raw, str(path))
    check(found, str(path))
    return found


def check(register: Register, where: str) -> None:
    """ConfigError with every fault there is."""
    found = list(faults(register.resident, register.sling))
    if found:
        raise ConfigError("\n".join(f"{where}: {sentence}" for sentence in found))


def save(path: Path, register: Register, keep: bool = True) -> None:
    """Replace the file at once; ConfigError, OSError.

    `keep`: the one before is kept as `.before`; otherwise that one is gone too.
    """
    check(register, str(path))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    before = path.with_name(path.name + ".before")
    if not keep:
        before.unlink(missing_ok=True)
    elif path.exists():
        shutil.copy2(path, before)
    text = json.dumps({"version": VERSION, **asdict(register)}, ensure_ascii=False, indent=1)
    replace_file(path, text.encode() + b"\n")
