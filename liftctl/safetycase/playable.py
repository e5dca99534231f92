"""docs/safety/table.html: the table to play with, one file without a server.

Role: what was learnt from the kernel, and the rows' reactions and texts, put into the template.
Process: none of the service's. Must never: hold a fact or a reaction of its own; the page only
looks up and takes the highest rung.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from liftctl.controller.rows import priority_of
from liftctl.safetycase import hazards
from liftctl.safetycase.case import anchor
from liftctl.safetycase.learn import LATCHED, TRUE, UNKNOWN, Table, tables
from liftctl.safetycase.pages import CLEARS, KINDS, ROOT, RUNGS
from liftctl.safetycase.steady import rig
from liftctl.safetycase.switches import (
    CONTACTS,
    GROUPS,
    MOMENTS,
    SITUATIONS,
    Option,
    Switch,
    label_of,
)
from safety.evaluate import MOTIONS_OF
from safety.table import NOT_PERMITTED, ROWS, Reaction, Reactions
from safety.types import LOWERING, NEED_PERMISSION, Act, Motion

TEMPLATE = Path(__file__).parent / "table.html"
MARK = "/*CASE*/null"
RAISED = "hangs 20 cm up, loops confirmed"
# Something to begin with: kind -> (what, switch -> option).
EXAMPLES: dict[str, tuple[tuple[str, dict[str, str]], ...]] = {
    "lift": (
        ("Emergency stop", {"situation": RAISED, "estop_a_closed": "no", "estop_b_closed": "no"}),
        ("The bar rests on the bed", {"strap_tight": "no"}),
        ("A stuck slack switch, somebody hangs", {"situation": RAISED, "strap_tight": "no"}),
        ("No sensor left", {"strap_tight": "unknown", "load_kg": "unknown"}),
        ("Controller and guard are dead", {"controller": "silent", "guard": "silent"}),
        ("It moves by itself", {"hoist_speed_mm_s": "50 mm/s"}),
        ("The strap fails",
         {"situation": "hung there, the load is gone", "strap_tight": "no"}),
        ("A loop slips off", {"situation": "hung there, a loop slips off"}),
    ),
    "chair": (
        ("Emergency stop", {"estop_a_closed": "no", "estop_b_closed": "no"}),
        ("The belt opens", {"situation": "stands", "chest_belt_a_closed": "no"}),
        ("Feet leave the plate", {"situation": "stands", "feet_load_kg": "2 kg"}),
        ("Brakes unknown", {"brakes_applied": "unknown"}),
        ("Controller and guard are dead", {"controller": "silent", "guard": "silent"}),
        ("It moves by itself", {"stand_speed_mm_s": "15 mm/s"}),
    ),
}  # fmt: skip


def words() -> dict[str, str]:
    """The English texts of the panel."""
    path = ROOT / "config" / "languages" / "en.json"
    found: dict[str, str] = json.loads(path.read_text("utf-8"))
    return found


def direct(kind: str) -> tuple[str, ...]:
    """Rows that no switch makes true (they need a motion): the page lets one set them by hand."""
    return tuple(
        table.row for table in tables(kind)
        if not {TRUE, LATCHED} & set(table.says) and not table.after
    )  # fmt: skip


def _by_hand(row: str) -> Switch:
    unknown = (Option("unknown"),) if ROWS[row].when_unknown else ()
    return Switch(f"row:{row}", label_of(row), MOMENTS, (Option("no"), Option("yes"), *unknown))


@cache
def switches(kind: str) -> tuple[tuple[int, Switch], ...]:
    """What the page shows: switches that make a difference (with their number in the rig), and the
    rows set by hand (numbered behind them).
    """
    used = {number for table in tables(kind) for number, _ in table.parts}
    found = tuple((n, item) for n, item in enumerate(rig(kind).switches) if n in used)
    hands = map(_by_hand, direct(kind))
    return (*found, *enumerate(hands, start=len(rig(kind).switches)))


def _reactions(reactions: Reactions, kind: str) -> list[list[Any]]:
    """[rung, numbers of the motions] for each reaction that concerns this kind."""
    made = (
        [int(item.act), [n for n, m in enumerate(MOTIONS_OF[kind]) if m & item.motions]]
        for item in reactions
    )
    return [item for item in made if item[1]]


def _parts(table: Table, kind: str) -> tuple[list[list[Any]], str]:
    """Switches by their place on the page, and what the row says for their settings."""
    places = {number: place for place, (number, _) in enumerate(switches(kind))}
    parts = [[places[number], list(of)] for number, of in table.parts]
    if table.row not in direct(kind):
        return parts, table.says
    hand = next(p for p, (_, item) in enumerate(switches(kind)) if item.id == f"row:{table.row}")
    many = len(table.says)
    return [[hand, [0, 1, 2]], *parts], table.says + TRUE * many + UNKNOWN * many


def _row(table: Table, kind: str, said: dict[str, str]) -> dict[str, Any]:
    parts, says = _parts(table, kind)
    found: dict[str, Any] = {"id": table.row, "parts": parts, "says": says}
    if table.after:
        found["after"] = list(table.after)
    if table.row == NOT_PERMITTED:
        mine = _reactions((Reaction(Act.HOLD, NEED_PERMISSION),), kind)
        return found | {"yes": mine, "unk": [], "text": [said[f"row.{NOT_PERMITTED}"], ""]}
    row = ROWS[table.row]
    return found | {
        "yes": _reactions(row.when_true, kind),
        "unk": _reactions(row.when_unknown, kind),
        "hazard": row.hazard,
        "anchor": anchor(hazards.load().hazards[row.hazard]),
        "priority": priority_of(row.id),
        "clear": row.clear.value,
        "text": [said[f"row.{row.id}"], said[f"row.{row.id}?"]],
    }


def _motion(motion: Motion, said: dict[str, str]) -> dict[str, Any]:
    name = str(motion.name)
    return {"id": name, "word": said[f"motion.{name}"], "lowers": bool(motion & LOWERING)}


def _examples(kind: str) -> Iterable[dict[str, Any]]:
    shown = {item.id: (place, item) for place, (_, item) in enumerate(switches(kind))}
    for name, wanted in EXAMPLES[kind]:
        flips = []
        for switch, label in wanted.items():
            place, item = shown[switch]
            flips.append([place, [option.label for option in item.options].index(label)])
        yield {"name": name, "flips": flips}


def _kind(kind: str, said: dict[str, str]) -> dict[str, Any]:
    return {
        "title": KINDS[kind],
        "motions": [_motion(motion, said) for motion in MOTIONS_OF[kind]],
        "switches": [
            {
                "id": s.id,
                "label": s.label,
                "group": s.group,
                "options": [o.label for o in s.options],
            }
            for _, s in switches(kind)
        ],
        "rows": [_row(table, kind, said) for table in tables(kind)],
        "examples": list(_examples(kind)),
    }


FOOT = (
    "Generated by make docs from the rows of safety/table.py. What a row makes of the signals was "
    "learnt by asking the kernel itself, in a healthy world where all optional devices are fitted, "
    "for each switch alone, for each pair, and for all settings of what decides the row.",
    "All flips happen at once, from the healthy situation, and the world settles for some seconds. "
    "Joint from 2.0 to 2.3 m, rail from 0 to 4 m, a maker that forbids raising on charge.",
    "This is not a medical device, and the page is no proof by itself: tests compare it with the "
    "kernel for all single and paired switches.",
)


def case() -> dict[str, Any]:
    """Everything the page knows."""
    said = words()
    return {
        "rungs": ["free"] + [RUNGS[act] for act in Act if act],
        "clears": {clear.value: text for clear, text in CLEARS.items()},
        "priorities": {p: said[f"priority.{p}"] for p in ("high", "medium", "low")},
        "kinds": {kind: _kind(kind, said) for kind in KINDS},
        "groups": GROUPS,
        "open": (SITUATIONS, CONTACTS),
        "foot": FOOT,
    }


def table_page() -> str:
    """table.html: the template with the case in it."""
    told = json.dumps(case(), ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return TEMPLATE.read_text("utf-8").replace(MARK, told)
