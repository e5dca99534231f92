"""`liftctl replay` and `liftctl blackbox export`.

Role: command functions for liftctl.cli. Process: a person's shell. Must never: import the gate
before it is asked to decide.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from config import schema
from drivers import logfiles
from drivers.frames import Frame
from liftctl.blackbox import logfile
from liftctl.blackbox.logfile import LogError
from liftctl.blackbox.turnlog import Replay, ReplayMachine, ReplayResult, replay

MACHINE = "liftctl.gate.replay:machine"
UNREADABLE = 2


def load_machine(where: str = MACHINE) -> ReplayMachine:
    """The machine named `module:function`, made fresh."""
    module, _, name = where.partition(":")
    make = cast(Callable[[], ReplayMachine], getattr(importlib.import_module(module), name))
    return make()


def replay_command(
    file: Annotated[Path, typer.Argument(help="a ring, a segment or a freeze (.lbb)")],
    site: Annotated[Path | None, typer.Option(help="decide with this site file instead")] = None,
    json_out: Annotated[bool, typer.Option("--json", help="machine-readable result")] = False,
) -> None:
    """Decide every recorded turn again; exit 1 at the first different verdict, 2 if unreadable."""
    try:
        config = schema.to_json(schema.load(site)) if site else None
        result = replay(logfile.read(file), load_machine(), config)
        if not result.turns:
            raise LogError(f"{file}: holds no turn that follows a session and a snapshot")
    except (LogError, schema.ConfigError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(UNREADABLE) from error
    typer.echo(_as_json(result) if json_out else _as_text(result))
    if result.difference is not None:
        raise typer.Exit(1)


def _as_json(result: ReplayResult) -> str:
    report: dict[str, Any] = asdict(result)
    report["identical"] = result.difference is None
    report["header"].pop("config", None)
    return json.dumps(report, indent=2, default=str)


def _as_text(result: ReplayResult) -> str:
    seconds = (result.last_ns - result.first_ns) / 1e9
    counts = (
        f"{result.turns} turns over {seconds:.1f} s, {result.sessions} sessions, "
        f"{result.snapshots} snapshots, {result.gaps} gaps, {result.skipped} turns skipped"
    )
    found = result.difference
    if found is None:
        return f"every verdict is the same: {counts}"
    recorded, recomputed = (
        " ".join(rows) or "(none)" for rows in (found.recorded_rows, found.recomputed_rows)
    )
    return "\n".join(
        (
            f"DIFFERENT VERDICT at {found.now_ns / 1e9:.6f} s, sequence {found.seq}: {counts}",
            f"  recorded rows:   {recorded}",
            f"  recomputed rows: {recomputed}",
            f"  recomputed: {found.recomputed}",
        )
    )


def export_command(
    file: Annotated[Path, typer.Argument(help="a ring, a segment or a freeze (.lbb)")],
    out: Annotated[Path, typer.Argument(help="OUT.log (candump) or OUT.blf")],
) -> None:
    """Write the frames, received and re-decided, through python-can's writers."""
    try:
        count = logfiles.export(_frames(file, load_machine()), out)
    except (LogError, ValueError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(UNREADABLE) from error
    typer.echo(f"{count} frames written to {out}")


def _frames(file: Path, machine: ReplayMachine) -> Iterator[tuple[float, Frame]]:
    """Frames with Unix seconds when the session knows the wall clock, else seconds since boot."""
    run = Replay(machine)
    for step in run.steps(logfile.read(file)):
        header = run.result.header
        offset_ns = int(header.get("wall_ns", 0)) - int(header.get("mono_ns", 0))
        for stamped in step.frames:
            yield (stamped.t_ns + offset_ns) / 1e9, stamped.frame
