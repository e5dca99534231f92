"""Figures behind the figure: factors, audits, what was not logged."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liftctl.benefit.decompose import Period, decomposition, split
from liftctl.benefit.page import page
from tests.benefit.made import FIRST_AFTER, drawn, report, run, write

POSITIVE = st.floats(0.01, 1e4)
PERIOD = st.builds(Period, POSITIVE, POSITIVE, POSITIVE)


@given(st.lists(st.tuples(PERIOD, PERIOD), min_size=1, max_size=4))
def test_the_three_factors_add_up_to_the_change(pairs: list[tuple[Period, Period]]) -> None:
    change = sum(old.n * old.staff_s - new.n * new.staff_s for old, new in pairs)
    size = sum(old.n * old.staff_s + new.n * new.staff_s for old, new in pairs)
    assert sum(split(pairs)) == pytest.approx(change, abs=1e-9 * size)


def test_more_transfers_per_resident_are_not_hidden() -> None:
    found = decomposition([(Period(2.0, 2.0, 600.0), Period(2.5, 1.0, 200.0))], rate_known=True)
    assert found["transfers_per_resident"]["saved_s"] < 0
    assert found["staff_s_per_resident_day"]["saved_s"] == pytest.approx(1200 - 500)


def test_factors_add_up_to_the_saving_of_the_report(tmp_path: Path, baseline: Path) -> None:
    found = report(write(tmp_path / "t.csv", drawn(FIRST_AFTER, 1, 156.9)), baseline)
    parts = found["decomposition"]["saved_s_per_transfer"]
    assert parts["by_carers"] + parts["by_time"] == pytest.approx(parts["total"], abs=1e-3)
    assert parts["total"] == pytest.approx(found["saved_s_per_transfer"]["mean"], abs=1e-3)
    assert found["decomposition"]["transfers_per_resident"]["baseline"] is None


def test_nine_residents_get_no_percentage_and_four_no_interval(
    tmp_path: Path, baseline: Path
) -> None:
    nine = report(write(tmp_path / "9.csv", drawn(FIRST_AFTER, 1, 156.9, residents=9)), baseline)
    assert nine["single_handed_share"] is None
    assert "9 residents: too few for a percentage" in nine["statement"]
    four = report(write(tmp_path / "4.csv", drawn(FIRST_AFTER, 1, 156.9, residents=4)), baseline)
    assert four["saved_s_per_transfer"]["ci95"] is None
    assert four["statement"].startswith("no demonstrated saving: fewer than 5 residents")
    assert four["kinds"]["bed-chair"]["hidden"]


def audited(tmp_path: Path, wrong: int, n: int = 60) -> tuple[Path, Path]:
    lines = drawn(FIRST_AFTER, 1, 156.9)
    told = [
        {"transfer_id": item["transfer_id"], "carers_seen": 2 if at < wrong else 1}
        for at, item in enumerate(lines[:n])
    ]
    return write(tmp_path / "t.csv", lines), write(tmp_path / f"a{wrong}.csv", told)


def test_misreported_carers_are_corrected_and_the_audit_is_in_the_interval(
    tmp_path: Path, baseline: Path
) -> None:
    transfers, audits = audited(tmp_path, 6)
    plain, found = report(transfers, baseline), report(transfers, baseline, "--audits", audits)
    lost = plain["saved_s_per_transfer"]["mean"] - found["saved_s_per_transfer"]["mean"]
    assert lost == pytest.approx(0.1 * 156.9, rel=0.35)  # six of sixty, by their own durations
    assert width(found) != width(plain)  # whose coverage is right: `test_studies.py`
    low, high = found["audits"][0]["wrong_share"]["ci95"]
    assert found["audits"][0]["n_wrong"] == 6
    assert low < 0.1 < high
    told = {item["name"]: item["saved_s_per_transfer"] for item in found["sensitivity"]}
    assert told["not_corrected_by_audits"] == plain["saved_s_per_transfer"]


def test_audits_reach_every_figure_of_the_report(tmp_path: Path, baseline: Path) -> None:
    """Half of the audited were wrong: factors, tables, weeks and page say so with one voice."""
    transfers, audits = audited(tmp_path, 30)
    found = report(transfers, baseline, "--audits", audits)
    saved, now = found["saved_s_per_transfer"]["mean"], found["corrected_staff_s_per_transfer"]
    parts = found["decomposition"]
    assert parts["saved_s_per_transfer"]["total"] == pytest.approx(saved, abs=1e-3)
    assert parts["carers_per_transfer"]["now"] == pytest.approx(1.5, abs=0.1)
    assert found["units"]["home"][0]["staff_s_per_transfer"] == now
    assert found["kinds"]["bed-chair"]["staff_s_per_transfer"] == now
    after = [item for item in found["weeks"] if item["period"] == "after"]
    assert sum(item["n"] * item["staff_s"] for item in after) == pytest.approx(144 * now, rel=1e-4)
    (citizen, *_), *_ = (card.lines for card in page(found, "en", "", "0").first[1].cards)
    assert citizen == "100% of the transfers were logged as done by one carer"


def width(found: dict[str, Any]) -> float:
    low, high = found["saved_s_per_transfer"]["ci95"]
    return float(high - low)


def test_no_error_found_is_not_no_error(tmp_path: Path, baseline: Path) -> None:
    transfers, audits = audited(tmp_path, 0)
    plain, found = report(transfers, baseline), report(transfers, baseline, "--audits", audits)
    assert found["saved_s_per_transfer"]["mean"] == plain["saved_s_per_transfer"]["mean"]
    assert width(found) > width(plain)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("transfer_id,carers_seen\nnobody,1\n", "audits.csv:2: transfer 'nobody' is not among"),
        ("transfer_id,carers_seen\n{id},some\n", "audits.csv:2: carers_seen must be 0 to 9"),
        ("transfer_id,carers_seen\n{id},1\n{id},2\n", "audits.csv:3: transfer"),
        ("transfer,seen\n", "columns missing: transfer_id, carers_seen"),
    ],
)
def test_a_bad_audit_is_named(tmp_path: Path, baseline: Path, body: str, word: str) -> None:
    lines = drawn(FIRST_AFTER, 1, 156.9)
    path = tmp_path / "audits.csv"
    path.write_text(body.format(id=lines[0]["transfer_id"]), encoding="utf-8")
    done = run("report", "--transfers", write(tmp_path / "t.csv", lines), "--baseline", baseline,
               "--audits", path)  # fmt: skip
    assert done.exit_code == 2
    assert word in done.stderr


def test_left_out_transfers_are_counted_in_the_sensitivity(tmp_path: Path, baseline: Path) -> None:
    lines = drawn(FIRST_AFTER, 1, 156.9)
    for item in lines[::3]:
        item["outcome"] = "aborted"
    found = report(write(tmp_path / "t.csv", lines), baseline)
    told = {item["name"]: item for item in found["sensitivity"]}
    assert "excluded_as_ordinary" not in told  # an aborted transfer moved nobody
    mean = found["saved_s_per_transfer"]["mean"]
    cost = told["excluded_as_cost"]["saved_s_per_transfer"]["mean"]
    assert cost == pytest.approx(mean - 156.9 / 2, abs=12)  # one attempt for two that count


def test_an_attempt_is_never_counted_as_a_quick_transfer(tmp_path: Path, baseline: Path) -> None:
    lines = drawn(FIRST_AFTER, 1, 156.9)
    for at, item in enumerate(lines):
        if at % 4 == 0:  # given up at once
            begun = datetime.fromisoformat(item["started_at"])
            item |= {"outcome": "aborted", "ended_at": (begun + timedelta(seconds=40)).isoformat()}
    found = report(write(tmp_path / "t.csv", lines), baseline, "--learning-days", 1)
    told = {item["name"]: item for item in found["sensitivity"]}
    ordinary = told["excluded_as_ordinary"]
    assert ordinary["n"] == 108  # all but the attempts
    whole = report(write(tmp_path / "t.csv", lines), baseline)["saved_s_per_transfer"]["mean"]
    assert ordinary["saved_s_per_transfer"]["mean"] == pytest.approx(whole - 40 / 3, abs=1e-2)


def test_rows_uploaded_twice_do_not_stand_in_for_unlogged_ones(
    tmp_path: Path, baseline: Path
) -> None:
    inputs, lines = tmp_path / "i.toml", drawn(FIRST_AFTER, 1, 156.9)
    inputs.write_text('[expected]\ndevice_cycles = {value = 288, source = "x"}\n', "utf-8")
    aborted = {**lines[0], "outcome": "aborted"}
    other = [{**lines[1], "carers": carers} for carers in (2, 3)]
    told = write(tmp_path / "t.csv", [aborted, *lines[1:], *other, *lines[4:]])
    found = report(told, baseline, "--inputs", inputs)
    assert found["excluded"] == {"duplicate": 140, "conflicting_duplicate": 3, "aborted": 1}
    missing = found["unlogged"]["device_cycles"]
    assert missing["unlogged"] == 144  # 144 ids, however often they came
    mean = found["saved_s_per_transfer"]["mean"]
    assert missing["saved_s_if_unlogged_saved_nothing"] == pytest.approx(mean * 142 / 288, abs=1e-3)
    assert found["safety"]["aborted_per_1000"] == pytest.approx(1000 / 146, abs=1e-3)
