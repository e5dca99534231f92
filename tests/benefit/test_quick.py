"""The quick figure: plain means that leave nothing out in silence."""

from __future__ import annotations

import itertools
import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from config.schema import BaselineSpec
from liftctl.benefit.cli import report_command
from liftctl.benefit.quick import summarise
from liftctl.recorder.ledger import Entry, Ledger

BASELINE = BaselineSpec(
    kind="bed-chair",
    version="v1",
    carers=2,
    mean_s=273.6,
    n_transfers=119,
    source="Alamgir 2009",
    measured=False,
)


NUMBERS = itertools.count()
FIRST = datetime(2026, 11, 22, 10, tzinfo=UTC)


def transfer(**changes: Any) -> dict[str, Any]:
    elapsed_s, number = changes.get("elapsed_s", 156.9), next(NUMBERS)
    started = FIRST + timedelta(hours=number)
    return {
        "id": f"t-{number}",
        "kind": "bed-chair",
        "resident": "r-1",
        "carers_planned": 1,
        "carers_present": [{"joined_s": 0.0, "left_s": elapsed_s, "source": "badge"}],
        "started_utc": started.isoformat(),
        "ended_utc": (started + timedelta(seconds=156.9)).isoformat(),
        "elapsed_s": elapsed_s,
        "outcome": "completed",
        **changes,
    }


def test_the_published_example(tmp_path: Path) -> None:
    report = summarise([transfer()], [BASELINE])
    assert report["saved_s_per_transfer"] == {"mean": 390.3, "ci95": None}  # 2 x 273.6 - 156.9
    assert report["saved_hours_total"]["mean"] == pytest.approx(390.3 / 3600, abs=1e-4)
    assert report["single_handed"] == 1
    assert report["kinds"]["bed-chair"]["baseline"]["note"] == "example, not measured"
    assert report["statement"].startswith("no interval: plain means only, no demonstrated saving")


EXCLUSIONS = {
    "aborted": {"outcome": "aborted"},
    "fault": {"outcome": "fault"},
    "emergency": {"outcome": "emergency"},
    "interrupted": {"outcome": "interrupted"},
    "unknown_outcome": {"outcome": ""},
    "training": {"exclude": True, "exclude_reason": "first use"},
    "missing_end": {"ended_utc": None},
    "implausible_duration": {"elapsed_s": 1800.1},
    "unreadable_record": {"phases": "none"},
    "missing_phases": {"phases": {"begin": 0.0}},
    "negative_duration": {"elapsed_s": -1.0},
    "resident_missing": {"resident": ""},
    "out_of_plan": {"out_of_plan": True},
    "no_baseline": {"kind": "bath"},
    "erased": {"erased": True},
    "carers_unknown": {"carers_planned": None, "carers_present": None},
}


@pytest.mark.parametrize("reason", EXCLUSIONS)
def test_what_is_left_out_is_counted_by_its_reason(reason: str) -> None:
    report = summarise([transfer(), transfer(**EXCLUSIONS[reason])], [BASELINE])
    assert report["excluded"] == {reason: 1}
    assert (report["n_logged"], report["n_analysed"]) == (2, 1)


def test_a_second_carer_is_counted_for_the_time_present_and_a_loss_is_shown() -> None:
    both = [{"joined_s": 0.0, "left_s": None}, {"joined_s": 100.0, "left_s": 160.0}]
    late = transfer(carers_present=both, outcome="fallback2")
    report = summarise([late], [BASELINE])
    assert report["staff_seconds"] == pytest.approx(156.9 + 56.9)
    assert report["single_handed"] == 0
    slow = summarise([transfer(elapsed_s=900.0)], [BASELINE])
    assert slow["saved_s_per_transfer"]["mean"] == pytest.approx(547.2 - 900)


def test_a_percentage_needs_ten_residents() -> None:
    few = [transfer(resident=f"r-{n}") for n in range(9)]
    assert summarise(few, [BASELINE])["single_handed_share"] is None
    assert summarise([*few, transfer(resident="r-9")], [BASELINE])["single_handed_share"] == 1.0


JUNK = st.none() | st.booleans() | st.integers(-5, 5000) | st.text(max_size=5)
NUMBER = st.none() | st.floats(-10, 4000)
STAY = st.fixed_dictionaries({}, optional={"joined_s": NUMBER, "left_s": NUMBER})


@given(
    records=st.lists(
        st.fixed_dictionaries(
            {"id": st.text(max_size=1)},
            optional={
                "kind": st.sampled_from(["bed-chair", "bath"]) | JUNK,
                "outcome": st.sampled_from(["completed", "fallback2", "aborted"]) | JUNK,
                "elapsed_s": NUMBER,
                "ended_utc": st.sampled_from(["2026-11-22T10:02:36+00:00", "junk", None]),
                "started_utc": st.sampled_from(["2026-11-22T10:00:00+00:00", "junk", None]),
                "carers_planned": st.none() | st.integers(0, 3),
                "carers_present": st.none() | st.lists(STAY, max_size=3),
                "resident": JUNK,
                "badge": st.just("carer-77"),
            },
        ),
        max_size=12,
    )
)
def test_every_logged_transfer_is_analysed_or_excluded(records: list[dict[str, Any]]) -> None:
    report = summarise(records, [BASELINE])
    assert report["n_logged"] == report["n_analysed"] + sum(report["excluded"].values())
    assert "carer-77" not in json.dumps(report)


def test_the_command(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with closing(Ledger(path, lambda: 1_800_000_000_000_000_000)) as ledger:
        for n in range(5):
            told = transfer(resident=f"r-{n}")
            ledger.append(Entry("closed", told["id"], 1, told, {"outcome": "completed"}))
    app = typer.Typer()
    app.command()(report_command)
    run = CliRunner().invoke
    site = Path(__file__).parents[2] / "config" / "sites" / "demo-lift.toml"
    told = run(app, ["--site", str(site), "--ledger", str(path), "--json"])
    assert json.loads(told.stdout)["saved_s_per_transfer"]["mean"] == 390.3
    assert "excluded: no_baseline 5" in run(app, ["--ledger", str(path)]).stdout
    assert run(app, ["--ledger", str(tmp_path / "absent")]).exit_code == 2
    assert run(app, []).exit_code == 2
