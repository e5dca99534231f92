"""What is not shown: small units, and what could be worked out of the others."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from liftctl.benefit.units import FEWEST, OTHER, coarsened, hidden
from tests.benefit.made import FIRST_AFTER, FIRST_BEFORE, drawn, line, report, run, write

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
