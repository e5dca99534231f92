"""The command line: `liftctl COMMAND`.

Role: names and help of every command; the work is elsewhere, and is imported when it is asked for:
a gate that is started here has nothing of a report in its memory. Process: whoever types. Must
never: move anything.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

# Name -> one line of help, and where it is: MODULE:NAME of a group or a command, or the commands of
# a group.
Later = tuple[str, str | Mapping[str, str]]
LATER: Mapping[str, Later] = {
    "baseline": ("What a transfer cost before.", {
        "freeze": "liftctl.benefit.baseline_cli:freeze_command",
        "show": "liftctl.benefit.baseline_cli:show_command",
    }),
    "blackbox": ("The gate's black box.", {"export": "liftctl.blackbox.cli:export_command"}),
    "centre": ("The knowledge centre (extra `centre`).", "liftctl.centre.cli:app"),
    "decode": ("Recorded frames to named values.", "liftctl.decode:decode_command"),
    "encode": ("Named values to frames.", "liftctl.decode:encode_command"),
    "enrol": ("On site: whose word from afar counts here.", "liftctl.remote.cli:enrol_app"),
    "evidence": ("Evidence packs.", {
        "verify": "liftctl.benefit.evidence_cli:verify_pack_command",
        "rollup": "liftctl.benefit.evidence_cli:roll_up_command",
    }),
    "export": ("Transfers and devices in others' formats.", "liftctl.exports.cli:export_app"),
    "incident": ("A serious incident as one sealed file.", "liftctl.people.cli:incidents"),
    "ledger": ("The ledger of transfers.", {
        "verify": "liftctl.recorder.cli:verify_command",
        "audit": "liftctl.recorder.cli:audit_command",
        "export": "liftctl.recorder.cli:export_command",
        "erase": "liftctl.recorder.cli:erase_command",
        "seal": "liftctl.recorder.cli:seal_command",
        "rotate": "liftctl.recorder.cli:rotate_command",
        "correct": "liftctl.recorder.cli:correct_command",
    }),
    "office": ("At the centre: orders lie ready here, reports are kept.",
               "liftctl.remote.office_cli:office_app"),
    "order": ("At the centre: write and sign an order.", "liftctl.remote.cli:order_app"),
    "people": ("For the people the recordings are about.", "liftctl.people.cli:people"),
    "replay": ("Decide a black box again.", "liftctl.blackbox.cli:replay_command"),
    "report": ("Saved staff time.", "liftctl.benefit.cli:report_command"),
    "residents": ("Residents' assessments in the register.", "liftctl.register.cli:residents"),
    "slings": ("Slings and their inspections in the register.", "liftctl.register.cli:slings"),
    "synth": ("A synthetic year of a home.", "liftctl.benefit.baseline_cli:synth_command"),
    "upkeep": ("Inspection and service of the lift.", "liftctl.recorder.upkeep_cli:upkeep_app"),
    "uplink": ("The link to a knowledge centre.", "liftctl.uplink.cli:app"),
}  # fmt: skip


def _named(where: str) -> Any:
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)


def _made(name: str, where: str | Mapping[str, str]) -> Any:
    """The command or group itself."""
    if isinstance(where, str):
        found = _named(where)
        if isinstance(found, typer.Typer):
            return typer.main.get_group(found)
        alone = typer.Typer(add_completion=False)
        alone.command(name)(found)
        return typer.main.get_command(alone)
    group = typer.Typer(no_args_is_help=True, help=LATER[name][0])
    for inner, place in where.items():
        group.command(inner)(_named(place))
    return typer.main.get_group(group)


class Lazily(TyperGroup):
    """Knows every command by its line of help; imports the one that is asked for."""

    listing = False

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted({*super().list_commands(ctx), *LATER, *_others()})

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            return found
        if cmd_name in LATER:
            text, where = LATER[cmd_name]
        elif (other := _others().get(cmd_name)) is not None:
            text, where = f"From {other.partition(':')[0]}.", other
        else:
            return None
        found = TyperCommand(cmd_name, help=text) if self.listing else _made(cmd_name, where)
        found.name = cmd_name
        return found

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self.listing = True
        super().format_help(ctx, formatter)


def _others() -> dict[str, str]:
    """Commands of whoever is installed beside us; nobody reads that list for a command of ours."""
    from importlib.metadata import entry_points

    return {entry.name: entry.value for entry in entry_points(group="liftctl.commands")}


app = typer.Typer(
    cls=Lazily, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
config_app = typer.Typer(no_args_is_help=True, help="Check or accept a site's configuration.")
app.add_typer(config_app, name="config")

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
    from liftctl.up import up

    modules = dict(item.split("=", 1) for item in module or ())
    raise typer.Exit(up(sites or DEMO, port - 8080, modules, hardware))


@app.command("init")
def init_command(site: SiteOption) -> None:
    """Make a site's folders, its first marker and its accepted configuration."""
    from config.schema import ConfigError
    from liftctl.accept import current
    from liftctl.up import init

    try:
        init(current(site))
    except (ConfigError, OSError) as error:
        _fail(str(error))


@config_app.command("check")
def check_command(site: SiteOption) -> None:
    """Say whether a configuration would be accepted, and its stopping distances."""
    from config.schema import ConfigError
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
    from config.schema import ConfigError
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
    from config.schema import ConfigError
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
    from config.schema import ConfigError, load
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
    from config.schema import ConfigError, load
    from liftctl.status import release

    try:
        message = release(load(site), row, by)
    except ConfigError as error:
        _fail(str(error))
    typer.echo(message)


def main() -> None:
    """Entry point."""
    app()
