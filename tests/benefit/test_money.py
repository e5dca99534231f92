"""Money: sources, time that is released, reused or cashed, payback, the figure per year."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from liftctl.benefit.economics import economics
from liftctl.benefit.inputs import inputs_of
from liftctl.benefit.page import page
from liftctl.benefit.rows import EvidenceError
from liftctl.benefit.words import Words
from tests.benefit.made import FIRST_AFTER, FIRST_BEFORE, drawn, report, write

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
