"""Released, reused and cashed time, and when the money is back.

Role: arithmetic on the saving and the inputs. Process: library, plain Python. Must never: call
released time money, or pay back with time that did not leave the budget without saying so.
"""

from __future__ import annotations

from typing import Any

from liftctl.benefit.inputs import Inputs

ONCE = ("purchase", "training")
YEARLY = ("licence_per_year", "repair_per_year", "training_per_year")
DAYS = 365.25
WHOLE_YEAR = (365, 366)
FEWEST_DAYS = 28  # four weeks: every weekday as often as the others, and more than one of each
Span = dict[str, Any]


def _scaled(span: Span, by: float) -> Span:
    ci95 = span["ci95"]
    return {"mean": span["mean"] * by, "ci95": None if ci95 is None else [x * by for x in ci95]}


def economics(
    hours_total: Span, days: int, inputs: Inputs, demonstrated: bool
) -> dict[str, Any] | None:
    """Everything per year; None without figure, wage or four weeks of days.

    `demonstrated`: the interval of the saving is above zero; else nothing is paid back.
    """
    wage = inputs.get("money.wage_per_hour")
    if wage is None or hours_total["mean"] is None or days < FEWEST_DAYS:
        return None
    whole = WHOLE_YEAR[0] <= days <= WHOLE_YEAR[1]
    released = _scaled(hours_total, 1.0 if whole else DAYS / days)
    shares = {name: inputs.get(f"use.{name}_share") for name in ("reused", "cashed")}
    parts = {
        name: None if share is None else _scaled(released, share) for name, share in shares.items()
    }
    once = sum(inputs.get(f"money.{name}") or 0.0 for name in ONCE)
    yearly = sum(inputs.get(f"money.{name}") or 0.0 for name in YEARLY)
    return {
        "extrapolated_from_days": days if days < WHOLE_YEAR[0] else None,
        "currency": inputs.texts.get("currency", "DKK"),
        "released_hours_per_year": released,
        "reused_hours_per_year": parts["reused"],
        "cashed_hours_per_year": parts["cashed"],
        "once": once,
        "yearly": yearly,
        "missing": [name for name in (*ONCE, *YEARLY) if inputs.get(f"money.{name}") is None],
        "payback_years_cashed": _payback(parts["cashed"], wage, once, yearly, demonstrated),
        "payback_years_released": _payback(released, wage, once, yearly, demonstrated),
    }


def _payback(
    hours: Span | None, wage: float, once: float, yearly: float, demonstrated: bool
) -> Span | None:
    """Years until the purchase is back; None inside where the yearly gain is not above 0."""
    if hours is None or once <= 0 or not demonstrated:
        return None
    ci95 = hours["ci95"]

    def years(per_year: float) -> float | None:
        gain = per_year * wage - yearly
        return once / gain if gain > 0 else None

    span = None if ci95 is None else [years(ci95[1]), years(ci95[0])]
    return {"mean": years(hours["mean"]), "ci95": span}
