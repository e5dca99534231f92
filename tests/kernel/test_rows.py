"""Every row of the interlock table, against rules the table cannot make up."""

from __future__ import annotations

import pytest

from safety.bounds import Params, bound_of
from safety.evaluate import MOTIONS_OF, active_rows, ladder, latch
from safety.table import FOR_KIND, NOT_PERMITTED, ROWS, Row
from safety.types import ALL_MOTIONS, LOWERING, NEED_PERMISSION, Act, Clear, Motion

# Hand-written: the only rows that may take lowering away (design rule 4), each with its reason.
MAY_STOP_LOWERING = {
    "estop": "H19: power is dropped, the red strap remains",
    "estop_discrepancy": "H20: power is dropped",
    "lag_stop": "H33: momentary, a fresh press lowers",
    "evidence_lost": "H2: momentary, a fresh press lowers",
    "lower_limit": "H8: the strap ends here and nobody hangs in it",
    "slack": "H8: the bar rests on something",
    "blind": "no diverse signal is good",
    "press_long": "H21: momentary, a fresh press lowers",
    "cleaning": "H3: only while nobody hangs or stands",
    "pinch": "H9: contact, momentary",
    "sit_obstructed": "H9: contact, momentary",
    "load_gone": "H6: the strap has failed, by load and strap contact",
    "hoist_runaway": "H1",
    "hoist_overspeed": "H7",
    "hoist_wrong_way": "H1",
    "hoist_no_effect": "H6: momentary, a fresh press tries again",
    "hoist_fault": "H23: the drive cannot move",
    "hoist_unverified": "rule 3: no device deadman, no motion",
    "hoist_lost": "H23: no feedback at all",
    "stand_runaway": "H1",
    "stand_overspeed": "H7",
    "stand_wrong_way": "H1",
    "stand_no_effect": "H6",
    "stand_fault": "H23",
    "stand_unverified": "rule 3",
    "stand_lost": "H23",
}
CASES = [(kind, row) for kind, rows in FOR_KIND.items() for row in rows]
IDS = [f"{kind}-{row.id}" for kind, row in CASES]


def acts(
    kind: str, truth: bool | None, row: Row, latched: frozenset[str] = frozenset()
) -> dict[Motion, Act]:
    facts = {other.id: False for other in FOR_KIND[kind]} | {row.id: truth}
    verdicts = ladder(kind, active_rows(kind, facts, latched), ALL_MOTIONS)
    return {item.motion: item.act for item in verdicts}


def lowering(kind: str) -> Motion:
    return next(motion for motion in MOTIONS_OF[kind] if motion & LOWERING)


@pytest.mark.parametrize(("kind", "row"), CASES, ids=IDS)
def test_row_trips_when_true(kind: str, row: Row) -> None:
    found = acts(kind, True, row)
    for motion in MOTIONS_OF[kind]:
        expected = max((r.act for r in row.when_true if motion & r.motions), default=Act.NONE)
        assert found[motion] == expected


@pytest.mark.parametrize(("kind", "row"), CASES, ids=IDS)
def test_false_row_does_nothing(kind: str, row: Row) -> None:
    assert set(acts(kind, False, row).values()) == {Act.NONE}


@pytest.mark.parametrize(("kind", "row"), CASES, ids=IDS)
def test_unevaluated_row_counts_as_unknown(kind: str, row: Row) -> None:
    facts = {other.id: False for other in FOR_KIND[kind] if other.id != row.id}
    missing = active_rows(kind, facts, ())
    assert [item.name for item in missing] == ([f"{row.id}?"] if row.when_unknown else [])


@pytest.mark.parametrize(("kind", "row"), CASES, ids=IDS)
def test_lowering_survives(kind: str, row: Row) -> None:
    for truth in (True, None):
        allowed = acts(kind, truth, row)[lowering(kind)] <= Act.SLOW
        assert allowed or row.id in MAY_STOP_LOWERING


@pytest.mark.parametrize(("kind", "row"), CASES, ids=IDS)
def test_latch_survives_and_only_its_own_event_clears_it(kind: str, row: Row) -> None:
    tripped = latch(kind, {row.id: True}, frozenset(), reset=False, released=set())
    assert tripped == (frozenset() if row.clear is Clear.AUTO else {row.id})
    if not tripped:
        return
    gone, by_reset, by_service = (
        {row.id: False},
        row.clear is Clear.RESET,
        row.clear is Clear.SERVICE,
    )
    assert latch(kind, gone, tripped, reset=False, released=set()) == tripped
    assert (latch(kind, gone, tripped, reset=True, released=set()) == frozenset()) == by_reset
    assert (latch(kind, gone, tripped, reset=False, released={row.id}) == frozenset()) == by_service
    for still in ({row.id: True}, {row.id: None}, {}):
        assert latch(kind, still, tripped, reset=True, released={row.id}) == tripped
    assert acts(kind, False, row, tripped) == acts(kind, True, row)


@pytest.mark.parametrize(("kind", "row"), CASES, ids=IDS)
def test_unknown_never_sets_a_latch(kind: str, row: Row) -> None:
    assert not latch(kind, {row.id: None}, frozenset(), reset=False, released=set())


@pytest.mark.parametrize("name", [row.id for row in ROWS.values() if row.clear is Clear.AUTO])
def test_row_without_a_latch_can_be_told_apart(name: str) -> None:
    assert ROWS[name].hazard[0] == "H"
    assert 1 <= int(ROWS[name].hazard[1:]) <= 37


def test_every_row_forbids_or_warns() -> None:
    for row in ROWS.values():
        assert row.when_true, row.id


def test_rising_motions_stop_on_every_unknown_contact() -> None:
    """Rule 5: what is not known stops UP and STAND; the listed rows have another row for it."""
    covered = {
        "estop_discrepancy", "lower_limit_disputed", "slack_disputed", "overload_warn", "overload",
        "knee_discrepancy", "belt_discrepancy", "key_held", "lag_warn",
        "tension_pause", "loops_unconfirmed", "stood", "drive_fault", "drive_unverified",
        "drive_moving", "one_carer",
        "recorder_lost", "battery_reserve",
        # without a lease nothing but lowering is permitted
        "cleaning", "paused",
        # an unknown load, current or contact has a row of its own
        "relay_welded", "quarantine", "hand_fault", "charger_up", "load_drift", "load_frozen",
        "load_disputed", "load_step", "load_gone", "load_rise", "load_vanished", "sit_obstructed",
        "current_stuck", "drive_waits", "stand_vanished",
        # a position without which `feedback` stops UP, or that only travel needs
        "fence_left", "fence_right", "person_low", "rail_gate_discrepancy",
    }  # fmt: skip
    for kind, row in CASES:
        if row.id in covered or row.id.rpartition("_")[2] in (
            "runaway", "overspeed", "way", "effect", "disputed",
        ):  # fmt: skip
            continue
        found = acts(kind, None, row)
        raising = next(m for m in MOTIONS_OF[kind] if m in Motion.UP | Motion.STAND)
        expected = Act.NONE if row.id.startswith("traverse_") else Act.HOLD
        assert found[raising] >= expected, row.id


def test_not_permitted_needs_a_lease_for_everything_but_lowering() -> None:
    for kind, motions in MOTIONS_OF.items():
        for item in ladder(kind, (), Motion.NONE):
            held = item.act is Act.HOLD and item.rows == (NOT_PERMITTED,)
            assert held == bool(item.motion & NEED_PERMISSION)
        assert all(item.act is Act.NONE for item in ladder(kind, (), ALL_MOTIONS)), motions


def test_every_number_has_bounds_that_hold_its_default() -> None:
    for name in Params.__dataclass_fields__:
        bound, value = bound_of(name), getattr(Params(), name)
        assert bound.minimum <= value <= bound.maximum
        assert bound.safer in ("low", "high")
        assert bound.why


def test_a_number_that_does_not_exist_has_no_bounds() -> None:
    with pytest.raises(KeyError, match="hoist_warp"):
        bound_of("hoist_warp")
