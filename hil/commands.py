"""`liftctl hil rerun, diff, shrink, selftest, record, replay`: the commands of a test lab.

Role: names, options and exit statuses; the work is elsewhere. 0 as it should be, 1 something
failed or differs, 2 the input is broken, 3 nothing can be concluded. Must never: run anything by
itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from hil.scenario.source import ScenarioError

AS_JSON = Annotated[bool, typer.Option("--json", help="machine-readable")]


def _fail(error: object) -> typer.Exit:
    typer.echo(f"liftctl hil: {error}", err=True)
    return typer.Exit(2)


def rerun_command(
    manifest: Annotated[Path, typer.Argument(help="manifest.json, or the folder it is in")],
) -> None:
    """Run what a manifest holds again; in virtual time the hashes must be the same."""
    from hil import rerun
    from hil.report.manifest import ManifestError, read

    try:
        note = rerun.changed_code(read(manifest))
        if note:
            typer.echo(note, err=True)
        found = []
        for again in rerun.rerun(manifest):
            typer.echo(f"{again.name}: {again.words}")
            found.append(again.same)
    except (ManifestError, ScenarioError) as error:
        raise _fail(error) from error
    raise typer.Exit(1 if False in found else 0 if True in found else 3)


def diff_command(
    a: Annotated[Path, typer.Argument(help="events.jsonl of one run")],
    b: Annotated[Path, typer.Argument(help="events.jsonl of another run")],
) -> None:
    """Where two timelines part, in words; exit 1 when they do."""
    from hil import diff, timeline

    try:
        one, other = timeline.read(a), timeline.read(b)
    except OSError as error:
        raise _fail(f"{error.filename}: {error.strerror}; name an events.jsonl") from error
    except ValueError as error:
        raise _fail(error) from error
    names = (a.name, b.name) if a.name != b.name else (a.parent.name, b.parent.name)
    typer.echo(diff.words(one, other, names))
    raise typer.Exit(0 if one.hash() == other.hash() else 1)


def shrink_command(
    scenario: Annotated[Path, typer.Argument(help="a scenario that fails")],
    out: Annotated[Path | None, typer.Option(help="where to; standard output if not given")] = None,
) -> None:
    """The smallest scenario that still fails in the same way."""
    from hil.shrink import ShrinkError, shrink

    try:
        found = shrink(scenario, lambda text: typer.echo(text, err=True))
        if out is not None:
            out.write_text(found.text, "utf-8")
    except (ShrinkError, ScenarioError, OSError) as error:
        raise _fail(error) from error
    how = "; ".join(f"{where}: {what}" for where, what in found.sign)
    typer.echo(f"{found.tried} runs; it fails by {how}", err=True)
    if out is None:
        typer.echo(found.text, nl=False)


def selftest_command(
    paths: Annotated[list[Path] | None, typer.Argument(help="scenarios; the pack if none")] = None,
    only: Annotated[list[str] | None, typer.Option(help="ids or groups of seeds")] = None,
    drawn: Annotated[int, typer.Option(help="also so many drawn changes of each group")] = 0,
    seed: Annotated[int, typer.Option(help="of the draw")] = 7,
    quick: Annotated[bool, typer.Option("--quick", help="one run of its own hazard's")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="processes at a time")] = 2,
    listing: Annotated[bool, typer.Option("--list", help="name the seeds, run nothing")] = False,
    as_json: AS_JSON = False,
) -> None:
    """Plant dangers in controller, drivers and plant: does a scenario fail? The kill rate."""
    from hil.scenario.load import FOLDER
    from hil.selftest import campaign, seeds

    try:
        chosen = seeds.chosen(seeds.seeded(), only or ()) + seeds.drawn(drawn, seed)
        if listing:
            for item in chosen:
                typer.echo(f"{item.group:11} {item.id:34} {item.hazard:4} {item.danger}")
            return
        runs = campaign.scenarios_of(paths or [FOLDER])
        told = campaign.Progress(len(chosen), lambda text: typer.echo(text, err=True))
        said = campaign.campaign(chosen, runs, jobs, quick, told)
        outcomes = list(said)
    except (seeds.SeedError, campaign.Unusable, ScenarioError) as error:
        raise _fail(error) from error
    found = campaign.figures(outcomes)
    typer.echo(json.dumps(found) if as_json else campaign.words(found))
    by_hand = [item for item in outcomes if item.seed.danger]
    raise typer.Exit(0 if all(item.good for item in by_hand) else 1)


def record_command(
    source: Annotated[Path, typer.Argument(help="a black box (ring, .lbb) or a candump .log")],
    out: Annotated[Path, typer.Option(help="a new folder for the case")],
    site: Annotated[Path | None, typer.Option(help="the site's file, for a candump log")] = None,
    bus: Annotated[list[str] | None, typer.Option(help="INTERFACE=BUS, for a candump log")] = None,
) -> None:
    """Make a regression case of a real site's recording."""
    from hil.record import case
    from hil.record.decide import RecordingError

    try:
        typer.echo(case.record(source, out, site, _pairs(bus or ())))
    except (RecordingError, OSError) as error:
        raise _fail(error) from error


def _pairs(texts: list[str] | tuple[str, ...]) -> dict[str, str]:
    from hil.record.decide import RecordingError

    if odd := [text for text in texts if not all(text.partition("="))]:
        raise RecordingError(f"--bus {odd[0]}: write INTERFACE=BUS, such as can0=lift")
    return dict(text.split("=", 1) for text in texts)


def replay_command(
    cases: Annotated[list[Path], typer.Argument(help="folders that `hil record` made")],
) -> None:
    """Decide recorded cases again with today's code; exit 1 when it decides otherwise."""
    from hil.record import case
    from hil.record.decide import RecordingError

    same = True
    for folder in cases:
        try:
            found = case.replay(folder)
        except RecordingError as error:
            raise _fail(error) from error
        same = same and found.same
        typer.echo(f"{folder}: {found.words}")
    raise typer.Exit(0 if same else 1)


COMMANDS: dict[str, Callable[..., None]] = {
    "rerun": rerun_command,
    "diff": diff_command,
    "shrink": shrink_command,
    "selftest": selftest_command,
    "record": record_command,
    "replay": replay_command,
}


def register(app: typer.Typer) -> None:
    """Add the commands to `liftctl hil`."""
    for name, command in COMMANDS.items():
        app.command(name)(command)
