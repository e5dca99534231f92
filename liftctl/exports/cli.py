"""`liftctl export ...`.

Role: command functions for liftctl.cli. Process: a person's shell, or a timer. Must never: write
into the ledger.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from config.schema import ConfigError, Site
from liftctl.accept import load_or_fall_back
from liftctl.exports import fhir as fhir_form
from liftctl.exports.table import write_csv
from liftctl.places import Places
from liftctl.recorder.reader import read_transfers
from liftctl.recorder.store import LedgerError

export_app = typer.Typer(no_args_is_help=True, help="Transfers and devices in others' formats.")
SiteOption = Annotated[Path, typer.Option("--site", help="the site's TOML file")]
OutOption = Annotated[Path | None, typer.Option("--out", help="a file; without: standard output")]


def _fail(error: object) -> typer.Exit:
    typer.echo(f"liftctl: {error}", err=True)
    return typer.Exit(2)


def _read(site: Path) -> tuple[Site, list[dict[str, Any]]]:
    try:
        found = load_or_fall_back(site)[0]
        return found, read_transfers(Places(found.name).ledger)
    except (ConfigError, LedgerError, sqlite3.Error) as error:
        raise _fail(error) from error


@export_app.command("fhir")
def fhir_command(
    site: SiteOption,
    out: OutOption = None,
    bundle: Annotated[bool, typer.Option(help="one transaction instead of NDJSON")] = False,
    residents: Annotated[bool, typer.Option(help="with the residents' random tokens")] = False,
) -> None:
    """FHIR R4: Device, DeviceMetric, Procedure."""
    found, records = _read(site)
    resources = fhir_form.resources(found, records, residents)
    text = (
        json.dumps(fhir_form.bundle(resources), ensure_ascii=False, indent=1) + "\n"
        if bundle
        else "".join(fhir_form.ndjson(resources))
    )
    _write(text, out)


@export_app.command("csv")
def csv_command(site: SiteOption, out: OutOption = None) -> None:
    """One row per closed transfer; no resident, no carer, no remark."""
    _, records = _read(site)
    try:
        if out is None:
            write_csv(records, sys.stdout)
            return
        with out.open("w", encoding="utf-8", newline="") as file:
            write_csv(records, file)
    except OSError as error:
        raise _fail(error) from error


@export_app.command("parquet")
def parquet_command(
    site: SiteOption, lake: Annotated[Path, typer.Option(help="the lake's folder")]
) -> None:
    """Add what is new to a lake of Parquet files (needs the `evidence` extra)."""
    found, records = _read(site)
    try:
        from liftctl.exports.lake import add
    except ImportError as error:
        missing = (
            f"{error.name} is missing: pip install --require-hashes -r requirements/evidence.txt"
        )
        raise _fail(missing) from error
    try:
        count = add(records, lake, found.name)
    except OSError as error:
        raise _fail(error) from error
    typer.echo(f"{count} rows added to {lake}")


@export_app.command("webhook")
def webhook_command(
    site: SiteOption,
    url: Annotated[str, typer.Option(help="https address")],
    secret_file: Annotated[Path | None, typer.Option(help="holds whsec_... (HMAC)")] = None,
    key_file: Annotated[Path | None, typer.Option(help="a raw Ed25519 key")] = None,
) -> None:
    """Send what the address does not have yet; status 1 when it did not take everything."""
    import httpx  # no other export waits for an HTTP client

    from liftctl.exports import webhook as hook

    found, records = _read(site)
    if (secret_file is None) == (key_file is None):
        raise _fail("give --secret-file or --key-file")
    position = Places(found.name).data / "webhook.position"
    try:
        key = hook.key_in(secret_file, key_file)
        with httpx.Client(timeout=hook.TIMEOUT_S, trust_env=False) as http:
            sender = hook.Sender(hook.checked(url), key, position, http, _now_s, time.sleep)
            count = sender.deliver(records)
    except (OSError, ValueError) as error:
        raise _fail(error) from error
    except hook.WebhookError as error:
        typer.echo(f"liftctl: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{count} transfers sent")


def _now_s() -> int:
    return time.time_ns() // 10**9


def _write(text: str, out: Path | None) -> None:
    try:
        if out is None:
            sys.stdout.write(text)
        else:
            out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _fail(error) from error
