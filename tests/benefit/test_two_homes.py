"""Two homes that name their lifts and wards alike stay two homes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.benefit.made import FIRST_AFTER, drawn, report, write


def homes(**names: str) -> list[dict[str, Any]]:
    """The same hours of the same days in Elm and Oak, with residents of their own."""
    return [
        {**item, "transfer_id": f"{home}{item['transfer_id']}", "home": home,
         "resident": f"{home}-{item['resident']}", **names}
        for home in ("Elm", "Oak")
        for item in drawn(FIRST_AFTER, 1, 156.9)
    ]  # fmt: skip


def test_both_may_have_a_lift_one(tmp_path: Path, baseline: Path) -> None:
    lines = homes()
    for at, item in enumerate(lines):
        item["lift"] = "lift 1" if at % 144 < 6 else f"{item['home']} {at}"
    found = report(write(tmp_path / "t.csv", lines), baseline)
    assert found["excluded"] == {}
    assert found["context"]["remarks"] == []


def test_both_may_have_a_ward_one(tmp_path: Path, baseline: Path) -> None:
    found = report(write(tmp_path / "t.csv", homes(ward="Ward 1")), baseline)["units"]
    wards = {item["name"]: item["n_residents"] for item in found["ward"]}
    assert wards == {"Elm · Ward 1": 12, "Oak · Ward 1": 12}
    assert [item["name"] for item in found["home"]] == ["Elm", "Oak"]


def test_a_ward_alone_with_its_name_keeps_it(tmp_path: Path, baseline: Path) -> None:
    lines = [{**item, "ward": f"{item['home']} upstairs"} for item in homes()]
    found = report(write(tmp_path / "t.csv", lines), baseline)["units"]
    assert [item["name"] for item in found["ward"]] == ["Elm upstairs", "Oak upstairs"]


def test_two_municipalities_may_have_a_home_of_one_name(tmp_path: Path, baseline: Path) -> None:
    lines = [{**item, "municipality": item["home"] + "by", "home": "Elm", "ward": "Ward 1"}
             for item in homes()]  # fmt: skip
    found = report(write(tmp_path / "t.csv", lines), baseline)["units"]
    assert [item["name"] for item in found["home"]] == ["Elmby · Elm", "Oakby · Elm"]
    assert [item["name"] for item in found["ward"]] == [
        "Elmby · Elm · Ward 1", "Oakby · Elm · Ward 1"
    ]  # fmt: skip
