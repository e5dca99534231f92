"""What the console shows: fleet, one device, evidence across homes.

Role: queries. Process: console. Must never: run outside the transaction its caller opened for that
person (row-level security decides what exists), leave a tenant's municipality out of a statement
(a distributed table is found by it), or name a resident (none is here).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from liftctl.centre import risk
from liftctl.centre.people import Person

DAY_S = 86_400
TREND_DAYS = 400


def _own(person: Person, alias: str) -> str:
    """What this person may see, said in the statement too; nothing for who sees everything."""
    town = f" AND {alias}.municipality = :own" if person.municipality else ""
    return town + (f" AND {alias}.home = :own_home" if person.home else "")


def _whose(person: Person) -> dict[str, Any]:
    return {"own": person.municipality, "own_home": person.home}


# usual and share once for every device of the asker; names and reasons for one page of them
FLEET = f"""
WITH told AS MATERIALIZED (
  SELECT c.municipality, c.controller, c.home, {risk.USUAL} AS usual, {risk.share_sql()} AS share
  FROM controller c JOIN home h USING (municipality, home)
  WHERE c.revoked_at IS NULL{{asked}}
), houses AS (
  SELECT count(*) AS devices, sum(usual) AS usual, sum(usual * share) AS risk,
    count(*) FILTER (WHERE share >= 0.5) AS bad,
    count(*) FILTER (WHERE share >= 0.05 AND share < 0.5) AS watch
  FROM told GROUP BY municipality, home
), sums AS (
  SELECT json_build_object('homes', count(*), 'devices', coalesce(sum(devices), 0),
    'usual', coalesce(sum(usual), 0), 'risk', coalesce(sum(risk), 0), 'bad', coalesce(sum(bad), 0),
    'watch', coalesce(sum(watch), 0)) AS summary FROM houses
), page AS (
  SELECT * FROM told ORDER BY usual * share DESC, share DESC, municipality, controller
  LIMIT :limit OFFSET :offset
)
SELECT sums.summary, c.municipality, c.home, h.title AS home_title, c.controller, c.title, c.kind,
  c.durable_at, c.durable_seq, extract(epoch FROM :now - c.durable_at) AS durable_age_s,
  c.reported ->> 'mode' AS mode, c.battery_pct,
  c.reported -> 'latched' AS latched, c.trips_7d, c.cycles, c.service_by, c.inspection_by,
  page.usual, page.share, page.usual * page.share AS risk, {risk.codes_sql()} AS reasons
FROM sums LEFT JOIN (page JOIN controller c USING (municipality, controller)
  JOIN home h ON h.municipality = c.municipality AND h.home = c.home{{own}}) ON true
ORDER BY page.usual * page.share DESC, page.share DESC, c.municipality, c.controller
"""


def fleet(
    db: Connection, person: Person, now: datetime, limit: int, offset: int, municipality: str = "",
    home: str = "", search: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Devices by risk, highest first, and the sums over all of them."""
    found = (
        (municipality, " AND c.municipality = :municipality"),
        (home, " AND c.home = :home"),
        (search, " AND (c.controller ILIKE :like OR c.title ILIKE :like OR h.title ILIKE :like)"),
    )
    asked = _own(person, "c") + "".join(condition for given, condition in found if given)
    escaped = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    values = {
        "now": now, "today": now.date(), "limit": limit, "offset": offset, "home": home,
        "municipality": municipality, "like": f"%{escaped}%", **_whose(person),
    }  # fmt: skip
    statement = FLEET.format(asked=asked, own=_own(person, "c"))
    rows = [_plain(row) for row in db.execute(text(statement), values).mappings()]
    summary = rows[0]["summary"]
    for row in rows:
        del row["summary"]
    return {"summary": summary, "devices": [row for row in rows if row["controller"]]}


def device(db: Connection, now: datetime, municipality: str, controller: str
           ) -> dict[str, Any] | None:  # fmt: skip
    """One device: both sides of its twin, what it is judged by, where its chains stand."""
    key = {"municipality": municipality, "controller": controller}
    row = db.execute(text(ONE), {**key, "now": now, "today": now.date()}).mappings().one_or_none()
    if row is None:
        return None
    heads = db.execute(text(HEADS), key).mappings().all()
    since = now.date() - timedelta(days=TREND_DAYS)
    trends = db.execute(text(TRENDS), {**key, "since": since}).all()
    series: dict[str, list[tuple[str, float]]] = {}
    for name, day, value in trends:
        series.setdefault(name, []).append((day.isoformat(), value))
    return _plain(row) | {"chains": [_plain(item) for item in heads], "series": series}


ONE = f"""
SELECT c.municipality, c.home, h.title AS home_title, c.controller, c.title, c.kind, c.enrolled_at,
  c.durable_at, c.durable_seq, extract(epoch FROM :now - c.durable_at) AS durable_age_s,
  c.clock_off_s, c.set_aside, c.desired, c.afar, c.mail_hash IS NOT NULL AS has_mail,
  c.reported, c.reported_at, c.commissioned, c.trends, c.cycles,
  c.service_cycles, c.service_by, c.inspection_by, c.trips_7d, c.quarantined_at, c.quarantine_why,
  {risk.USUAL} AS usual, {risk.share_sql()} AS share, {risk.codes_sql()} AS reasons
FROM controller c JOIN home h USING (municipality, home)
WHERE c.municipality = :municipality AND c.controller = :controller AND c.revoked_at IS NULL
"""
HEADS = """
SELECT stream, epoch::text AS epoch, first_seq, seq, encode(hash, 'hex') AS hash, at, note
FROM head WHERE municipality = :municipality AND controller = :controller ORDER BY stream, at
"""
TRENDS = """
SELECT name, day, value FROM trend WHERE municipality = :municipality
  AND controller = :controller AND day >= :since ORDER BY name, day
"""
EVENTS = """
SELECT at, kind, name, detail, epoch::text AS epoch, seq FROM event
WHERE municipality = :municipality AND controller = :controller AND at < :before
ORDER BY at DESC, seq DESC LIMIT :limit
"""


def events(
    db: Connection, municipality: str, controller: str, before: datetime, limit: int
) -> list[dict[str, Any]]:  # fmt: skip
    """The newest events before a moment, with their freeze frames."""
    values = {"municipality": municipality, "controller": controller}
    found = db.execute(text(EVENTS), {**values, "before": before, "limit": limit})
    return [_plain(row) for row in found.mappings()]


# completed transfers and those where a second carer had to come; what else happened is counted too
COUNTED = "outcome IN ('completed', 'fallback2')"
SUMS = ("logged", "analysed", "single_handed", "staff_s", "elapsed_s", "fallback2", "adverse",
        "blocks", "alarms")  # fmt: skip
EVIDENCE = f"""
WITH sums AS (
  SELECT t.municipality, t.home, t.month, sum(n) AS logged,
    sum(n) FILTER (WHERE {COUNTED}) AS analysed,
    sum(n) FILTER (WHERE {COUNTED} AND carers = 1) AS single_handed,
    sum(staff_s) FILTER (WHERE {COUNTED}) AS staff_s,
    sum(elapsed_s) FILTER (WHERE {COUNTED}) AS elapsed_s,
    sum(n) FILTER (WHERE outcome = 'fallback2') AS fallback2,
    sum(n) FILTER (WHERE outcome IN ('fault', 'emergency', 'interrupted')) AS adverse,
    sum(blocks) AS blocks, sum(alarms) AS alarms
  FROM tally t WHERE month >= :since AND month <= :until{{own}}
  GROUP BY GROUPING SETS ((t.municipality, t.home), (t.month))
)
SELECT s.municipality, s.home, s.month, t.title AS home_title,
  {", ".join(f"coalesce(s.{name}, 0) AS {name}" for name in SUMS)}
FROM sums s LEFT JOIN home t ON t.municipality = s.municipality AND t.home = s.home
ORDER BY s.municipality, s.home, s.month
"""


def evidence(
    db: Connection, person: Person, since: datetime, until: datetime
) -> dict[str, Any]:  # fmt: skip
    """Counts and sums of each home, and of each month of all of them; from the first of a month.

    No interval: that is by resident, and residents stay at home. The homes' own evidence packs
    carry the intervals.
    """
    first = since.date().replace(day=1)
    values = {"since": first, "until": until.date(), **_whose(person)}
    found = db.execute(text(EVIDENCE.format(own=_own(person, "t"))), values)
    rows = [_plain(row) for row in found.mappings()]
    homes, months = (
        [row for row in rows if bool(row["month"]) is wanted] for wanted in (False, True)
    )
    return {"since": first.isoformat(), "homes": homes, "months": months}


def places(db: Connection, person: Person) -> list[dict[str, Any]]:
    """Municipalities and homes this person may see."""
    found = db.execute(
        text(
            "SELECT m.municipality, m.title, h.home, h.title AS home_title FROM municipality m"
            f" JOIN home h USING (municipality) WHERE true{_own(person, 'h')} ORDER BY 1, 3"
        ),
        _whose(person),
    )
    return [_plain(row) for row in found.mappings()]


def _plain(row: Any) -> dict[str, Any]:
    """JSON's own types; sums of integers come as Decimal."""
    return {
        name: value
        if value is None or isinstance(value, str | bool | int | float | list | dict)
        else value.isoformat()
        if hasattr(value, "isoformat")
        else float(value)
        for name, value in dict(row).items()
    }


def clear_quarantine(db: Connection, municipality: str, controller: str, who: str, why: str
                     ) -> bool:  # fmt: skip
    """A person has looked: the alarm ends, what was kept stays kept."""
    values: dict[str, Any] = {"m": municipality, "c": controller, "who": who, "why": why}
    done = db.execute(
        text(
            "UPDATE controller SET quarantined_at = NULL, quarantine_why = '' WHERE"
            " municipality = :m AND controller = :c AND quarantined_at IS NOT NULL"
        ),
        values,
    )
    if done.rowcount:
        db.execute(
            text(
                "INSERT INTO audit (municipality, who, what, detail) VALUES (:m, :who,"
                " 'quarantine cleared', jsonb_build_object('controller', CAST(:c AS text),"
                " 'why', CAST(:why AS text)))"
            ),
            values,
        )
    return bool(done.rowcount)


def audit(db: Connection, person: Person, limit: int) -> Sequence[dict[str, Any]]:
    """The newest entries of the audit trail; it is the municipality's, not a home's."""
    own = _own(replace(person, home=""), "a")
    found = db.execute(
        text(
            "SELECT municipality, at, who, what, detail FROM audit a"
            f" WHERE true{own} ORDER BY at DESC LIMIT :limit"
        ),
        {"limit": limit} | _whose(person),
    )
    return [_plain(row) for row in found.mappings()]
