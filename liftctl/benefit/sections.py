"""The sections behind the first page.

Role: numbers -> tables, drawings and remarks. Process: library (`evidence` extra). Must never:
order units by their result, or leave out a section because it looks bad.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from liftctl.benefit import plots
from liftctl.benefit.blocks import Block, Cell, Figure, Grid, Heading, Num, Para, Range
from liftctl.benefit.economics import FEWEST_DAYS
from liftctl.benefit.table import UNITS
from liftctl.benefit.units import OTHER
from liftctl.benefit.words import Words

NO_SPAN = {"mean": None, "ci95": None}
Found = dict[str, Any]


def rest(found: Found, words: Words) -> Iterator[Block]:
    """Every section, in order."""
    yield from _flow(found, words)
    yield from _saving(found, words)
    yield from _factors(found, words)
    yield from _units(found, words)
    yield from _time(found, words)
    yield from _sensitivity(found, words)
    yield from _checks(found, words)
    yield from _money(found, words)
    yield from _safety(found, words)
    yield from _method(found, words)


def _flow(found: Found, words: Words) -> Iterator[Block]:
    yield Heading(words("sec.flow"))
    number = words.number
    told = [f"{words(f'reason.{name}')} {words.number(n)}" for name, n in found["excluded"].items()]
    title = words("plot.flow")
    text = words("plot.flow_desc", logged=number(found["n_logged"]),
                 analysed=number(found["n_analysed"]), left_out=", ".join(told) or "0")  # fmt: skip
    yield Figure("flow", title, text, plots.flow(found, words, title, text))


def _saving(found: Found, words: Words) -> Iterator[Block]:
    yield Heading(words("sec.saving"))
    head = ("kind", "saved", "hours", "n", "residents", "ata", "baseline", "now")
    rows = [
        _kind(words.kind(kind), item, item["baseline"]["staff_s"], words)
        for kind, item in found["kinds"].items()
    ]
    rows.append(_total(found, words))
    if found["two_carer_by_assessment"]["n"]:
        rows.append(_kind(words("by_two"), found["two_carer_by_assessment"], None, words))
    yield Grid(words("sec.saving"), tuple(words(f"col.{name}") for name in head), tuple(rows))
    if found["interval"]["df"]:
        yield Para(words("interval", df=words.number(found["interval"]["df"], 1),
                         icc=words.number(found["interval"]["icc"], 2)))  # fmt: skip
    if found["wild_ci95"]:
        limits = words.limits({"ci95": found["wild_ci95"]}, 0)
        yield Para(words("wild", limits=limits))
    if found["ratio"]:
        ratio = found["ratio"]
        text = words("ratio", ratio=words.number(ratio["geometric"], 2),
                     limits=words.limits(ratio, 2),
                     seconds=words.number(ratio["smeared_saved_s"]))  # fmt: skip
        yield Para(f"{text} {words('uncorrected')}" if found["audits"] else text)


def _kind(name: str, item: Found, baseline_s: float | None, words: Words) -> tuple[Cell, ...]:
    if item["hidden"]:
        return (name, words("hidden"), *([""] * 4), Num(baseline_s), "")
    return (
        name,
        Range(item["saved_s_per_transfer"]),
        Range(item["saved_hours_total"]),
        Num(item["n"]),
        Num(item["n_residents"]),
        Num(item["seconds_per_transfer"]),
        Num(baseline_s),
        Num(item["staff_s_per_transfer"]),
    )


def _total(found: Found, words: Words) -> tuple[Cell, ...]:
    pair = plots.means(found) or (None, None)
    return (words("all"), Range(found["saved_s_per_transfer"]), Range(found["saved_hours_total"]),
            Num(found["n_analysed"]), Num(found["n_residents"]),
            Num(found["seconds_per_transfer"]), Num(pair[0]), Num(pair[1]))  # fmt: skip


def _factors(found: Found, words: Words) -> Iterator[Block]:
    parts = found["decomposition"]
    if not parts:
        return
    yield Heading(words("sec.factors"))
    total = parts["staff_s_per_resident_day"]
    names = ("carers_per_transfer", "seconds_per_transfer", "transfers_per_resident")
    minutes = {name: words.number(-(parts[name]["saved_s"] or 0.0) / 60, 1) for name in names}
    title = words("plot.factors")
    text = words("plot.factors_desc", before=words.number(total["baseline"] / 60, 1),
                 now=words.number(total["now"] / 60, 1), carers=minutes[names[0]],
                 time=minutes[names[1]], rate=minutes[names[2]])  # fmt: skip
    yield Figure("factors", title, text, plots.factors(found, words, title, text))
    digits = {"carers_per_transfer": 2, "seconds_per_transfer": 0, "transfers_per_resident": 2}
    rows = [
        (words(f"factor.{name}"), Num(parts[name]["baseline"], digits[name]),
         Num(parts[name]["now"], digits[name]), Num(parts[name]["saved_s"], 0))
        for name in names
    ]  # fmt: skip
    rows.append(
        (words("factor.sum"), Num(total["baseline"]), Num(total["now"]), Num(total["saved_s"]))
    )
    head = ("factor", "before", "today", "effect")
    yield Grid(words("sec.factors"), tuple(words(f"col.{name}") for name in head), tuple(rows))
    yield Para(words("factors.note"), soft=True)
    if parts["transfers_per_resident"]["baseline"] is None:
        yield Para(words("factors.unknown"), soft=True)


def _units(found: Found, words: Words) -> Iterator[Block]:
    shown = [unit for unit in UNITS if found["units"][unit]]
    if not shown:
        return
    yield Heading(words("sec.units"))
    head = ("unit", "saved", "hours", "n", "residents", "now")
    for unit in shown:
        rows = [_unit(item, words) for item in found["units"][unit]]
        caption = words(f"unit.{unit}")
        yield Grid(caption, tuple(words(f"col.{name}") for name in head), tuple(rows), True)
    if any(item["name"] == OTHER for unit in shown for item in found["units"][unit]):
        yield Para(words("units.hidden"), soft=True)


def _unit(item: Found, words: Words) -> tuple[Cell, ...]:
    name = words("other_units") if item["name"] == OTHER else item["name"] or "–"
    if item["hidden"]:
        return (name, words("hidden"), "", "", "", "")
    return (name, Range(item["saved_s_per_transfer"]), Range(item["saved_hours_total"]),
            Num(item["n"]), Num(item["n_residents"]),
            Num(item["staff_s_per_transfer"]))  # fmt: skip


def _time(found: Found, words: Words) -> Iterator[Block]:
    yield Heading(words("sec.time"))
    marks = found["follow_up"]
    if marks:
        rows = tuple(
            (words(f"mark.{name}"), Num(item["n"]), Range(item["saved_s_per_transfer"]),
             Range(item["saved_hours_per_week"], 1), Num(item["planned_hours_per_week"], 1))
            for name, item in marks.items()
        )  # fmt: skip
        head = ("what", "n", "saved", "perweek", "plan")
        yield Grid(words("sec.time"), tuple(words(f"col.{name}") for name in head), rows)
    else:
        yield Para(words("time.not_yet"))
    series = found.get("interrupted_time_series")
    if series:
        yield Para(words("time.its", weeks=series["weeks"], lags=series["lags"],
                         level=words.span(series["level_change_s"]),
                         slope=words.span(series["slope_change_s_per_week"], 1)))  # fmt: skip


def _sensitivity(found: Found, words: Words) -> Iterator[Block]:
    if found["saved_s_per_transfer"]["mean"] is None:
        return
    yield Heading(words("sec.sensitivity"))
    entries = [(words("all"), found["saved_s_per_transfer"])]
    entries += [
        (choice(item["name"], words), item["saved_s_per_transfer"]) for item in found["sensitivity"]
    ]
    entries = [entry for entry in entries if entry[1]["mean"] is not None]
    told = "; ".join(f"{name} {_in_minutes(span, words)}" for name, span in entries)
    title, text = words("plot.forest"), words("plot.forest_desc", items=told)
    yield Figure("forest", title, text, plots.forest(entries, words, title, text))
    rows = [(choice(item["name"], words), Num(item["n"]), Range(item["saved_s_per_transfer"]))
            for item in found["sensitivity"]]  # fmt: skip
    head = ("choice", "n", "saved")
    yield Grid(words("sec.sensitivity"), tuple(words(f"col.{name}") for name in head), tuple(rows))


def choice(name: str, words: Words) -> str:
    """The words of a sensitivity."""
    if name.startswith("icc_"):
        return words("sens.icc", icc=words.number(float(name[4:]), 1))
    return words(f"sens.{name}")


def _in_minutes(span: Found, words: Words) -> str:
    ci95 = span["ci95"] and [limit / 60 for limit in span["ci95"]]
    return words.span({"mean": span["mean"] / 60, "ci95": ci95}, 1)


def _checks(found: Found, words: Words) -> Iterator[Block]:
    yield Heading(words("sec.checks"))
    yield Heading(words("audits"), 3)
    for item in found["audits"] or ():
        share = item["wrong_share"]
        low, high = (words.percent(limit, 1) for limit in share["ci95"])
        limits = f"{low} {words('to')} {high}"
        yield Para(words("audit.line", carers=item["carers_logged"], wrong=item["n_wrong"],
                         n=words.number(item["n_audited"]), share=words.percent(share["mean"], 1),
                         limits=limits, factor=words.number(item["factor"], 3)))  # fmt: skip
    if not found["audits"]:
        yield Para(words("audit.none"))
    yield Heading(words("unlogged"), 3)
    for name, item in (found["unlogged"] or {}).items():
        seconds = words.number(item["saved_s_if_unlogged_saved_nothing"])
        yield Para(words(f"unlogged.{name}", expected=words.number(item["expected"]),
                         share=words.percent(item["unlogged_share"], 1),
                         seconds=seconds))  # fmt: skip
    if not found["unlogged"]:
        yield Para(words("unlogged.none"))


def _money(found: Found, words: Words) -> Iterator[Block]:
    yield Heading(words("sec.money"))
    money = found["economics"]
    if money is None:
        wage = "money.wage_per_hour" in found["inputs"]
        yield Para(words("money.short" if wage else "money.none", days=found["context"]["days"],
                         fewest=FEWEST_DAYS))  # fmt: skip
        return
    if money["extrapolated_from_days"]:
        yield Para(words("money.extrapolated", days=money["extrapolated_from_days"]))
    if found["verdict"] != "saved":
        yield Para(words("money.not_shown"))
    currency = money["currency"]
    rows: list[tuple[Cell, ...]] = [
        (words("money.released"), Range(money["released_hours_per_year"])),
        (words("money.reused"), Range(money["reused_hours_per_year"] or NO_SPAN)),
        (words("money.cashed"), Range(money["cashed_hours_per_year"] or NO_SPAN)),
        (words("money.once", currency=currency), Num(money["once"])),
        (words("money.yearly", currency=currency), Num(money["yearly"])),
    ]
    for name in ("released", "cashed"):
        years = _payback(money[f"payback_years_{name}"], words)
        rows.append((words(f"money.payback_{name}"), years))
    yield Grid(words("sec.money"), (words("col.what"), words("col.value")), tuple(rows))
    if money["missing"]:
        yield Para(
            words(
                "money.missing",
                names=", ".join(words(f"input.money.{name}") for name in money["missing"]),
            ),
            soft=True,
        )
    told = tuple(
        (words(f"input.{name}"), Num(item["value"], _digits(item["value"])), item["source"])
        for name, item in found["inputs"].items()
    )
    head = (words("col.what"), words("col.value"), words("col.source"))
    yield Grid(words("inputs"), head, told, True)


def _digits(value: float) -> int:
    return 0 if value == int(value) else 2


def _payback(span: Found | None, words: Words) -> Cell:
    """Numbers where all three are, so that a workbook can go on with them."""
    whole = span and span["ci95"] and None not in (span["mean"], *span["ci95"])
    return Range(span, 1) if span and whole else words.payback(span)


def _safety(found: Found, words: Words) -> Iterator[Block]:
    yield Heading(words("sec.safety"))
    rows = tuple(
        (words(f"safety.{name}"), Num(found["safety"][name], 1))
        for name in ("adverse_events_per_1000", "interlock_trips_per_1000", "fallback2_per_1000",
                     "aborted_per_1000")
    )  # fmt: skip
    yield Grid(words("sec.safety"), (words("col.what"), words("col.value")), rows)


def _method(found: Found, words: Words) -> Iterator[Block]:
    base = found["baseline"]
    yield Heading(words("sec.baseline"))
    measured = words("measured" if base["measured"] else "not_measured")
    key = "baseline.line" if base["first_day"] else "baseline.published"
    yield Para(words(key, title=base["title"], source=base["source"], version=base["version"],
                     measured=measured, first=words.day(base["first_day"]),
                     last=words.day(base["last_day"]), n=words.number(base["n_transfers"]),
                     residents=words.number(base["n_residents"])))  # fmt: skip
    if base["n_not_here"]:
        yield Para(words("baseline.not_here", n=words.number(base["n_not_here"])))
    yield Heading(words("sec.method"))
    yield Para(words("method.text"))
    if found["context"]["remarks"]:
        yield Heading(words("method.remarks"), 3)
        for remark in found["context"]["remarks"]:
            yield Para(remark, soft=True)
