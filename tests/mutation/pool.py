"""Runs jobs in forked children, a few at a time, and says how each ended.

Role: processes and limits. Process: the mutation test. Must never: call anything a kill but a test
that failed in a child that ran to its end.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from pytest import ExitCode

from tests.mutation import child
from tests.mutation.child import Job


class End(StrEnum):
    """How a run ended. Only KILLED is a kill."""

    KILLED = "killed"
    SURVIVED = "survived"
    TIMEOUT = "timeout"
    CRASH = "crash"
    EMPTY = "no test runs it"
    BROKEN = "infrastructure failure"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`test` is the one that failed; `took_s` is the child's wall time, `cpu_s` its processor's."""

    end: End
    test: str = ""
    says: str = ""
    took_s: float = 0.0
    cpu_s: float = 0.0
    said: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def unused(self) -> bool:
        """All tests passed, and none of their files imports the mutated module."""
        return self.end is End.BROKEN and self.said.get("exit") == ExitCode.OK


def file_of(test: str) -> str:
    """The file of a test's name."""
    return test.partition("::")[0]


@dataclass(frozen=True, slots=True)
class _Running:
    name: Any
    job: Job
    pid: int
    started_s: float


def run_all(
    jobs: Iterable[tuple[Any, Callable[[], Job]]], at_once: int
) -> Iterator[tuple[Any, Outcome]]:
    """Each job in a child of its own; the outcomes in the order they come."""
    running: dict[int, _Running] = {}
    poll = select.poll()
    for name, make in jobs:
        while len(running) >= at_once:
            yield from _ended(poll, running)
        fd, started = _fork(name, make())
        running[fd] = started
        poll.register(fd, select.POLLIN)
    while running:
        yield from _ended(poll, running)


def _ended(poll: Any, running: dict[int, _Running]) -> Iterator[tuple[Any, Outcome]]:
    """Waits a moment; those that ended meanwhile. What runs too long is ended."""
    for fd, _ in poll.poll(200):
        poll.unregister(fd)
        os.close(fd)
        yield _reap(running.pop(fd))
    for item in running.values():
        if time.monotonic() - item.started_s > item.job.wall_s:
            _end(item.pid)


def run_one(job: Job) -> Outcome:
    """One job alone."""
    return next(run_all([(None, lambda: job)], 1))[1]


def _fork(name: Any, job: Job) -> tuple[int, _Running]:
    shutil.rmtree(job.folder, ignore_errors=True)
    job.folder.mkdir(parents=True)
    pid = os.fork()
    if pid == 0:
        child.run(job)
    return os.pidfd_open(pid), _Running(name, job, pid, time.monotonic())


def _end(pid: int) -> None:
    """The child and whatever it started: it is the leader of its own group."""
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError):
            kill(pid, signal.SIGKILL)


def _reap(item: _Running) -> tuple[Any, Outcome]:
    _end(item.pid)  # what it left behind; its number is ours until it is waited for
    _, status, usage = os.wait4(item.pid, 0)
    took, cpu = time.monotonic() - item.started_s, usage.ru_utime + usage.ru_stime
    path = item.job.folder / child.RESULT
    said = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    end, test, says = judge(item.job, status, took, said)
    shutil.rmtree(item.job.folder, ignore_errors=True)
    return item.name, Outcome(end, test, says, took, cpu, said or {})


def judge(
    job: Job, status: int, took_s: float, said: dict[str, Any] | None
) -> tuple[End, str, str]:
    """What an ended child means; anything in doubt is no kill."""
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGXCPU or (code == -signal.SIGKILL and took_s >= job.wall_s):
        return End.TIMEOUT, "", f"more than {job.cpu_s:.0f} s of processor or {job.wall_s:.0f} s"
    if code or said is None:
        last = _last_words(job.folder / "log")
        return End.CRASH, "", f"the child ended with {code}, without a result{last}"
    failed, missing = said["failed"], set(job.codes) - set(said["loaded"])
    if said["exit"] in (ExitCode.TESTS_FAILED, ExitCode.INTERRUPTED) and failed:
        first = failed[0]
        end = End.BROKEN if first["infrastructure"] or missing else End.KILLED
        return end, first["test"], first["says"]
    if said["exit"] == ExitCode.NO_TESTS_COLLECTED or (
        said["exit"] == ExitCode.OK and not said["passed"]
    ):
        return End.EMPTY, "", "no selected test was run"
    if said["exit"] == ExitCode.OK and not missing:
        return End.SURVIVED, "", f"{len(said['passed'])} tests pass"
    return End.BROKEN, "", f"pytest ended with {said['exit']}; not loaded: {sorted(missing)}"


def _last_words(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").split("\n")[-4:] if log.exists() else []
    return "".join(f" | {line.strip()}" for line in lines if line.strip())
