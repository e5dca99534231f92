"""Figures behind the figure: factors, audits, what was not logged, and what is not shown."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liftctl.benefit.decompose import Period, decomposition, split
from liftctl.benefit.economics import economics
from liftctl.benefit.inputs import inputs_of
from liftctl.benefit.page import page
from liftctl.benefit.rows import EvidenceError
from liftctl.benefit.units import FEWEST, OTHER, coarsened, hidden
from liftctl.benefit.words import Words
from tests.benefit.made import FIRST_AFTER, FIRST_BEFORE, drawn, line, report, run, write

POSITIVE = st.floats(0.01, 1e4)
PERIOD = st.builds(Period, POSITIVE, POSITIVE, POSITIVE)


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("b") / "before.csv", drawn(FIRST_BEFORE, 2, 273.6))


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


WHO = st.sets(st.integers(0, 40), max_size=12)
UNITS = st.dictionaries(st.text("abcdef", min_size=1, max_size=2), WHO, max_size=8)


@given(UNITS)
def test_no_small_unit_can_be_worked_out_from_a_total(residents: dict[str, set[int]]) -> None:
    unseen = hidden(residents, {name: 7 * len(who) for name, who in residents.items()})
    shown = set(residents) - unseen
    if len(residents) > 1:
        assert all(len(residents[name]) >= FEWEST for name in shown)
        assert len(unseen) != 1
        behind = {one for name in unseen for one in residents[name]}
        assert not unseen or not shown or len(behind) >= FEWEST


NAME = st.sampled_from("abc")


@given(st.dictionaries(st.tuples(NAME, NAME, NAME), WHO, max_size=12))
def test_no_unit_can_be_worked_out_from_the_level_above(
    residents: dict[tuple[str, ...], set[int]],
) -> None:
    """Municipality less its homes, home less its wards: nobody is left, or five."""
    told = coarsened(residents, {place: 7 * len(who) for place, who in residents.items()})
    assert set(told) == set(residents)
    everybody = {one for who in residents.values() for one in who}
    for depth in (1, 2, 3):
        behind: dict[tuple[str, ...], set[int]] = {}
        for place, who in residents.items():
            behind.setdefault(told[place][:depth], set()).update(who)
        assert all(len(who) >= FEWEST for who in behind.values()) or len(everybody) < FEWEST
        for shown, place in ((told[place], place) for place in residents):
            assert shown[depth - 1] in (place[depth - 1], OTHER)
            assert shown[depth - 1] != OTHER or set(shown[depth:]) <= {OTHER}


def test_a_small_ward_cannot_be_subtracted_from_its_home(tmp_path: Path, baseline: Path) -> None:
    def ward(home: str, number: int, who: range, seconds: float) -> list[dict[str, Any]]:
        return [line(0, transfer_id=f"{r}-{n}", resident=f"r{r}", home=home,
                     ward=f"{home} {number}", lift=f"l{r}", seconds=seconds + r % 5,
                     started=FIRST_AFTER + timedelta(days=n, minutes=9 * r))
                for r in who for n in range(8)]  # fmt: skip

    lines = ward("Elm", 1, range(12), 150) + ward("Elm", 2, range(12, 14), 400)
    lines += ward("Oak", 1, range(14, 26), 150) + ward("Oak", 2, range(26, 32), 150)
    units = report(write(tmp_path / "t.csv", lines), baseline)["units"]
    homes = {item["name"]: item["n_residents"] for item in units["home"]}
    wards = {item["name"]: item["n_residents"] for item in units["ward"]}
    assert homes == {"Elm": 14, "Oak": 18}
    assert wards == {"(other)": 14, "Oak 1": 12, "Oak 2": 6}


def test_a_kind_of_few_residents_takes_another_along(tmp_path: Path) -> None:
    """All less the others would give it away."""
    kinds = {f"r{n}": "bath" if n < 3 else "chair-bed" if n < 7 else "bed-chair" for n in range(12)}
    lines = [
        [{**item, "kind": kinds[item["resident"]]} for item in drawn(first, carers, mean)]
        for first, carers, mean in ((FIRST_BEFORE, 2, 273.6), (FIRST_AFTER, 1, 156.9))
    ]
    lines[1] += [item | {"transfer_id": f"x{n}", "kind": "chair-bed"} for n, item in
                 enumerate(drawn(FIRST_AFTER + timedelta(days=60), 1, 150, seed=4))]  # fmt: skip
    before, after = (write(tmp_path / f"{n}.csv", part) for n, part in enumerate(lines))
    found = report(after, before)
    shown = {kind for kind, item in found["kinds"].items() if not item["hidden"]}
    assert shown == {"chair-bed"}
    assert found["kinds"]["bath"]["saved_s_per_transfer"]["mean"] is None


def test_a_small_ward_disappears_with_a_neighbour(tmp_path: Path, baseline: Path) -> None:
    lines = drawn(FIRST_AFTER, 1, 156.9)
    ward = {f"r{n}": "North" if n < 4 else "South" if n < 8 else "West" for n in range(12)}
    lines += drawn(FIRST_AFTER + timedelta(days=60), 1, 156.9, residents=7, seed=3)
    lines = [{**item, "ward": ward[item["resident"]]} for item in lines]
    found = report(write(tmp_path / "t.csv", lines), baseline)
    assert [item["name"] for item in found["units"]["ward"]] == ["(other)"]
    assert "North" not in str(found)


def test_a_week_of_one_resident_is_neither_shown_nor_what_is_left_over(
    tmp_path: Path, baseline: Path
) -> None:
    lines = drawn(FIRST_AFTER, 1, 156.9) + drawn(FIRST_AFTER + timedelta(days=14), 1, 150, seed=5)
    late = [
        line(n, transfer_id=f"x{n}", resident="r3", seconds=777.0,
             started=FIRST_AFTER + timedelta(days=70, hours=n))
        for n in range(6)
    ]  # fmt: skip
    found = report(write(tmp_path / "t.csv", lines + late), baseline)
    after = [item for item in found["weeks"] if item["period"] == "after"]
    assert after and "2026-06-15" not in {item["week"] for item in after}
    assert found["n_analysed"] - sum(item["n"] for item in after) > len(late)


def test_a_frozen_baseline_keeps_no_week_of_a_few_residents(tmp_path: Path) -> None:
    lines = drawn(FIRST_BEFORE, 2, 273.6) + drawn(FIRST_BEFORE + timedelta(days=14), 2, 270, seed=3)
    lines += drawn(FIRST_BEFORE + timedelta(days=28), 2, 270, residents=4, each=10, seed=2)
    frozen = tmp_path / "b.json"
    run("baseline", "freeze", "--transfers", write(tmp_path / "b.csv", lines), "--out", frozen)
    weeks = json.loads(frozen.read_text("utf-8"))["baseline"]["days"]
    assert weeks and all(residents >= FEWEST for *_, residents in weeks)
    assert "2026-02-02" not in {monday for monday, *_ in weeks}


SOURCED = {"value": 1.0, "source": "invoice"}


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ({"money": {"wage": SOURCED}}, "money.wage is unknown"),
        ({"money": {"purchase": 5}}, "money.purchase needs a source"),
        ({"money": {"purchase": {"value": -1, "source": "x"}}}, "must be a number of at least 0"),
        ({"use": {"reused_share": SOURCED, "cashed_share": SOURCED}}, "above 1 together"),
        ({"color": "blue"}, "color is unknown"),
    ],
)
def test_an_input_without_source_or_sense_is_refused(told: dict[str, Any], word: str) -> None:
    with pytest.raises(EvidenceError, match=word):
        inputs_of(told, "inputs.toml")


def money(days: int = 365, demonstrated: bool = True, **numbers: float) -> dict[str, Any]:
    sections: dict[str, Any] = {"money": {}, "use": {}}
    for name, value in numbers.items():
        part = "use" if name.endswith("_share") else "money"
        sections[part][name] = {"value": value, "source": "test"}
    total = {"mean": 1000.0, "ci95": [800.0, 1200.0]}
    return economics(total, days, inputs_of(sections, "test"), demonstrated) or {}


def test_released_reused_and_cashed_time_stay_apart() -> None:
    found = money(wage_per_hour=200, purchase=300_000, licence_per_year=50_000,
                  reused_share=0.7, cashed_share=0.1)  # fmt: skip
    assert found["released_hours_per_year"]["mean"] == 1000  # "in all" and "per year" are one
    assert found["extrapolated_from_days"] is None
    assert found["reused_hours_per_year"]["mean"] == pytest.approx(700)
    assert found["cashed_hours_per_year"]["mean"] == pytest.approx(100)
    assert found["payback_years_released"]["mean"] == pytest.approx(300_000 / 150_000)
    assert found["payback_years_cashed"]["mean"] is None  # 20,000 a year against 50,000


def test_a_payback_that_may_never_come_says_so_beside_its_mean() -> None:
    found = money(wage_per_hour=200, purchase=300_000, licence_per_year=165_000)
    assert found["payback_years_released"]["ci95"][1] is None
    for language, told in (("en", "8.6 (4.0 to never)"), ("da", "8,6 (4,0 til aldrig)")):
        assert Words(language).payback(found["payback_years_released"]) == told


def test_a_year_is_made_of_four_weeks_and_more_and_says_of_how_many() -> None:
    assert money(days=27, wage_per_hour=200) == {}
    month = money(days=28, wage_per_hour=200)
    assert month["extrapolated_from_days"] == 28
    assert month["released_hours_per_year"]["mean"] == pytest.approx(1000 * 365.25 / 28)


def test_no_payback_is_given_where_no_saving_is_demonstrated(tmp_path: Path) -> None:
    before = write(tmp_path / "b.csv", drawn(FIRST_BEFORE, 1, 160.0, seed=2))
    after = write(tmp_path / "a.csv", drawn(FIRST_AFTER, 1, 156.9, seed=3, each=60))
    inputs = tmp_path / "i.toml"
    inputs.write_text('[money]\nwage_per_hour = {value = 3000, source = "x"}\n'
                      'purchase = {value = 1000, source = "x"}\n', "utf-8")  # fmt: skip
    found = report(after, before, "--inputs", inputs)
    assert found["verdict"] == "not_shown"
    told = page(found, "en", "", "0")
    assert "paid back" not in str(told.first)
    assert "No saving is demonstrated, so no payback is given." in str(told.rest)
    assert f"extrapolated from {found['context']['days']} days" in str(told.first)


def test_a_few_days_give_no_figure_per_year(tmp_path: Path, baseline: Path) -> None:
    inputs = tmp_path / "i.toml"
    inputs.write_text('[money]\nwage_per_hour = {value = 300, source = "x"}\n', "utf-8")
    found = report(write(tmp_path / "t.csv", drawn(FIRST_AFTER, 1, 156.9)), baseline,
                   "--inputs", inputs)  # fmt: skip
    assert found["economics"] is None
    told = page(found, "en", "", "0")
    assert "per year" not in str(told.first)
    assert f"cover {found['context']['days']} days. Fewer than 28 give no figure" in str(told.rest)


def test_without_a_wage_nothing_is_said_of_money() -> None:
    assert money(purchase=300_000) == {}
