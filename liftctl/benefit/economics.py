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
Span = dict[str, Any]


def _scaled(span: Span, by: float) -> Span:
    ci95 = span["ci95"]
    return {"mean": span["mean"] * by, "ci95": None if ci95 is None else [x * by for x in ci95]}


def economics(hours_total: Span, days: float, inputs: Inputs) -> dict[str, Any] | None:
    """Everything per year; None without a saving, its days or a wage."""
    wage = inputs.get("money.wage_per_hour")
    if wage is None or hours_total["mean"] is None or days <= 0:
        return None
    released = _scaled(hours_total, DAYS / days)
    shares = {name: inputs.get(f"use.{name}_share") for name in ("reused", "cashed")}
    parts = {
        name: None if share is None else _scaled(released, share) for name, share in shares.items()
    }
    once = sum(inputs.get(f"money.{name}") or 0.0 for name in ONCE)
    yearly = sum(inputs.get(f"money.{name}") or 0.0 for name in YEARLY)
    return {
        "currency": inputs.texts.get("currency", "DKK"),
        "released_hours_per_year": released,
        "reused_hours_per_year": parts["reused"],
        "cashed_hours_per_year": parts["cashed"],
        "once": once,
        "yearly": yearly,
        "missing": [name for name in (*ONCE, *YEARLY) if inputs.get(f"money.{name}") is None],
        "payback_years_cashed": _payback(parts["cashed"], wage, once, yearly),
        "payback_years_released": _payback(released, wage, once, yearly),
    }


def _payback(hours: Span | None, wage: float, once: float, yearly: float) -> Span | None:
    """Years until the purchase is back; None inside where the yearly gain is not above 0."""
    if hours is None or once <= 0:
        return None
    ci95 = hours["ci95"]

    def years(per_year: float) -> float | None:
        gain = per_year * wage - yearly
        return once / gain if gain > 0 else None

    span = None if ci95 is None else [years(ci95[1]), years(ci95[0])]
    return {"mean": years(hours["mean"]), "ci95": span}
