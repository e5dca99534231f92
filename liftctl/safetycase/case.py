"""The safety case as pages: hazards, hardware, software of others, anomalies, lowering.

Role: texts from `safety/hazards.toml` and `soup.toml` beside what the table and the tests say.
Process: none of the service's. Must never: state a rule or a number of its own.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from liftctl.safetycase import evidence, hazards
from liftctl.safetycase.check import stops_lowering
from liftctl.safetycase.hazards import Hazard
from liftctl.safetycase.pages import CLEARS, KINDS, NOTE, ROOT, reactions, table
from safety.table import ROWS, Row
from safety.types import SignalId

SOUP = Path(__file__).parent / "soup.toml"
PIN = re.compile(r"^([\w.-]+)==([\w.]+)", re.MULTILINE)
HAZARD_COLUMNS = ("hazard", "what may happen", "owner", "rows", "scenarios", "not covered")
WAYS = {"emergency_lowering": "emergency lowering (no electronics)"}


@cache
def soup() -> dict[str, Any]:
    """What we run and did not write, as the file says it."""
    return tomllib.loads(SOUP.read_text("utf-8"))


def pins() -> dict[str, str]:
    """Name -> exact version, from the locked requirements."""
    return dict(PIN.findall((ROOT / "requirements" / "run.txt").read_text("utf-8")))


def anchor(hazard: Hazard) -> str:
    """The fragment of a hazard's heading on hazards.md."""
    heading = f"{hazard.id}. {hazard.hazard}".lower()
    return re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")


def _rows_of(hazard: Hazard) -> list[Row]:
    return [row for row in ROWS.values() if row.hazard == hazard.id]


def _kinds(row: Row) -> tuple[str, ...]:
    return tuple(kind for kind in KINDS if kind in row.kinds)


def _signals(node: Any) -> Iterator[str]:
    """Every value of a key `signal`, however deep."""
    below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    if isinstance(node, dict) and isinstance(node.get("signal"), str):
        yield node["signal"]
    for item in below:
        yield from _signals(item)


@cache
def sent() -> frozenset[str]:
    """The signals that a shipped device profile sends, or the gate itself."""
    files = (ROOT / "config" / "devices").glob("*.toml")
    found = {name for path in files for name in _signals(tomllib.loads(path.read_text("utf-8")))}
    return frozenset(found) | {SignalId.BUS_OK, SignalId.HAND_OK}


def asleep(row: Row) -> str:
    """The signals this row needs and no shipped device sends, or nothing."""
    return " ".join(f"`{name.value}`" for name in sorted(row.needs) if name not in sent())


def _row_line(row: Row) -> tuple[str, ...]:
    kinds = _kinds(row)
    return (
        f"`{row.id}`",
        ", ".join(kinds),
        reactions(row.when_true, *kinds),
        reactions(row.when_unknown, *kinds),
        CLEARS[row.clear],
        row.priority.value,
    )


def _tests(names: Iterable[str], found: evidence.Found) -> Iterator[str]:
    tests = sorted({test for name in names for test in found.get(name, ())})
    for where, group in groupby(tests, key=lambda test: test.partition("::")[0]):
        told = ", ".join(f"`{test.partition('::')[2]}`" for test in group)
        yield f"- `{where}`: {told}\n"


def _facts(hazard: Hazard) -> Iterator[tuple[str, str]]:
    yield "Cause", hazard.cause
    yield "Detection", hazard.detection
    yield "Reaction", hazard.reaction
    allowed = ", ".join(WAYS.get(item, item) for item in hazard.allowed)
    yield "Stays allowed", allowed or "nothing: call help"
    yield "Owner", hazard.owner
    yield "Only hardware owns", hazard.hardware
    yield "Also in software", hazard.also
    yield "Not covered", hazard.gaps or "nothing known"
    rows = ((row.id, asleep(row)) for row in _rows_of(hazard))
    yield "Asleep on the shipped devices", "; ".join(f"`{r}` needs {n}" for r, n in rows if n)
    yield "Differs from the usual reaction", hazard.differs
    yield "No row, because", hazard.exempt
    yield "Source", hazard.source


def _hazard(hazard: Hazard, found: evidence.Found, played: evidence.Found) -> str:
    rows = _rows_of(hazard)
    parts = [f"## {hazard.id}. {hazard.hazard}\n"]
    parts.append("".join(f"- **{name}:** {text}\n" for name, text in _facts(hazard) if text))
    if rows:
        head = ("row", "on", "when true", "when unknown", "clears", "alarm")
        parts.append(table(head, map(_row_line, rows)))
    tests = "".join(_tests((hazard.id, *(row.id for row in rows)), found))
    parts.append("Tests that name it or its rows:\n")
    parts.append(tests or "- only those that take every row\n")
    told = ", ".join(played.get(hazard.id, ())) or "none: no demo device can show it"
    parts.append(f"Scenarios of the bench: {told}\n")
    return "\n".join(parts)


def hazards_page() -> str:
    """hazards.md: hazard, rows, what each does, tests."""
    listed, played = hazards.load().hazards, evidence.scenarios()
    found = evidence.collect(ROWS)
    overview = (
        (
            f"[{h.id}](#{anchor(h)})",
            h.hazard,
            h.owner,
            " ".join(f"`{row.id}`" for row in _rows_of(h)) or "exempt",
            str(len(played.get(h.id, ()))),
            h.gaps or "-",
        )
        for h in listed.values()
    )
    return "\n".join(
        (
            "# Hazards\n",
            f"{NOTE}Source: `safety/hazards.toml`, `safety/table.py`, `tests/`, `hil/`.\n",
            "The list comes from published incidents, manuals and standards, and from what a\n"
            "single fault can do here. It is **not** a risk file under ISO 14971: severity and\n"
            "probability are not assessed, and no clinician or notified body has reviewed it.\n"
            "Read the column *not covered* first.\n",
            "Tests named below mention the hazard or one of its rows. Besides, each row is taken\n"
            "by `tests/table/test_expected.py` (against a hand-written list),\n"
            "and by `tests/kernel/test_rows.py`. Scenarios are files in `hil/scenarios/`;\n",
            "`liftctl hil run --only H1` plays those of a hazard.\n",
            table(
                ("hazard", "what may happen", "owner", "rows", "scenarios", "not covered"), overview
            ),
            *(_hazard(hazard, found, played) for hazard in listed.values()),
        )
    )


HARDWARE = """# What only hardware owns

{note}Source: `safety/hazards.toml`.

## Why a Python service cannot claim it

- **ISO 13849-1, performance level d, category 3.** "No movement of a suspended person without a
  command" and "stop on release" are of that level: serious harm, often exposed, hard to avoid.
  Category 3 wants two channels, a single fault that does not lose the function, diagnostic
  coverage of at least medium, and common-cause measures. One computer with one operating system
  is one channel, whatever runs on it. Guard and gate share CPU, memory, supply and clock: the
  guard is a second look, not a second channel. IEC 62061 (SIL 2) asks the same in other words.
- **No probability can be shown.** CPython, Linux and the libraries in [soup.md](soup.md) were
  not developed under IEC 61508, and their failure rates are not known. There is no argument
  that turns tests into a rate of dangerous failures per hour.
- **IEC 62304.** Death is possible, so the software is class C unless a risk control outside the
  software brings the rest to an acceptable level (Amendment 1:2015). That is the argument this
  design prepares for whoever becomes the manufacturer: the service may only withhold or narrow
  a motion, and everything in the table below acts without it. The argument is not made by this
  project: it needs the risk file, the hardware and its evidence.
- **ISO 13850.** A button on a screen is no emergency stop. It is labelled STOP.

So the service never carries the last word (rule 14): it withholds.

## The list
"""


def hardware_page() -> str:
    """hardware.md: what no software here can own, and why."""
    owned = [h for h in hazards.load().hazards.values() if h.owner != "software"]
    lines = ((h.id, h.hazard, h.owner, h.hardware) for h in owned)
    return "\n".join(
        (
            HARDWARE.format(note=NOTE),
            table(("hazard", "what may happen", "owner", "what hardware must do"), lines),
            "`hardware`: without it the hazard is not controlled at all. `both`: software\n"
            "withholds earlier, hardware decides.\n",
        )
    )


def _library(entry: Mapping[str, Any]) -> tuple[str, ...]:
    told = ", ".join(f"{name} {pins().get(name, '?')}" for name in entry["names"])
    where = entry["processes"]
    every = len(where) == 6
    return (
        told,
        "every process" if every else ", ".join(where) or "-",
        entry["role"],
        entry["fails"],
    )


def soup_page() -> str:
    """soup.md: software of unknown provenance, with exact versions."""
    head = ("what, exact version", "loaded by", "what for", "what happens if it fails")
    platform = ((p["name"], p["version"], p["role"], p["fails"]) for p in soup()["platform"])
    return "\n".join(
        (
            "# Software of unknown provenance\n",
            f"{NOTE}Source: `liftctl/safetycase/soup.toml`, `requirements/run.txt`. Names and\n"
            "processes are compared with what is really loaded\n"
            "(`tests/safetycase/test_pages.py`). Known faults: [anomalies.md](anomalies.md).\n",
            "The kernel (`safety/`) uses the standard library only; `make check` enforces it.\n",
            table(head, map(_library, soup()["library"])),
            "## Below the libraries\n",
            table(("what", "version", "what for", "what happens if it fails"), platform),
        )
    )


def _anomaly(entry: Mapping[str, Any]) -> tuple[str, ...]:
    links = " ".join(f"[{link.rpartition('/')[2]}]({link})" for link in entry["links"])
    return entry["library"], entry["what"], links, entry["here"]


def anomalies_page() -> str:
    """anomalies.md: known faults of what we use, and what we do not cover."""
    gaps = ((h.id, h.gaps) for h in hazards.load().hazards.values() if h.gaps)
    idle = ((row.hazard, f"`{row.id}`", asleep(row)) for row in ROWS.values() if asleep(row))
    return "\n".join(
        (
            "# Known anomalies\n",
            f"{NOTE}Source: `liftctl/safetycase/soup.toml`, `safety/hazards.toml`.\n",
            "## Of the libraries, where they could matter here\n",
            "Each was read in its public thread; some are open, some closed without a change.\n",
            table(("library", "what", "public", "here"), map(_anomaly, soup()["anomaly"])),
            "## Of our own: what is not covered\n",
            table(("hazard", "gap"), gaps),
            "## Rows that no shipped device wakes\n",
            "They exist only where a site's devices send these signals.\n",
            table(("hazard", "row", "needs"), idle),
        )
    )


def lowering_page() -> str:
    """lowering.md: every row that may take lowering away."""
    reasons = hazards.load().lowering
    lines = (
        (
            f"`{row.id}`",
            row.hazard,
            reactions(row.when_true, *_kinds(row)),
            reactions(row.when_unknown, *_kinds(row)),
            CLEARS[row.clear],
            reasons[row.id],
        )
        for row in ROWS.values()
        if stops_lowering(row)
    )
    return "\n".join(
        (
            "# What may take lowering away\n",
            f"{NOTE}Source: `safety/table.py`; reasons: `safety/hazards.toml`.\n",
            "DOWN and SIT are the last motions to go (rule 4). Every other row leaves them, at\n"
            "docking speed or faster. Where they go, the emergency lowering of the site remains\n"
            "(red strap, manual sit), and the panel shows how. Over-speed is the exception:\n"
            "nobody lowers, call the emergency services. That no other combination of rows takes\n"
            "lowering away is decided in `tests/kernel/test_space.py`.\n",
            table(("row", "hazard", "when true", "when unknown", "clears", "why"), lines),
        )
    )


README = """# The safety case

{note}
What can hurt somebody, what is done about it, and how one can see that it is done. Every page
here is made from what the service runs on, and CI compares: a page that differs from the code
fails.

**This is not a medical device**, and these pages are not a risk file, not a declaration of
conformity and not a claim of a performance level. They are material for whoever becomes the
manufacturer.

Read in this order:

1. [hazards.md](hazards.md): {hazards} hazards, the {rows} rows against them, what each does,
   which tests name it, and what is not covered.
2. [table.html](table.html): the table to play with. Open the file in a browser; it needs no
   server. Flip a signal and see which motions are left, why, and what clears it.
3. [lowering.md](lowering.md): the {lowering} rows that may take lowering away, each with its
   reason.
4. [hardware.md](hardware.md): what only hardware owns, and why a Python service cannot claim
   it.
5. [budget.md](budget.md): the time budget as distances.
6. [rows.md](rows.md) and [bounds.md](bounds.md): every row, every number and its hard bounds.
7. [soup.md](soup.md) and [anomalies.md](anomalies.md): what others wrote, and what is known to
   be wrong with it and with ours.

![A loop has slipped off: what is left, why, and what clears it](../pictures/table.png)

The rules behind it: [rules.md](../rules.md). What is proven and what only simulated: the
[README](../../README.md#what-is-proven-what-is-simulated-what-needs-hardware).
"""


def readme_page() -> str:
    """README.md: what this folder is and in which order to read it."""
    return README.format(
        note=NOTE,
        hazards=len(hazards.load().hazards),
        rows=len(ROWS),
        lowering=sum(stops_lowering(row) for row in ROWS.values()),
    )
