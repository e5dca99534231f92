"""What a pack covers is read off its timelines; the interlock table itself is the denominator."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.coverage import faults, matrix, pack, trace
from hil.coverage.matrix import Cell, Mode, Phase, cells
from hil.timeline import Timeline, Verdict
from safety.table import FOR_KIND
from tests.hil.pack import HAZARD, MS, ROW, lift_stopped_by, result, told


def test_every_row_that_acts_on_a_motion_has_its_cells_and_no_other() -> None:
    for kind, rows in FOR_KIND.items():
        named = {cell.interlock.rstrip("?") for cell in cells(kind)}
        assert named <= {row.id for row in rows}
    assert {c.motion for c in cells("lift") if c.interlock == ROW} == {"UP"}
    assert len({(c.mode, c.phase) for c in cells("lift") if c.interlock == ROW}) == 12
    shown_only = {"lag_" + "warn"}
    assert not shown_only & {cell.interlock for cell in cells("lift")}


def test_a_row_whose_signals_are_not_fitted_is_not_asked_for() -> None:
    fitted = pack.fitted()
    everything, here = cells("lift"), cells("lift", fitted["lift"])
    assert here < everything
    assert fitted.keys() == {"lift", "chair"}


def test_a_stop_in_mid_motion_its_release_and_the_next_start_are_three_cells() -> None:
    found = matrix.met(lift_stopped_by().events)
    phases = (Phase.DURING, Phase.RELEASE, Phase.REARM)
    assert found == {Cell(ROW, "UP", Mode.CARRYING, phase) for phase in phases}


def test_a_press_against_a_standing_row_is_before_start() -> None:
    line = Timeline()
    line.add(0, "gate", "change", **told(UP=[ROW]))
    line.add(MS, "human", "press", station="hand", motion="UP")
    line.add(2 * MS, "human", "release", station="hand")
    phases = (Phase.BEFORE, Phase.RELEASE)
    assert matrix.met(line.events) == {Cell(ROW, "UP", Mode.EMPTY, phase) for phase in phases}


def test_a_row_that_trips_another_motion_covers_nothing() -> None:
    line = Timeline()
    line.add(0, "gate", "change", **told("LEFT"))
    line.add(MS, "gate", "change", **told("LEFT", UP=[ROW]))
    assert not matrix.met(line.events)


def test_a_faulted_gate_is_a_mode_of_its_own() -> None:
    line = Timeline()
    line.add(0, "gate", "change", **told("DOWN"))
    line.add(MS, "gate", "change", **told("", "faulted", DOWN=["estop"]))
    assert {cell.mode for cell in matrix.met(line.events)} == {Mode.FAULTED}


def test_words_that_are_no_rows_are_not_counted() -> None:
    found = matrix.measure(
        [("a", matrix.met(lift_stopped_by("not_" + "permitted").events))], pack.fitted()
    )
    assert not found.hit
    assert found.figures()["interlock"]["met"] == 0


def test_the_figures_name_what_was_met_and_who_met_it() -> None:
    lines = {"a": lift_stopped_by(), "b": lift_stopped_by(hooked=False)}
    runs = [(name, matrix.met(line.events)) for name, line in lines.items()]
    found = matrix.measure(runs, pack.fitted())
    assert found.figures()["interlock"]["met"] == 1
    assert found.figures()["interlock x motion x phase"]["met"] == 3
    assert found.figures()["interlock x motion x mode x phase"]["met"] == 6
    assert found.hit[Cell(ROW, "UP", Mode.CARRYING, Phase.DURING)] == ("a",)


LANES = st.sampled_from(["gate", "human", "plant"])


@given(st.lists(st.tuples(LANES, st.sampled_from(["UP", "DOWN", ""]), st.booleans()), max_size=20))
def test_whatever_the_order_only_cells_of_reported_rows_are_met(
    steps: list[tuple[str, str, bool]],
) -> None:
    line = Timeline()
    for n, (lane, motion, flag) in enumerate(steps):
        if lane == "gate":
            line.add(n, "gate", "change", **told(motion, UP=[ROW] if flag else []))
        elif lane == "human":
            line.add(n, "human", "press" if flag else "release", station="hand", motion=motion)
        else:
            line.add(n, "plant", "sample", hooked=flag, load_kg=70.0)
    assert {(cell.interlock, cell.motion) for cell in matrix.met(line.events)} <= {(ROW, "UP")}


def test_only_a_proved_fault_counts() -> None:
    asked = Timeline()
    asked.add(0, "fault", "requested", id="L3.loss")
    runs = [pack.seen("a", lift_stopped_by().events), pack.seen("b", asked.events)]
    told = ((run.name, run.proved, run.requested) for run in runs)
    found = faults.measure(told, ["L7.jam", "L3.loss"])
    assert found.proved == {"L7.jam"}
    assert found.requested == {"L7.jam", "L3.loss"}
    assert list(found.met) == [("L7.jam", "carrying", "UP")]
    met, of = found.pairs()
    assert met == 3
    assert of == 2 * 3 + 2 * 8 + 3 * 8


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([Verdict.PASS, Verdict.FAIL], Verdict.FAIL),
        ([Verdict.PASS, Verdict.INCONCLUSIVE], Verdict.INCONCLUSIVE),
        ([Verdict.NOT_APPLICABLE], None),
        ([], None),
    ],
)
def test_a_hazard_shows_the_worst_verdict_of_its_runs(
    verdicts: list[Verdict], expected: Verdict | None
) -> None:
    runs = [result(Timeline(), f"S-{n}", v) for n, v in enumerate(verdicts)]
    (line,) = trace.hazards(runs, {HAZARD: "slack"})
    assert line.worst == expected


def test_a_hazard_nobody_listed_is_told_and_not_lost() -> None:
    lines = trace.hazards([result(Timeline(), hazards=("X1",))], {HAZARD: "slack"})
    assert [(line.name, line.text) for line in lines][1] == ("X1", "not in the hazard list")
