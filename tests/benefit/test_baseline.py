"""Baselines: measured, published, frozen; never assumed and never changed in silence."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from liftctl.benefit.baseline import Summary
from tests.benefit.made import FIRST_AFTER, FIRST_BEFORE, drawn, line, report, run, write

EXAMPLES = Path(__file__).parents[2] / "liftctl" / "benefit" / "examples"
HEAD = "kind,carers,mean_s,sd_s,n_transfers,n_residents\n"


@pytest.fixture
def transfers(tmp_path: Path) -> Path:
    return write(tmp_path / "t.csv", drawn(FIRST_AFTER, 1, 156.9))


def published(tmp_path: Path, body: str) -> Path:
    path = tmp_path / "means.csv"
    path.write_text(HEAD + body, encoding="utf-8")
    return path


def test_the_shipped_example_has_no_spread_and_so_no_interval(transfers: Path) -> None:
    found = report(transfers, EXAMPLES / "alamgir-2009.csv")
    assert found["saved_s_per_transfer"] == {"mean": pytest.approx(390.3, abs=0.01), "ci95": None}
    assert found["statement"].startswith("no demonstrated saving: the baseline gives no standard")
    assert "the baseline was not measured here" in found["statement"]


def test_a_published_spread_gets_the_design_effect_it_lacks(
    tmp_path: Path, transfers: Path
) -> None:
    found = report(transfers, published(tmp_path, "bed-chair,2,273.6,100,119,24\n"))
    told = {item["name"]: item["saved_s_per_transfer"]["ci95"] for item in found["sensitivity"]}
    widths = [told[f"icc_{icc}"][1] - told[f"icc_{icc}"][0] for icc in ("0.1", "0.3", "0.5")]
    assert widths == sorted(widths)
    assert told["icc_0.3"] == found["saved_s_per_transfer"]["ci95"]
    effect = 1 + (119 / 24 - 1) * 0.3
    item = Summary(kind="k", carers=2, mean_s=273.6, sd_s=100, n_transfers=119, n_residents=24)
    assert item.variance(0.3) == pytest.approx(200**2 / 119 * effect)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("bed-chair,2,minus,,,\n", "means.csv:2: mean_s is 'minus'"),
        ("bed-chair,0,270,,,\n", "means.csv:2: carers is '0'"),
        ("bed-chair,2,270,-4,,\n", "means.csv:2: sd_s is '-4'"),
        ("bed-chair,2,270,,,\n,2,270,,,\n", "means.csv:3: kind is ''"),
        ("", "no baseline in it"),
    ],
)
def test_a_bad_line_of_a_published_table_is_named(
    tmp_path: Path, transfers: Path, body: str, word: str
) -> None:
    done = run("report", "--transfers", transfers, "--baseline", published(tmp_path, body))
    assert done.exit_code == 2
    assert word in done.stderr


def test_a_frozen_baseline_is_kept_and_gives_the_same_figures(
    tmp_path: Path, transfers: Path
) -> None:
    seen, frozen = write(tmp_path / "b.csv", drawn(FIRST_BEFORE, 2, 273.6)), tmp_path / "b.json"
    asked = ("baseline", "freeze", "--transfers", seen, "--out", frozen)
    assert run(*asked).exit_code == 0
    assert "a frozen baseline is kept" in run(*asked).stderr
    one, other = report(transfers, seen), report(transfers, frozen)
    assert one["saved_s_per_transfer"] == other["saved_s_per_transfer"]
    assert "bed-chair: 547.2 staff-seconds, 144 transfers" in run("baseline", "show", frozen).stdout
    shown = json.loads(run("baseline", "show", frozen, "--json").stdout)
    assert shown["version"] == other["baseline"]["version"]


def test_a_baseline_changed_after_freezing_is_refused(tmp_path: Path, transfers: Path) -> None:
    seen, frozen = write(tmp_path / "b.csv", drawn(FIRST_BEFORE, 2, 273.6)), tmp_path / "b.json"
    run("baseline", "freeze", "--transfers", seen, "--out", frozen)
    frozen.write_text(frozen.read_text("utf-8").replace('"carers": 24', '"carers": 36', 1), "utf-8")
    done = run("report", "--transfers", transfers, "--baseline", frozen)
    assert done.exit_code == 2
    assert "changed since it was frozen" in done.stderr


def test_a_transfer_that_names_another_baseline_is_left_out(tmp_path: Path) -> None:
    seen = write(tmp_path / "b.csv", drawn(FIRST_BEFORE, 2, 273.6))
    lines = [{**item, "baseline_version": ""} for item in drawn(FIRST_AFTER, 1, 156.9)]
    lines[0]["baseline_version"] = "0123456789abcdef"
    found = report(write(tmp_path / "t2.csv", lines), seen)
    assert found["excluded"] == {"other_baseline": 1}


def test_a_period_can_be_cut_out_of_a_time_study(tmp_path: Path) -> None:
    seen = write(tmp_path / "b.csv", drawn(FIRST_BEFORE, 2, 273.6))
    frozen = tmp_path / "b.json"
    run("baseline", "freeze", "--transfers", seen, "--out", frozen, "--last", "2026-01-06")
    assert json.loads(frozen.read_text("utf-8"))["baseline"]["last_day"] == "2026-01-06"
    nothing = run("baseline", "freeze", "--transfers", seen, "--out", tmp_path / "c.json",
                  "--first", "2027-01-01")  # fmt: skip
    assert "no transfer can serve as baseline" in nothing.stderr
    assert run("baseline", "freeze", "--out", frozen).exit_code == 2


@pytest.mark.parametrize(("zone", "counted"), [("Europe/Copenhagen", 144), ("UTC", 145)])
def test_the_last_day_of_a_baseline_is_a_day_where_the_home_is(
    tmp_path: Path, zone: str, counted: int
) -> None:
    """00:30 on 1 April in Copenhagen is 22:30 UTC on 31 March."""
    night = line(0, transfer_id="april", started=datetime.fromisoformat("2026-04-01T00:30+02:00"))
    seen, frozen = drawn(FIRST_BEFORE, 2, 273.6), tmp_path / "b.json"
    run("baseline", "freeze", "--transfers", write(tmp_path / "b.csv", [*seen, night]), "--last",
        "2026-03-31", "--out", frozen, "--timezone", zone)  # fmt: skip
    assert json.loads(frozen.read_text("utf-8"))["baseline"]["n_logged"] == counted


def test_few_residents_in_the_baseline_give_no_interval(tmp_path: Path, transfers: Path) -> None:
    few = write(tmp_path / "few.csv", drawn(FIRST_BEFORE, 2, 273.6, residents=4))
    found = report(transfers, few)
    assert found["saved_s_per_transfer"]["ci95"] is None
    assert "fewer than 5 residents in the baseline" in found["statement"]


def test_two_carers_by_assessment_have_a_baseline_of_their_own(tmp_path: Path) -> None:
    """Residents who need two take longer: held against all, they would look like a loss."""
    before = [
        line(n, transfer_id=f"b{n}", resident=f"r{n % 20}", carers=2,
             started=FIRST_BEFORE + timedelta(hours=n),
             seconds=(400 if n % 20 < 8 else 260) + 10 * math.sin(n)) | {"carers_planned": 2}
        for n in range(200)
    ]  # fmt: skip
    after = [
        line(n, resident=f"r{n % 20}", carers=2 if n % 20 < 8 else 1,
             seconds=(400 if n % 20 < 8 else 150) + 10 * math.cos(n))
        | {"carers_planned": 2 if n % 20 < 8 else 1}
        for n in range(400)
    ]  # fmt: skip
    found = report(write(tmp_path / "a.csv", after), write(tmp_path / "b.csv", before))
    assert found["baseline"]["cells"] == {"bed-chair": "assessment"}
    assert found["two_carer_by_assessment"]["saved_s_per_transfer"]["mean"] == pytest.approx(
        0.0, abs=5
    )
    assert found["saved_s_per_transfer"]["mean"] == pytest.approx(0.6 * 370, abs=5)


def stay(first: datetime, who: range, seconds: float, carers: int) -> list[dict[str, Any]]:
    """Ten daily transfers of each of these residents, planned for as many carers as came."""
    return [
        line(0, transfer_id=f"{first.date()}-{one}-{day}", resident=f"r{one}", carers=carers,
             lift=f"l{one}", started=first + timedelta(days=day, minutes=7 * one),
             seconds=seconds + (day * 7 + one * 3) % 11 - 5) | {"carers_planned": carers}
        for one in who
        for day in range(10)
    ]  # fmt: skip


def test_a_heavy_resident_who_left_is_no_baseline_of_the_light_ones(tmp_path: Path) -> None:
    """Nothing changed for anybody: light ones took 300 staff-seconds and do, heavy ones 900."""
    light, heavy = range(10), range(10, 20)
    before = stay(FIRST_BEFORE, light, 150.0, 2) + stay(FIRST_BEFORE, heavy, 450.0, 2)
    now = stay(FIRST_AFTER, light, 300.0, 1) + stay(FIRST_AFTER, range(10, 15), 450.0, 2)
    found = report(write(tmp_path / "a.csv", now), write(tmp_path / "b.csv", before))
    assert found["baseline"]["cells"] == {"bed-chair": "assessment"}
    assert found["saved_s_per_transfer"]["mean"] == pytest.approx(0, abs=15), found["statement"]
    factors = found["decomposition"]["saved_s_per_transfer"]["total"]
    assert factors == pytest.approx(found["saved_s_per_transfer"]["mean"], abs=1e-3)
    assert found["baseline"]["n_not_here"] == 50
    assert found["kinds"]["bed-chair"]["baseline"]["n_transfers"] == 150
    assert found["kinds"]["bed-chair"]["baseline"]["staff_s"] == pytest.approx(500, abs=15)
