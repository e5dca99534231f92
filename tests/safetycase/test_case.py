"""The safety case holds together, and each way to break it is named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from config.schema import load as load_site
from liftctl.safetycase import check, evidence, hazards
from liftctl.safetycase.hazards import HazardError, HazardList
from safety.bounds import Params
from safety.table import ROWS, Row

ROOT = Path(__file__).parents[2]
LISTED = hazards.load()
SITES = sorted((ROOT / "config" / "sites").glob("*.toml"))
LANGUAGES = {
    path.stem: json.loads(path.read_text("utf-8"))
    for path in sorted((ROOT / "config" / "languages").glob("*.json"))
}
ENTRY = """
[[hazard]]
id = "H1"
hazard = "a"
cause = "b"
detection = "c"
reaction = "d"
allowed = ["down"]
source = "e"
owner = "software"
hardware = ""
also = ""
gaps = ""
"""


def limits() -> dict[str, Params]:
    return {"defaults": Params()} | {path.stem: load_site(path).limits for path in SITES}


def a_row(**changes: object) -> Row:
    return replace(ROWS["overload"], **changes)  # type: ignore[arg-type]


def without_row(hazard: str) -> dict[str, Row]:
    return {name: row for name, row in ROWS.items() if row.hazard != hazard}


def with_hazard(name: str, **changes: str) -> HazardList:
    changed = replace(LISTED.hazards[name], **changes)  # type: ignore[arg-type]
    return HazardList({**LISTED.hazards, name: changed}, LISTED.lowering)


def said(text: str) -> str:
    with pytest.raises(HazardError) as caught:
        hazards.parse(text)
    return str(caught.value)


def test_the_case_holds_together() -> None:
    assert check.findings(LISTED, ROWS, limits(), LANGUAGES) == ()


def test_all_hazards_are_there_in_order() -> None:
    assert tuple(LISTED.hazards) == hazards.IDS == tuple(f"H{n}" for n in range(1, 38))


def test_a_row_without_hazard_is_named() -> None:
    rows = {**ROWS, "extra": a_row(id="extra", hazard="H99")}
    found = check.hazards_and_rows(LISTED, rows)
    assert found == ("row extra names hazard H99, which the list does not have",)


def test_a_hazard_without_row_or_exemption_is_named() -> None:
    found = check.hazards_and_rows(LISTED, without_row("H4"))
    assert found == ("hazard H4 has no row and no exemption",)
    assert not check.hazards_and_rows(with_hazard("H4", exempt="because"), without_row("H4"))


def test_an_exemption_that_is_not_needed_is_named() -> None:
    found = check.hazards_and_rows(with_hazard("H4", exempt="because"), ROWS)
    assert found == ("hazard H4 has rows and needs no exemption",)


def test_a_row_that_takes_lowering_away_without_a_reason_is_named() -> None:
    reasons = {name: why for name, why in LISTED.lowering.items() if name != "estop"}
    found = check.lowering(HazardList(LISTED.hazards, reasons), ROWS)
    assert found == ("row estop takes lowering away without a reason",)


def test_a_reason_for_a_row_that_leaves_lowering_is_named() -> None:
    listed = HazardList(LISTED.hazards, {**LISTED.lowering, "overload": "x"})
    assert check.lowering(listed, ROWS) == ("row overload does not take lowering away",)


def test_a_number_outside_its_hard_bounds_is_named() -> None:
    found = check.numbers({"room 9": replace(Params(), hoist_loaded_mm_s=400)})
    assert found[0].startswith("room 9: hoist_loaded_mm_s = 400 is outside 10 to 150")
    assert all(sentence.startswith("room 9: hoist_loaded_mm_s") for sentence in found)


@pytest.mark.parametrize("key", ["row.overload", "row.overload?"])
@pytest.mark.parametrize("text", [None, "", "  "])
def test_an_alarm_without_text_is_named(key: str, text: str | None) -> None:
    words = {name: words for name, words in LANGUAGES["da"].items() if name != key}
    broken = words if text is None else words | {key: text}
    found = check.texts(ROWS, {"en": LANGUAGES["en"], "da": broken})
    assert found == (f"da: no text for {key}",)


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (ENTRY + 'colour = "red"', "H1: unknown key colour"),
        (ENTRY.replace('cause = "b"\n', ""), "H1: cause is missing"),
        (ENTRY.replace('"b"', '""'), "H1: cause is empty"),
        (ENTRY.replace('"b"', "7"), "H1: cause is no text"),
        (ENTRY.replace('id = "H1"\n', ""), "an entry without id: id is missing"),
        (ENTRY + ENTRY, "H1 stands 2 times"),
        (ENTRY, "H2 is missing"),
        (ENTRY.replace('"H1"', '"H38"'), "H38 is none of H1 to H37"),
        (ENTRY.replace('["down"]', '["sideways"]'), "H1: allowed names sideways, not a motion"),
        (ENTRY.replace('"software"', '"nobody"'), "H1: owner is none of"),
        (ENTRY.replace('"software"', '"hardware"'), "owner is hardware, but hardware says nothing"),
        ("[other]\n", "unknown table other"),
    ],
)
def test_a_broken_list_is_refused_by_name(text: str, finding: str) -> None:
    assert finding in said(text)


def test_a_test_counts_for_what_its_strings_name() -> None:
    text = """
CASES = ("estop", "slack?")
@pytest.mark.parametrize("row", CASES)
def test_one(row):
    "H19: nothing moves"
def test_two():
    assert "trip:slack" in events and "the slack strap" != "overload_hard and more"
def helper():
    "H7"
"""
    found = evidence.in_file(text, ("estop", "slack", "overload_hard"))
    assert found == {"test_one": {"H19", "estop", "slack"}, "test_two": {"slack"}}
