"""`liftctl hil`: run, check, list and explain scenarios.

Role: the bench's command line, met by `liftctl` through its entry point. Must never: hide a
verdict: 0 all passed (or cannot apply), 1 something failed, 2 a scenario is broken, 3 something is
inconclusive.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from config.schema import ConfigError
from hil import commands, explain
from hil.faces.python_can import AdapterError
from hil.planes import PLANES, Asked, Runner, Unavailable, runner
from hil.report.write import Report
from hil.run import cannot, gather
from hil.scenario.grammar import schema
from hil.scenario.load import FOLDER
from hil.scenario.model import Scenario
from hil.scenario.source import ScenarioError
from hil.timeline import Result, Verdict

app = typer.Typer(no_args_is_help=True, help="The bench: scenarios against this very code.")
PATHS = Annotated[list[Path] | None, typer.Argument(help="files or folders; the pack if none")]
LANGUAGE = Annotated[str, typer.Option(help="en or da")]
ADAPTER_FOR = "planes dut and hardware, or another vcan"
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
    adapter: Annotated[str, typer.Option(help=f"interface:channel@bitrate; {ADAPTER_FOR}")] = "",
    present: Annotated[str, typer.Option(help="plane hardware: nodes that really are there")] = "",
    nobody: Annotated[bool, typer.Option("--nobody-in-the-sling", help="plane hardware")] = False,
    smoke: Annotated[bool, typer.Option("--smoke", help="plane socketcan: with bus-off")] = False,
) -> None:
    """Run scenarios; exit 0 passed, 1 failed, 2 broken scenario, 3 inconclusive."""
    report = Report(out, html, junit)
    try:
        if smoke:
            _smoke(plane, adapter, paths or only, report)
        else:
            asked = Asked(adapter, present, nobody, frames=out is not None)
            scenarios = _chosen(gather(paths or [FOLDER]), only)
            _run(scenarios, plane, runner(plane, asked), report)
        document = report.finish()
    except (ScenarioError, ConfigError, Unavailable, OSError) as error:
        raise _fail(str(error)) from error
    if as_json:
        typer.echo(json.dumps(document))
    else:
        _table(report.results)
    raise typer.Exit(status(report.results))


def _smoke(plane: str, adapter: str, chosen: list[Any] | None, report: Report) -> None:
    """Gate and room through a real kernel's CAN; each kernel is a run of the report."""
    from hil.kernel.smoke import tell
    from hil.kernel.uml import KernelError
    from hil.planes import socketcan

    if plane != "socketcan":
        raise Unavailable(f"--smoke belongs to --plane socketcan, not to {plane}")
    if chosen:
        raise Unavailable(f"--smoke runs no scenarios; leave {chosen[0]} or --smoke away")
    try:
        found = socketcan.smokes(adapter)
    except (KernelError, AdapterError) as error:
        raise Unavailable(str(error)) from error
    for kernel, smoke in found:
        tell(smoke, lambda line: typer.echo(line, err=True))
        report.add(*socketcan.result(kernel, smoke, [item for _, item in found]))


def _chosen(scenarios: list[Scenario], only: list[str] | None) -> list[Scenario]:
    if not only:
        return scenarios
    found = [s for s in scenarios if s.id in only or set(s.hazards) & set(only)]
    if not found:
        raise ScenarioError(f"no scenario is or concerns {', '.join(only)}; `liftctl hil list`")
    return found


def _run(scenarios: list[Scenario], plane: str, run: Runner, report: Report) -> None:
    with _bar(len(scenarios)) as step, closing(run):
        for scenario in scenarios:
            reason = cannot(scenario, plane)
            ran = run.refuse(scenario, reason) if reason else run(scenario)
            step(ran.result)
            report.add(ran.result, ran.timeline, ran.frames)
            report.prose.setdefault(scenario.id, explain.scenario(scenario.path))
    report.jitter_ms = getattr(run, "jitter_ms", None)


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


def _table(results: list[Result]) -> None:
    for result in results:
        given = " ".join(f"{name}={value}" for name, value in result.parameters.items())
        typer.echo(f"{result.verdict:14} {result.id} {given}")
        for reason in result.reasons:
            typer.echo(f"               {reason}")
    counts = Counter(result.verdict for result in results)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    seconds = sum(result.simulated_s for result in results)
    typer.echo(f"{len(results)} runs of {seconds:.1f} s: {told}")


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


commands.register(app)


def main() -> None:
    """`python -m hil.cli`."""
    app(args=sys.argv[1:])


if __name__ == "__main__":
    main()
