"""Risk to today's transfers: how many of those a lift usually does today may not happen.

Role: one table of reasons, and the SQL made from it. Process: console. Must never: rank people, or
hide a reason behind a number.

What a reason looks at is a column of `controller`; those read out of what a device told (its mode,
its trends against commissioning) are computed when it tells, see migrations/versions/v0003.

risk = usual transfers a day (of the days with any in the last four weeks)
       x (1 - product over reasons of (1 - share))

A share says how many of today's transfers this reason alone would stop, for the worst of its steps
that holds. The shares are judgements of the project, not measurements; they stand here so that they
can be argued about.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """`sql`: true when it holds; `share` of today's transfers it may stop, 0 to 1."""

    code: str
    share: float
    sql: str


LEFT = "(c.service_cycles - c.cycles)::float8 / nullif(c.service_cycles, 0)"
USUAL = "coalesce(c.transfers_28d::float8 / nullif(c.active_days_28d, 0), 0)"

# steps of one matter stand worst first; of those only the first that holds counts
REASONS: tuple[tuple[Reason, ...], ...] = (
    (
        Reason("latched", 1.0, "c.latched"),
        Reason("lowering_only", 1.0, "c.lowering_only"),
        Reason("faulted", 0.9, "c.faulted"),
    ),
    (
        Reason("never_heard", 0.3, "c.durable_at IS NULL"),
        Reason("silent_day", 0.3, "c.durable_at < :now - interval '24 hours'"),
        Reason("silent_hours", 0.1, "c.durable_at < :now - interval '2 hours'"),
    ),
    (
        Reason("battery_reserve", 0.6, "c.battery_pct < 20"),
        Reason("battery_low", 0.3, "c.battery_pct < 30"),
    ),
    (
        Reason("brake_drift", 0.5, "c.brake_drift_mm > 10"),
        Reason("brake_drift_some", 0.2, "c.brake_drift_mm > 5"),
    ),
    (
        Reason("motor_current", 0.4, "c.motor_current_ratio > 1.25"),
        Reason("motor_current_some", 0.15, "c.motor_current_ratio > 1.1"),
    ),
    (
        Reason("inspection_overdue", 0.5, "c.inspection_by < :today"),
        Reason("inspection_soon", 0.05, "c.inspection_by < :today + 14"),
    ),
    (
        Reason("service_overdue", 0.2, f"(c.service_by < :today OR {LEFT} < 0)"),
        Reason("service_soon", 0.05, f"(c.service_by < :today + 30 OR {LEFT} < 0.1)"),
    ),
    (Reason("trips", 0.3, f"c.trips_7d >= greatest(3, 0.3 * 7 * {USUAL})"),),
    (
        Reason("comms", 0.3, "c.comms_errors > 100"),
        Reason("comms_some", 0.1, "c.comms_errors > 20"),
    ),
    (Reason("conflict", 0.05, "c.quarantined_at IS NOT NULL"),),
    (Reason("clock", 0.02, "abs(c.clock_off_s) > 120"),),
    (Reason("set_aside", 0.01, "c.set_aside > 0"),),
)


def _case(steps: tuple[Reason, ...], then: dict[str, str], otherwise: str) -> str:
    whens = " ".join(f"WHEN {item.sql} THEN {then[item.code]}" for item in steps)
    return f"CASE {whens} ELSE {otherwise} END"


def codes_sql() -> str:
    """An array of the codes that hold."""
    cases = [_case(steps, {s.code: f"'{s.code}'" for s in steps}, "NULL") for steps in REASONS]
    return f"array_remove(ARRAY[{', '.join(cases)}], NULL)"


def share_sql() -> str:
    """The share of today's transfers at risk; in float8: twelve products of numerics take longer
    than everything else.
    """
    left = {item.code: f"{1 - item.share:g}::float8" for steps in REASONS for item in steps}
    return f"(1 - {' * '.join(_case(steps, left, '1::float8') for steps in REASONS)})"


def legend() -> list[dict[str, object]]:
    """Every reason with its share, for the page that explains."""
    return [{"code": item.code, "share": item.share} for steps in REASONS for item in steps]
