"""The command line: `liftctl COMMAND`.

Role: names and help of every command; the work is elsewhere. Process: whoever types. Must never:
move anything.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer

from config.schema import ConfigError, load
from liftctl.benefit.baseline_cli import freeze_command, show_command, synth_command
from liftctl.benefit.cli import report_command
from liftctl.benefit.evidence_cli import roll_up_command, verify_pack_command
from liftctl.blackbox.cli import export_command, replay_command
from liftctl.centre.cli import app as centre_app
from liftctl.decode import decode_command, encode_command
from liftctl.exports.cli import export_app
from liftctl.people.cli import incidents, people
from liftctl.recorder import cli as ledger
from liftctl.register import cli as register
from liftctl.remote.cli import enrol_app, order_app
from liftctl.remote.office_cli import office_app
from liftctl.up import init, up
from liftctl.uplink.cli import app as uplink_app

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
config_app = typer.Typer(no_args_is_help=True, help="Check or accept a site's configuration.")
app.add_typer(config_app, name="config")
blackbox_app = typer.Typer(no_args_is_help=True, help="The gate's black box.")
app.add_typer(blackbox_app, name="blackbox")
evidence_app = typer.Typer(no_args_is_help=True, help="Evidence packs.")
app.add_typer(evidence_app, name="evidence")
baseline_app = typer.Typer(no_args_is_help=True, help="What a transfer cost before.")
app.add_typer(baseline_app, name="baseline")
app.add_typer(uplink_app, name="uplink")
app.add_typer(centre_app, name="centre")
ledger_app = typer.Typer(no_args_is_help=True, help="The ledger of transfers.")
app.add_typer(ledger_app, name="ledger")
app.add_typer(register.residents, name="residents")
app.add_typer(register.slings, name="slings")
app.add_typer(people, name="people")
app.add_typer(incidents, name="incident")

SiteOption = Annotated[Path, typer.Option("--site", help="the site's TOML file")]
DEMO = [Path("config/sites/demo-lift.toml"), Path("config/sites/demo-chair.toml")]


def _fail(text: str, status: int = 2) -> None:
    typer.echo(f"liftctl: {text}", err=True)
    raise typer.Exit(status)


@app.command("up")
def up_command(
    sites: Annotated[
        list[Path] | None, typer.Argument(help="site files; the demo ward if none")
    ] = None,
    port: Annotated[int, typer.Option(help="port of the first panel, in place of 8080")] = 8080,
    module: Annotated[list[str] | None, typer.Option(help="NAME=MODULE, for benches")] = None,
    hardware: Annotated[bool, typer.Option(help="start the simulated hardware")] = True,
) -> None:
    """Start and supervise every process of one or more sites."""
    modules = dict(item.split("=", 1) for item in module or ())
    raise typer.Exit(up(sites or DEMO, port - 8080, modules, hardware))


@app.command("init")
def init_command(site: SiteOption) -> None:
    """Make a site's folders, its first marker and its accepted configuration."""
    from liftctl.accept import current

    try:
        init(current(site))
    except (ConfigError, OSError) as error:
        _fail(str(error))


@config_app.command("check")
def check_command(site: SiteOption) -> None:
    """Say whether a configuration would be accepted, and its stopping distances."""
    from liftctl.accept import check, current
    from safety.stopping import distances

    try:
        found = current(site)
        for item in distances(found.kind, found.limits):
            typer.echo(
                f"{item.axis:10} {item.fault:26} {item.reaction_ms:5.0f} ms "
                f"{item.distance_mm:6.1f} mm of {item.limit_mm:g} mm"
            )
        check(found)
    except ConfigError as error:
        _fail(str(error))
    typer.echo(f"acceptable, hash {found.hash}")


@config_app.command("accept")
def accept_command(site: SiteOption) -> None:
    """Accept a configuration: from now on it is the one to fall back to."""
    from liftctl.accept import accept, current

    try:
        found = current(site)
        accept(found)
    except (ConfigError, OSError) as error:
        _fail(str(error))
    typer.echo(f"accepted, hash {found.hash}")


def _process(name: str) -> None:
    def command(
        context: typer.Context, site: SiteOption, port: Annotated[int | None, typer.Option()] = None
    ) -> None:
        import runpy

        sys.argv = [f"liftctl {name}", "--site", str(site)]
        if port is not None:
            sys.argv += ["--port", str(port)]
        runpy.run_module(f"liftctl.{name}", run_name="__main__", alter_sys=True)

    command.__doc__ = f"Run only the {name} process of a site."
    app.command(name)(command)


for _name in ("gate", "guard", "controller", "recorder", "panel", "desk", "support", "remote"):
    _process(_name)


@app.command("status")
def status_command(
    sites: Annotated[list[Path] | None, typer.Argument(help="site files")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Processes, lease and evidence ages, active rows, latches, versions, config hash."""
    from liftctl.accept import load_or_fall_back
    from liftctl.status import as_text, status

    try:
        found = [status(load_or_fall_back(path)[0]) for path in sites or DEMO]
    except ConfigError as error:
        _fail(str(error))
    typer.echo(json.dumps(found, indent=2) if as_json else "\n\n".join(map(as_text, found)))
    raise typer.Exit(0 if all(item["running"] for item in found) else 1)


@app.command("transfers")
def transfers_command(
    site: SiteOption, as_json: Annotated[bool, typer.Option("--json")] = False, limit: int = 50
) -> None:
    """The newest transfers of a site's ledger."""
    from liftctl.places import Places
    from liftctl.recorder.reader import read_transfers
    from liftctl.recorder.store import LedgerError

    try:
        rows = read_transfers(Places(load(site).name).ledger, limit)
    except (ConfigError, LedgerError) as error:
        _fail(str(error))
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        typer.echo(
            f"{row.get('started_utc')} {row.get('kind')} {row.get('outcome')} {row.get('id')}"
        )


@app.command("release")
def release_command(
    site: SiteOption,
    row: Annotated[str, typer.Option(help="the latched row")],
    by: Annotated[str, typer.Option(help="your name; it is recorded")],
) -> None:
    """Release a latched row on site, after the cause is gone. Moves nothing."""
    from liftctl.status import release

    try:
        message = release(load(site), row, by)
    except ConfigError as error:
        _fail(str(error))
    typer.echo(message)


app.add_typer(enrol_app, name="enrol")
app.add_typer(order_app, name="order")
app.add_typer(export_app, name="export")
app.add_typer(office_app, name="office")
app.command("decode")(decode_command)
app.command("encode")(encode_command)
app.command("replay")(replay_command)
app.command("report")(report_command)
app.command("synth")(synth_command)
evidence_app.command("verify")(verify_pack_command)
evidence_app.command("rollup")(roll_up_command)
baseline_app.command("freeze")(freeze_command)
baseline_app.command("show")(show_command)
blackbox_app.command("export")(export_command)
ledger_app.command("verify")(ledger.verify_command)
ledger_app.command("export")(ledger.export_command)
ledger_app.command("erase")(ledger.erase_command)
ledger_app.command("seal")(ledger.seal_command)
ledger_app.command("rotate")(ledger.rotate_command)
ledger_app.command("correct")(ledger.correct_command)


def main() -> None:
    """Entry point. Whoever is installed beside us may add commands; asked for, they are loaded."""
    asked = sys.argv[1:2]
    for entry in entry_points(group="liftctl.commands"):
        if asked in ([], ["--help"], [entry.name]):
            app.add_typer(entry.load(), name=entry.name)
    app()
