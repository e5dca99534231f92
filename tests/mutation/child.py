"""One isolated run of selected tests: in a forked process, with one module perhaps mutated.

Role: the import hook, the limits, and what the tests said. Process: a child of the mutation test.
Must never: write into the tree, or leave a result behind when it did not run to its end.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from hil.selftest.overlay import Overlay

RESULT = "result.json"
MEMORY = 4 << 30
_INFRASTRUCTURE = (errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)


@dataclass(frozen=True)
class Job:
    """What a child does. `codes` replaces modules by name; `cpu_s` and `wall_s` end it."""

    folder: Path
    tests: tuple[str, ...]
    cpu_s: float
    wall_s: float
    codes: dict[str, CodeType] = field(default_factory=dict)
    trace: tuple[str, ...] = ()  # modules to trace: which test runs which line
    whole: bool = False  # do not end at the first failure


class Watch:
    """Selects and orders the tests, and keeps what they said."""

    def __init__(self, job: Job, trace: Any) -> None:
        self.order = {name: n for n, name in enumerate(job.tests)}
        self.files = {name.partition("::")[0] for name in job.tests}
        self.trace = trace
        self.passed: dict[str, float] = {}
        self.failed: list[dict[str, Any]] = []
        self._time: dict[str, float] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if any("::" in name for name in self.order):
            items[:] = [item for item in items if item.nodeid in self.order]
            items.sort(key=lambda item: self.order[item.nodeid])

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Iterator[None]:
        self._context("")
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._context(item.nodeid)
        return (yield)

    def _context(self, name: str) -> None:
        if self.trace is not None:
            self.trace.switch_context(name)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._time[report.nodeid] = self._time.get(report.nodeid, 0.0) + report.duration
        if report.when == "call" and report.passed:
            self.passed[report.nodeid] = 0.0

    def pytest_exception_interact(self, node: Any, call: Any, report: Any) -> None:
        error = call.excinfo.value
        self.failed.append(
            {
                "test": node.nodeid,
                "says": call.excinfo.exconly()[-300:],
                "infrastructure": isinstance(error, MemoryError)
                or (isinstance(error, OSError) and error.errno in _INFRASTRUCTURE),
            }
        )

    def said(self) -> dict[str, Any]:
        passed = {name: self._time[name] for name in self.passed}
        return {"passed": passed, "failed": self.failed}


def run(job: Job) -> None:
    """In the child, after the fork; does not return."""
    try:
        _settle(job)
        _run(job)
    except BaseException:  # noqa: BLE001  whatever it is, no parent's code may run in a child
        os.write(2, traceback.format_exc().encode("utf-8", "replace"))
        os._exit(70)
    os._exit(0)


def _settle(job: Job) -> None:
    os.setsid()
    cpu = int(job.cpu_s) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    log = os.open(job.folder / "log", os.O_WRONLY | os.O_CREAT)
    null = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, null), (1, log), (2, log)):
        os.dup2(source, target)
    os.environ["TMPDIR"] = tempfile.tempdir = str(job.folder)
    sys.dont_write_bytecode = bool(job.codes)


def _run(job: Job) -> None:
    overlay = Overlay(job.codes)
    sys.meta_path.insert(0, overlay)
    _calm_hypothesis()
    watch = Watch(job, _tracer(job))
    files = sorted(watch.files)
    options = ["-q", "-p", "no:cacheprovider", "--tb=short"]
    options += ["-m", "not process and not browser", f"--basetemp={job.folder / 'base'}"]
    code = pytest.main([*options, *([] if job.whole else ["-x"]), *files], plugins=[watch])
    said = watch.said() | {"exit": int(code), "loaded": sorted(overlay.loaded)}
    said["modules"] = sorted(sys.modules) if job.whole else []
    said["lines"] = _lines(job, watch.trace)
    (job.folder / "part").write_text(json.dumps(said), encoding="utf-8")
    (job.folder / "part").rename(job.folder / RESULT)


def _calm_hypothesis() -> None:
    """The same examples each time; how long one takes is no reason to fail."""
    from hypothesis import HealthCheck, settings

    checks = list(HealthCheck)
    settings.register_profile(
        "mutation", derandomize=True, database=None, deadline=None, suppress_health_check=checks
    )
    settings.load_profile("mutation")


def _tracer(job: Job) -> Any:
    if not job.trace:
        return None
    import coverage

    trace = coverage.Coverage(
        data_file=None, config_file=False, include=[f"{Path.cwd()}/{path}" for path in job.trace]
    )
    trace.start()
    return trace


def _lines(job: Job, trace: Any) -> dict[str, dict[str, Sequence[str]]]:
    """Module to line to tests; the empty test is the import."""
    if trace is None:
        return {}
    trace.stop()
    data = trace.get_data()
    return {
        path: {
            str(n): tests for n, tests in data.contexts_by_lineno(f"{Path.cwd()}/{path}").items()
        }
        for path in job.trace
    }
