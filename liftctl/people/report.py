"""The fields of a serious-incident report (MDR Article 87), filled as far as the system knows.

Role: site, records and black box -> fields and page. Process: the CLI; pure. Must never: fill what
only people know: harm, cause, seriousness and who reports stand open.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from config.schema import Site
from liftctl.people.fields import fields
from liftctl.people.page import Blank, Block, Grid, Heading, Items, Page, Para
from liftctl.people.words import Words, catalogue

SECTIONS = ("admin", "device", "person", "event", "action")
Rows = dict[str, list[str]]


def known(site: Site, rows: Rows, inspection: str) -> dict[str, Any]:
    """What the system can say, by the key of its text; None: it should, and does not."""
    devices = [f"{item.name}: {item.profile} on {item.on}" for item in site.device]
    seen = [f"{row}: {span[0]} - {span[1]}" for row, span in sorted(rows.items())]
    return {
        "device.kind": site.kind,
        "device.parts": devices,
        "device.software": f"liftctl {version('liftctl')}",
        "device.config": site.hash,
        "device.swl": f"{site.limits.swl_kg:g} kg",
        "device.inspection": inspection or None,
        "device.way_down": f"{site.emergency_lowering.how} ({site.emergency_lowering.tested})",
        "event.place": ", ".join(
            part for part in (site.municipality, site.home, site.ward, site.title) if part
        ),
        "event.rows": seen or None,
    }


def open_keys(section: str) -> list[str]:
    """What only people know, by the key of its text."""
    return [key for key in catalogue() if key.startswith(f"ask.{section}.")]


def told(
    site: Site, records: list[dict[str, Any]], rows: Rows, inspection: str, words: Words
) -> dict[str, Any]:
    """As a machine reads it: known fields, open fields with their question, transfers."""
    return {
        "known": known(site, rows, inspection),
        "open": {key.removeprefix("ask."): words(key) for s in SECTIONS for key in open_keys(s)},
        "transfers": records,
    }


def page(
    site: Site, records: list[dict[str, Any]], rows: Rows, inspection: str, missing: list[str],
    words: Words,
) -> Page:  # fmt: skip
    """As people read it, in the order of the manufacturers' form."""
    blocks: list[Block] = [Para(words("report.intro")), Para(words("report.deadlines"))]
    if missing:
        blocks += [Heading(words("report.missing_title")), Items(tuple(missing))]
    facts = known(site, rows, inspection)
    for number, section in enumerate(SECTIONS, 1):
        blocks.append(Heading(f"{number}. {words(f'report.{section}')}"))
        here = [key for key in facts if key.startswith(f"{section}.")]
        if here:
            lines = tuple((words(f"know.{key}"), words.shown(facts[key])) for key in here)
            blocks.append(Grid((words("column.meaning"), words("column.value")), lines))
        if section == "event":
            blocks += [block for record in records for block in _transfer(record, words)]
        blocks += [Blank(words(key), judge=True) for key in open_keys(section)]
    blocks.append(Para(words("report.remark"), soft=True))
    return Page(words.language, words("report.title"), tuple(blocks))


def _transfer(record: dict[str, Any], words: Words) -> Iterator[Block]:
    yield Para(words("report.transfer", id=record["id"]))
    yield Grid(
        (words("column.field"), words("column.meaning"), words("column.value")),
        tuple((f.name, words(f.key), words.shown(record.get(f.name))) for f in fields()),
    )
