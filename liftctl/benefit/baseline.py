"""Baselines: what a transfer cost before, measured or published, frozen under a hash.

Role: reads, measures, freezes and checks baselines. Process: library, plain Python. Must never:
assume that two carers take twice the time, or let a frozen baseline change without being noticed.

A measured baseline keeps sums per resident, kind and mobility class: enough for every interval,
and no single transfer. A published one keeps the mean, and what its table says of the spread.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from config.schema import BaselineSpec
from liftctl.benefit.csv_rows import (
    COLUMNS,
    MOST_CARERS,
    number,
    read_table,
    read_transfers_csv,
    require,
    whole,
)
from liftctl.benefit.flow import Flow, Rules, judge
from liftctl.benefit.observed import resident_days
from liftctl.benefit.rows import EvidenceError, Row
from liftctl.benefit.weeks import weeks_of

FORMAT = "liftctl-baseline/1"
PUBLISHED_COLUMNS = ("kind", "carers", "mean_s", "sd_s", "n_transfers", "n_residents")
METHODS = ("ledger", "time_study", "transfers", "published", "site")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A published mean: duration per transfer with so many carers; None: the table does not say."""

    kind: str
    carers: int
    mean_s: float
    sd_s: float | None = None
    n_transfers: int | None = None
    n_residents: int | None = None
    source: str = ""

    @property
    def staff_s(self) -> float:
        """Mean staff-seconds of one transfer."""
        return self.carers * self.mean_s

    def variance(self, icc: float) -> float | None:
        """Of the mean of staff-seconds, with the design effect 1 + (m - 1) ICC; None: unknown."""
        if self.sd_s is None or not self.n_transfers or not self.n_residents:
            return None
        effect = 1 + max(self.n_transfers / self.n_residents - 1, 0.0) * icc
        return float((self.carers * self.sd_s) ** 2 / self.n_transfers * effect)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One resident's transfers of one kind. `logs`: of staff-seconds; `elapsed_s`: per transfer."""

    kind: str
    mobility: str
    resident: str
    n: int
    staff_s: float
    staff_s2: float
    logs: float
    logs2: float
    carers: int
    elapsed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """`measured`: here, by observation. `census`: every transfer of the period is in it.

    `days`: (ISO Monday, transfers, staff-seconds, residents) of each week, for the time series; an
    older file has (ISO day, transfers, staff-seconds), which does not tell who is behind a week.
    """

    title: str
    method: str
    measured: bool
    source: str
    first_day: str = ""
    last_day: str = ""
    census: bool = False
    resident_days: float | None = None
    published: tuple[Summary, ...] = ()
    sums: tuple[Measured, ...] = ()
    days: tuple[tuple[str, int, float] | tuple[str, int, float, int], ...] = ()
    n_logged: int = 0
    excluded: dict[str, int] | None = None

    @property
    def version(self) -> str:
        """SHA-256 of everything above, 16 hex digits."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset([item.kind for item in self.published] + [item.kind for item in self.sums])

    @property
    def begins(self) -> date | None:
        return date.fromisoformat(self.first_day) if self.first_day else None

    @property
    def ends(self) -> date | None:
        return date.fromisoformat(self.last_day) if self.last_day else None

    @property
    def n_residents(self) -> int:
        return len({item.resident for item in self.sums})


def read(path: Path, local: ZoneInfo, rules: Rules | None = None) -> tuple[Baseline, list[str]]:
    """(baseline, odd lines) of a frozen file, a table of transfers or a table of means."""
    if path.suffix == ".json":
        return thaw(path), []
    names, lines = read_table(path)
    if set(COLUMNS) <= set(names):
        rows, odd = read_transfers_csv(path, local)
        before = replace(rules or Rules(), learning_days=0)
        found = measure(rows, before, title=path.stem, method="transfers",
                        source=f"transfers observed in {path.name}")  # fmt: skip
        return found, odd
    if "mean_s" not in names:
        require(path, names, COLUMNS)
    return _published(path, names, lines), []


def measure(
    rows: Sequence[Row], rules: Rules, *, title: str, method: str, source: str, census: bool = False
) -> Baseline:
    """A baseline from observed transfers; EvidenceError when none can be used."""
    flow = judge(rows, rules)
    counted = flow.analysed
    if not counted:
        why = ", ".join(f"{name} {count}" for name, count in flow.excluded.items())
        raise EvidenceError(f"{title}: no transfer can serve as baseline ({why or 'none given'})")
    days = sorted(row.day.isoformat() for row in counted if row.day)
    return Baseline(
        title=title,
        method=method,
        measured=True,
        source=source,
        first_day=days[0] if days else "",
        last_day=days[-1] if days else "",
        census=census,
        resident_days=resident_days(counted) if census else None,
        sums=tuple(_measured(counted)),
        days=tuple(weeks_of(counted)),
        n_logged=len(rows),
        excluded=flow.excluded,
    )


def _measured(rows: Iterable[Row]) -> Iterable[Measured]:
    groups: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.kind, row.mobility, row.resident].append(row)
    for (kind, mobility, resident), items in sorted(groups.items()):
        staff = [row.staff_s or 0.0 for row in items]
        logs = [math.log(max(value, 1e-9)) for value in staff]
        yield Measured(
            kind=kind,
            mobility=mobility,
            resident=resident,
            n=len(items),
            staff_s=math.fsum(staff),
            staff_s2=math.fsum(value**2 for value in staff),
            logs=math.fsum(logs),
            logs2=math.fsum(value**2 for value in logs),
            carers=sum(row.carers or 0 for row in items),
            elapsed_s=math.fsum(row.elapsed_s or 0.0 for row in items),
        )


def _published(
    path: Path, names: tuple[str, ...], lines: list[tuple[int, dict[str, str]]]
) -> Baseline:
    require(path, names, ("kind", "carers", "mean_s"))
    if not lines:
        raise EvidenceError(f"{path}: no baseline in it; write one line per kind of transfer")
    items = tuple(_summary(path, line, cells) for line, cells in lines)
    return Baseline(title=path.stem, method="published", measured=False,
                    source=f"published means in {path.name}", published=items)  # fmt: skip


def _summary(path: Path, line: int, cells: dict[str, str]) -> Summary:
    def bad(name: str, limit: str) -> EvidenceError:
        return EvidenceError(f"{path}:{line}: {name} is {cells.get(name)!r}; it must be {limit}")

    carers, mean_s = whole(cells["carers"], MOST_CARERS), number(cells["mean_s"])
    if not cells["kind"]:
        raise bad("kind", "the kind of transfer")
    if not carers:
        raise bad("carers", f"a whole number from 1 to {MOST_CARERS}")
    if not mean_s:
        raise bad("mean_s", "the mean duration in seconds, above 0")
    rest: dict[str, Any] = {}
    for name in ("sd_s", "n_transfers", "n_residents"):
        told = cells.get(name, "")
        rest[name] = number(told) if name == "sd_s" else whole(told, 10**9)
        if told and not rest[name]:
            raise bad(name, "empty when it is not known, else above 0")
    return Summary(kind=cells["kind"], carers=carers, mean_s=mean_s, **rest,
                   source=cells.get("source", ""))  # fmt: skip


def of_site(specs: Sequence[BaselineSpec]) -> Baseline:
    """The baselines of a site file: means without spread, so never an interval."""
    items = tuple(
        Summary(kind=item.kind, carers=item.carers, mean_s=item.mean_s,
                n_transfers=item.n_transfers, source=item.source)
        for item in specs
    )  # fmt: skip
    return Baseline(
        title=", ".join(sorted({item.version for item in specs})),
        method="site",
        measured=bool(specs) and all(item.measured for item in specs),
        source="; ".join(sorted({item.source for item in specs})),
        published=items,
    )


def freeze(baseline: Baseline, path: Path) -> None:
    """Write it with its hash; an existing file is never overwritten."""
    told = {"format": FORMAT, "version": baseline.version, "baseline": asdict(baseline)}
    try:
        with path.open("x", encoding="utf-8") as file:
            json.dump(told, file, indent=1, sort_keys=True, allow_nan=False)
            file.write("\n")
    except FileExistsError as error:
        raise EvidenceError(f"{path} exists; a frozen baseline is kept, name a new file") from error


def thaw(path: Path) -> Baseline:
    """A frozen baseline; EvidenceError when it is none or was changed afterwards."""
    try:
        told = json.loads(path.read_text("utf-8"))
        found = from_plain(told["baseline"])
        form, version = told["format"], told["version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvidenceError(f"{path}: no frozen baseline ({error})") from error
    if form != FORMAT:
        raise EvidenceError(f"{path}: format {form!r}; this software reads {FORMAT}")
    if version != found.version:
        raise EvidenceError(
            f"{path}: changed since it was frozen: it says version {version}, its content is "
            f"{found.version}; take the file as it was frozen, or freeze a new one"
        )
    return found


def from_plain(told: dict[str, Any]) -> Baseline:
    """From what `asdict` and JSON made of it."""
    known = {item.name for item in fields(Baseline)}
    if unknown := set(told) - known:
        raise ValueError(f"unknown fields {sorted(unknown)}")
    parts = {
        **told,
        "published": tuple(Summary(**item) for item in told["published"]),
        "sums": tuple(Measured(**item) for item in told["sums"]),
        "days": tuple(
            (day, int(n), float(staff), *map(int, residents))
            for day, n, staff, *residents in told["days"]
        ),
    }
    return Baseline(**parts)


def flow_of(rows: Sequence[Row], baseline: Baseline, rules: Rules) -> Flow:
    """The flow of transfers judged against their baseline."""
    return judge(rows, replace(rules, kinds=baseline.kinds, baseline_from=baseline.begins,
                               baseline_to=baseline.ends, version=baseline.version))  # fmt: skip
