"""Records of any version are read; what cannot be is named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liftctl import records
from liftctl.records import RecordError, Stay, TransferRecord

FIRST = {
    "id": "t", "kind": "bed-chair", "site": "s", "room": "Room", "resident": "r-1",
    "badge_verified": True, "carers_planned": 1, "phases": {"begin": 0.0, "end": 90.5},
    "carers_present": [{"joined_s": 0.0, "left_s": 90.5, "source": "badge"}], "elapsed_s": 90.5,
    "staff_s": 90.5, "peak_load_kg": 80.0, "raised_mm": 500, "traversed_mm": 1500, "blocks": [],
    "alarms": [{"row": "x", "priority": "low", "at_s": 1.0}], "pauses": [], "consent": "",
    "outcome": "completed", "reason": "", "battery_start_pct": 90, "battery_end_pct": None,
    "plan": {"limit_kg": 140, "carers": 1, "one_carer_allowed": True}, "out_of_plan": False,
    "follows": "", "config_hash": "c", "version": "0.1.0", "ledger_seq": 7, "erased": False,
}  # fmt: skip


def test_a_record_of_the_first_version_knows_less_and_says_so() -> None:
    found = records.read(FIRST)
    assert (found.schema, found.elapsed_s, found.plan.limit_kg) == (2, 90.5, 140.0)
    assert found.carers_present == (Stay(joined_s=0.0, left_s=90.5, source="badge"),)
    for name in ("consent", "reason", "follows", "sling", "mobility_class", "carers_actual"):
        assert getattr(found, name) is None, name


@pytest.mark.parametrize("schema", [None, 2])
@pytest.mark.parametrize(
    "name", [name for name in TransferRecord.__struct_fields__ if name not in ("schema", "id")]
)
def test_a_field_that_cannot_be_read_is_named(name: str, schema: int | None) -> None:
    with pytest.raises(RecordError, match=name) as caught:
        records.read({**FIRST, "schema": schema, name: [["?"]]})
    assert "record t" in str(caught.value)


@given(raw=st.dictionaries(st.sampled_from([*FIRST, "schema", "x"]), st.none() | st.integers()))
def test_nothing_a_ledger_can_hold_makes_reading_stumble(raw: dict[str, Any]) -> None:
    try:
        record = records.read(raw)
    except RecordError:
        return
    assert records.read(records.plain(record)) == record


@pytest.mark.parametrize(
    ("stays", "staff_s", "most"),
    [
        ([], 0.0, 0),
        ([(0, None)], 90.0, 1),
        ([(-20, 90), (30, 60)], 140.0, 2),
        ([(0, 30), (30, 90)], 90.0, 1),
    ],
)
def test_staff_seconds_are_the_sum_of_stays(stays: Any, staff_s: float, most: int) -> None:
    found = [Stay(joined_s=joined, left_s=left) for joined, left in stays]
    assert (records.staff_s(found, 90.0), records.most_at_once(found)) == (staff_s, most)
