"""`liftctl hil`: run, check, list and explain scenarios.

Role: the bench's command line, met by `liftctl` through its entry point. Must never: hide a
verdict: 0 all passed (or cannot apply), 1 something failed, 2 a scenario is broken, 3 something is
inconclusive.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from config.schema import ConfigError
from hil import explain
from hil.planes import PLANES, Unavailable, runner
from hil.run import Ran, cannot, gather
from hil.scenario.grammar import schema
from hil.scenario.load import FOLDER
from hil.scenario.model import Scenario
from hil.scenario.source import ScenarioError
from hil.timeline import Result, Verdict

app = typer.Typer(no_args_is_help=True, help="The bench: scenarios against this very code.")
PATHS = Annotated[list[Path] | None, typer.Argument(help="files or folders; the pack if none")]
LANGUAGE = Annotated[str, typer.Option(help="en or da")]
FAILED = (Verdict.FAIL, Verdict.ERROR)


def _fail(text: str) -> typer.Exit:
    typer.echo(f"liftctl hil: {text}", err=True)
    return typer.Exit(2)


def status(results: list[Result]) -> int:
    """The exit status of these results."""
    verdicts = {item.verdict for item in results}
    if verdicts & set(FAILED):
        return 1
    return 3 if Verdict.INCONCLUSIVE in verdicts else 0


@app.command("run")
def run_command(
    paths: PATHS = None,
    plane: Annotated[str, typer.Option(help=", ".join(PLANES))] = "virtual",
    as_json: Annotated[bool, typer.Option("--json", help="results on standard output")] = False,
    out: Annotated[Path | None, typer.Option(help="folder for everything: report, traces")] = None,
    html: Annotated[Path | None, typer.Option(help="the report, one file")] = None,
    junit: Annotated[Path | None, typer.Option(help="results as JUnit XML")] = None,
    only: Annotated[list[str] | None, typer.Option(help="scenario ids or hazards")] = None,
) -> None:
    """Run scenarios; exit 0 passed, 1 failed, 2 broken scenario, 3 inconclusive."""
    try:
        scenarios = _chosen(gather(paths or [FOLDER]), only)
        run = runner(plane)
        with tempfile.TemporaryDirectory(prefix="liftctl-hil-") as folder:
            kept = Path(folder) if out or html or junit else None
            results = list(_results(scenarios, plane, run, kept))
            document = _write(results, out, html, junit) if kept else _plain(results)
    except (ScenarioError, ConfigError, Unavailable, OSError) as error:
        raise _fail(str(error)) from error
    if as_json:
        typer.echo(json.dumps(document))
    else:
        _table(results)
    raise typer.Exit(status(results))


def _chosen(scenarios: list[Scenario], only: list[str] | None) -> list[Scenario]:
    if not only:
        return scenarios
    found = [s for s in scenarios if s.id in only or set(s.hazards) & set(only)]
    if not found:
        raise ScenarioError(f"no scenario is or concerns {', '.join(only)}; `liftctl hil list`")
    return found


def _results(
    scenarios: list[Scenario], plane: str, run: Any, kept: Path | None
) -> Iterator[Result]:
    with _bar(len(scenarios)) as step:
        for number, scenario in enumerate(scenarios):
            reason = cannot(scenario, plane)
            ran: Ran = run.refuse(scenario, reason) if reason else run(scenario)
            path = kept / f"{number:04d}.jsonl" if kept and ran.timeline.events else None
            if path:
                ran.timeline.write(path)
            step(ran.result)
            yield replace(ran.result, timeline_path=str(path or ""))
    run.close()


@contextmanager
def _bar(total: int) -> Iterator[Any]:
    """Progress with the time that is left, on standard error."""
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[now]}"),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("scenarios", total=total, now="")
        yield lambda result: bar.update(task, advance=1, now=f"{result.id} {result.verdict}")


def _plain(results: list[Result]) -> dict[str, Any]:
    counts = {verdict: sum(r.verdict == verdict for r in results) for verdict in Verdict}
    return {
        "runs": len(results),
        "verdicts": {str(verdict): n for verdict, n in counts.items() if n},
        "hazards": sorted({h for r in results for h in r.hazards}, key=lambda h: int(h[1:])),
        "simulated_s": round(sum(r.simulated_s for r in results), 1),
        "results": [result.to_json() for result in results],
    }


def _write(
    results: list[Result], out: Path | None, html: Path | None, junit: Path | None
) -> dict[str, Any]:
    from hil.faults.catalogue import KINDS
    from hil.report.write import Told, Wanted, write

    prose = {r.id: explain.scenario(Path(r.source)) for r in results}
    return write(results, Wanted(out, html, junit), Told(prose, tuple(KINDS)))


def _table(results: list[Result]) -> None:
    for result in results:
        given = " ".join(f"{name}={value}" for name, value in result.parameters.items())
        typer.echo(f"{result.verdict:14} {result.id} {given}")
        for reason in result.reasons:
            typer.echo(f"               {reason}")
    told = _plain(results)
    typer.echo(
        f"{told['runs']} runs of {told['simulated_s']:g} s: "
        + ", ".join(f"{n} {verdict}" for verdict, n in told["verdicts"].items())
    )


@app.command("check")
def check_command(paths: PATHS = None) -> None:
    """Are the scenarios sound? Nothing is run."""
    try:
        found = gather(paths or [FOLDER])
    except (ScenarioError, ConfigError) as error:
        raise _fail(str(error)) from error
    typer.echo(f"{len({s.path for s in found})} scenarios, {len(found)} runs")


@app.command("list")
def list_command(
    paths: PATHS = None, as_json: Annotated[bool, typer.Option("--json")] = False
) -> None:
    """The scenarios, their hazards and how many runs each stands for."""
    try:
        found = gather(paths or [FOLDER])
    except (ScenarioError, ConfigError) as error:
        raise _fail(str(error)) from error
    rows = explain.listing(found)
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        typer.echo(f"{row['id']:28} {' '.join(row['hazards']):12} {row['runs']:3} {row['title']}")


@app.command("explain")
def explain_command(
    what: Annotated[str, typer.Argument(help="a file, or: scenario, faults, words, schema")],
    language: LANGUAGE = "en",
) -> None:
    """A scenario in plain language; or the grammar, the faults and planes, the words."""
    told: dict[str, Callable[[], str]] = {
        "faults": explain.faults,
        "words": explain.words,
        "scenario": explain.grammar,
        "schema": lambda: json.dumps(schema(), indent=2),
    }
    try:
        typer.echo(told[what]() if what in told else explain.scenario(Path(what), language))
    except ScenarioError as error:
        raise _fail(str(error)) from error


def main() -> None:
    """`python -m hil.cli`."""
    app(args=sys.argv[1:])


if __name__ == "__main__":
    main()
