"""What these documents need to know of a site.

Role: settings as sentences that notice and assessment share. Process: the CLI; reads the site file
and whether the site is enrolled. Must never: soften "for ever" or hide a recipient.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from config.schema import LedgerSpec, Site
from liftctl.people.page import Blank, Block, Grid, Heading, Items, Para
from liftctl.people.words import Words
from liftctl.places import Places
from liftctl.recorder.erasure import INCIDENTS
from liftctl.recorder.segments import Limits
from liftctl.uplink.share import CLOSED, LISTS


@dataclass(frozen=True, slots=True)
class Setting:
    """A site; `enrolled` at a knowledge centre, `remote`: somebody's word from afar counts."""

    site: Site
    enrolled: bool = False
    remote: bool = False

    @classmethod
    def of(cls, site: Site) -> Setting:
        """As it stands on this machine."""
        places = Places(site.name)
        return cls(site, places.enrolment.is_file(), places.trust.is_file())


def place(setting: Setting, words: Words) -> Iterator[Block]:
    """Where, and the blanks for what the site file does not say."""
    site = setting.site
    given = {"municipality": site.municipality, "home": site.home, "ward": site.ward}
    rows = [(words(f"place.{name}"), value) for name, value in given.items() if value]
    rows += [
        (words("place.room"), site.title),
        (words("place.device"), words(f"device.{site.kind}")),
        (words("place.config"), site.hash),
    ]
    yield Grid((words("column.setting"), words("column.value")), tuple(rows))
    yield from (Blank(words(f"place.{name}")) for name, value in given.items() if not value)


def retention(keep: LedgerSpec, words: Words) -> Iterator[Block]:
    """How long; a rule that never erases is said to be open."""
    box = Limits()
    ends = keep.payload_days and keep.incident_days
    grave = max(keep.payload_days, keep.incident_days) if ends else 0
    incidents = ", ".join(words(f"outcome.{name}") for name in INCIDENTS)
    yield Heading(words("keep.title"))
    yield Items(
        (
            words("keep.payload", days=_days(keep.payload_days, words)),
            words("keep.incident", which=incidents, days=_days(grave, words)),
            words("keep.audit", days=_days(grave, words)),
            words("keep.header"),
            words(
                "keep.box",
                segments=box.segments,
                mb=box.segment_bytes >> 20,
                freezes=box.freezes,
            ),
            words("keep.register"),
            words("keep.clock"),
        )
    )
    if not keep.payload_days or not keep.incident_days:
        yield Blank(words("keep.no_end"), judge=True)


def _days(days: int, words: Words) -> str:
    return words("keep.days", days=days) if days else words("keep.forever")


def recipients(setting: Setting, words: Words) -> Iterator[Block]:
    """Who sees what, and what leaves the home."""
    yield Heading(words("who.title"))
    lines = [words("who.panel"), words("who.desk"), words("who.shell"), words("who.reports")]
    lines.append(words("who.remote" if setting.remote else "who.no_remote"))
    yield Items(tuple(lines))
    if not setting.enrolled:
        yield Para(words("who.no_centre"))
        return
    lists = (f"{name} ({', '.join(keys)})" for name, keys in LISTS.items())
    yield Para(words("who.centre", fields=", ".join((*CLOSED, *lists))))
    yield Para(words("who.centre_not"))
    yield Blank(words("blank.centre"))
