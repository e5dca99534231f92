"""The mutation test itself: what it changes, what it calls a kill, and what makes it fail."""

from __future__ import annotations

import ast
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hil.selftest import mutants, operators
from hil.selftest.mutants import Mutant
from tests.mutation import verdict
from tests.mutation.campaign import Found
from tests.mutation.child import Job
from tests.mutation.memory import Memory
from tests.mutation.odds import Odds
from tests.mutation.pool import End, Outcome, judge

ROOT = Path(__file__).parents[2]
OK, FAILED, INTERRUPTED, INTERNAL, NONE = 0, 1, 2, 3, 5


def test_planted_survivors_are_reported_and_nothing_else_is_a_kill() -> None:
    """The whole runner on the planted module: survivors, a timeout, crashes, an empty selection."""
    command = [sys.executable, "-m", "tests.mutation", "--planted"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    *above, last = said.stdout.splitlines()
    assert last == "mutants: 0/0 killed, 6/6 planted survivors reported"
    ends = [line.partition(": tests/mutation/planted.py:")[0] for line in above if " -> " in line]
    assert {end: ends.count(end) for end in ends} == {
        "survived": 6,
        "no test runs it": 2,
        "crash": 2,
        "timeout": 1,
    }


def said(**changes: Any) -> dict[str, Any]:
    return {"exit": OK, "passed": {}, "failed": [], "loaded": ["m"]} | changes


def failure(infrastructure: bool = False) -> list[dict[str, Any]]:
    return [{"test": "t", "says": "x", "infrastructure": infrastructure}]


@pytest.mark.parametrize(
    ("status", "took_s", "result", "end"),
    [
        (0, 1.0, said(exit=FAILED, failed=failure()), End.KILLED),
        (0, 1.0, said(exit=INTERRUPTED, failed=failure()), End.KILLED),
        (0, 1.0, said(passed={"t": 0.1}), End.SURVIVED),
        (0, 1.0, said(), End.EMPTY),
        (0, 1.0, said(exit=NONE), End.EMPTY),
        (signal.SIGXCPU, 1.0, None, End.TIMEOUT),
        (signal.SIGKILL, 20.0, None, End.TIMEOUT),
        (signal.SIGKILL, 1.0, None, End.CRASH),
        (signal.SIGSEGV, 1.0, None, End.CRASH),
        (0, 1.0, None, End.CRASH),
        (256, 1.0, said(exit=FAILED, failed=failure()), End.CRASH),
        (0, 1.0, said(exit=FAILED, failed=failure(infrastructure=True)), End.BROKEN),
        (0, 1.0, said(exit=FAILED, failed=failure(), loaded=[]), End.BROKEN),
        (0, 1.0, said(passed={"t": 0.1}, loaded=[]), End.BROKEN),
        (0, 1.0, said(exit=INTERNAL, failed=failure()), End.BROKEN),
        (0, 1.0, said(exit=INTERRUPTED), End.BROKEN),
    ],
)
def test_only_a_failed_test_in_a_whole_run_is_a_kill(
    status: int, took_s: float, result: Any, end: End
) -> None:
    job = Job(Path(), ("t",), cpu_s=5.0, wall_s=20.0, codes={"m": compile("", "m", "exec")})
    assert judge(job, status, took_s, result)[0] is end


SOURCE = '''
"""Docstring of 3 words."""
__all__ = ["x"]
Value = int | None
class Colour(Enum):
    RED = 1
    BLUE = 2
@dataclass(slots=True)
class Box:
    size: "int" = 5
def g(b: object, **more: object) -> bool:
    return h(b)
def f(a: bool = True) -> bool:
    """Another 7."""
    if a and not g(3 < a, key="x", reason="x"):
        raise ValueError("bad")
    a += max(1, -a)
    b = f"{a & 1} of 9" + "two words" + "one"
    return Colour.RED is b
'''


def listed(source: str = SOURCE) -> list[Mutant]:
    enums = operators.enums_of([ast.parse(source)])
    return mutants.of_module("m.py", source, enums)


def test_the_operators_change_what_decides_and_nothing_else() -> None:
    assert {(m.function, m.operator, m.after) for m in listed() if m.operator != "number"} == {
        ("g", "return-none", "return None"),
        ("g", "return-not", "return not h(b)"),
        ("f", "boolean", "False"),
        ("f", "always", "True"),
        ("f", "never", "False"),
        ("f", "and-or", "a or not g(3 < a, key='x', reason='x')"),
        ("f", "not-removed", "g(3 < a, key='x', reason='x')"),
        ("f", "comparison", "3 <= a"),
        ("f", "comparison", "3 >= a"),
        ("f", "string", "'x_'"),
        ("f", "deleted", "pass"),
        ("f", "builtin", "min(1, -a)"),
        ("f", "sign-removed", "a"),
        ("f", "arithmetic", "f'{a & 1} of 9' + 'two words' - 'one'"),
        ("f", "arithmetic", "f'{a & 1} of 9' - 'two words'"),
        ("f", "bits", "a | 1"),
        ("f", "string", "'one_'"),
        ("f", "comparison", "Colour.RED is not b"),
        ("f", "member", "Colour.BLUE"),
        ("f", "return-none", "return None"),
    }
    numbers = {(m.function, m.before): m.after for m in listed() if m.operator == "number"}
    assert set(numbers) == {
        ("Colour", "1"), ("Colour", "2"), ("Box", "5"), ("f", "3"), ("f", "1"),
    }  # fmt: skip


def test_each_mutant_is_one_change_with_a_key_of_its_own() -> None:
    found, enums = listed(), operators.enums_of([ast.parse(SOURCE)])
    assert len({mutant.key for mutant in found}) == len(found)
    codes = [mutants.compiled(m, Path("m.py"), SOURCE, enums) for m in (None, *found)]
    assert len({_content(code) for code in codes}) == len(codes)


def _content(code: Any) -> str:
    inner = [_content(c) if hasattr(c, "co_code") else repr(c) for c in code.co_consts]
    return f"{code.co_code!r}{code.co_names}{code.co_varnames}{inner}"


def test_a_key_outlives_edits_elsewhere() -> None:
    moved = "import os\n\nOTHER = 77\n" + SOURCE.replace('"""Another 7."""', '"""Longer\n."""')
    assert {m.key for m in listed()} <= {m.key for m in listed(moved)}


def found(killed: int, survived: int = 0, end: End = End.SURVIVED) -> Found:
    source = "\n".join(f"a{n} = {n} < b" for n in range(2, 2 + killed + survived))
    ours = [m for m in listed(source) if m.after.startswith(f"{m.before.split()[0]} <= ")]
    ends = [End.KILLED] * killed + [end] * survived
    return [(mutant, Outcome(end)) for mutant, end in zip(ours, ends, strict=True)]


@pytest.mark.parametrize("end", [item for item in End if item is not End.KILLED])
def test_less_than_99_percent_fails(end: End) -> None:
    assert verdict.judged(found(99, 1), {}, [], {"m.py"}).good
    assert not verdict.judged(found(98, 2, end), {}, [], {"m.py"}).good


def test_an_equivalent_must_exist_survive_and_be_rare() -> None:
    some = found(97, 3)
    three = {mutant.key: "why" for mutant, _ in some[97:]}
    good = verdict.judged(some, three, [], {"m.py"})
    assert (good.good, good.killed, len(good.counted)) == (True, 97, 97)
    for wrong in (
        {"m.py:f number `1` -> `2` #0": "stale"},
        {some[0][0].key: "killed"},
        {mutant.key: "too many" for mutant, _ in found(96, 4)[96:]},
    ):
        assert not verdict.judged(found(96, 4), wrong, [], {"m.py"}).good
    assert verdict.judged(some, three | {"other.py:f x": "not run"}, [], {"m.py"}).good


def test_an_infrastructure_failure_or_a_missed_planted_mutant_fails() -> None:
    assert not verdict.judged(found(999, 1, End.BROKEN), {}, [], {"m.py"}).good
    assert not verdict.judged(found(999, 1), {}, ["planted"], {"m.py"}).good
    lines = verdict.lines(verdict.judged(found(99, 1), {}, [], {"m.py"}), [], 6)
    assert lines[-1] == "mutants: 99/100 killed, 0/6 planted survivors reported"
    assert any(line.startswith("survived: m.py:") for line in lines)


def test_two_runs_at_once_lose_nothing_of_each_other(tmp_path: Path) -> None:
    first, second = (Memory(tmp_path / "mutation.json", use=True) for _ in range(2))
    source = "def f(a):\n    return a < 1\n"
    one, other, *_ = mutants.of_module("m.py", source, {})
    first.keep(one, (), Outcome(End.KILLED, "a.py::t"))
    second.keep(other, (), Outcome(End.SURVIVED))
    for memory in (first, second, first):
        memory.save()
    again = Memory(tmp_path / "mutation.json", use=True)
    assert {again.recall(one, ()), again.recall(other, ())} == {
        Outcome(End.KILLED, "a.py::t"), Outcome(End.SURVIVED),
    }  # fmt: skip


def test_the_file_that_most_likely_kills_in_a_second_is_asked_first() -> None:
    source = "def f(a):\n    return a < 1\n\ndef g(a):\n    return a < 2\n"
    (f, *_), (g, *_) = (
        [m for m in mutants.of_module("m.py", source, {}) if m.function == name] for name in "fg"
    )
    odds, took_s = Odds(), {"quick.py": 0.1, "slow.py": 1.5}
    assert odds.best(f, took_s) == "quick.py"
    for _ in range(20):
        odds.learn(f.key, "quick.py", killed=False)
        odds.learn(f.key, "slow.py", killed=True)
    assert odds.best(f, took_s) == "slow.py"
    assert odds.best(g, took_s) == "slow.py", "of a function nobody has met the module tells"
    for _ in range(20):
        odds.learn(g.key, "quick.py", killed=True)
    assert (odds.best(f, took_s), odds.best(g, took_s)) == ("slow.py", "quick.py")
