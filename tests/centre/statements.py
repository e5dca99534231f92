"""Every statement the centre emits, and what PostgreSQL's own planner makes of it.

`listen` notes each statement with the place in `liftctl/centre` that sent it and the role and
municipality of its transaction. `judge` has the planner explain it as the owner, whom no row-level
security helps: what is in the plan, the statement says itself. The planner has resolved the names
and worked out what equals what; a cluster distributed by municipality decides by the same.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, text

import liftctl.centre as package

ROOT = Path(package.__file__).parent
COLUMN = "municipality"
REFERENCE = {"member", "token", "alembic_version"}  # of no tenant: a copy on every node
CONDITIONS = ("Index Cond", "Recheck Cond", "Filter", "Hash Cond", "Merge Cond", "Join Filter")
NAME = r"[a-z_][a-z0-9_]*"
EQUAL = re.compile(rf"^\(?({NAME})\.{COLUMN} = (?:({NAME})\.{COLUMN}|'([^']*)'::text)\)?$")


@dataclass(frozen=True, slots=True)
class Said:
    """One statement. `place`: "file.py:function"; `municipality`: its transaction's."""

    place: str
    line: int
    role: str
    municipality: str
    sql: str
    values: Any


@dataclass(slots=True)
class Ear:
    """What was said; `lines` are the places (file, line) it was said from."""

    said: list[Said] = field(default_factory=list)

    def hear(self, db: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        if "set_config('role'" in sql:
            db.info["liftctl"] = (values["role"], values["municipality"])
            return
        place, line = _place()
        role, town = db.info.get("liftctl", ("owner", ""))
        if place:
            self.said.append(Said(place, line, role, town, sql, values))

    def forget(self, db: Any) -> None:
        db.info.pop("liftctl", None)


def _place() -> tuple[str, int]:
    """The innermost frame of the package that is not the module of the transactions itself."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if ROOT in path.parents and path.name != "database.py":
            return f"{path.relative_to(ROOT)}:{frame.f_code.co_name}", frame.f_lineno
        frame = frame.f_back
    return "", 0


@contextmanager
def listen() -> Iterator[Ear]:
    """To every engine of this process."""
    ear = Ear()
    hooks = (("before_cursor_execute", ear.hear), ("begin", ear.forget))
    for name, hook in hooks:
        event.listen(Engine, name, hook)
    try:
        yield ear
    finally:
        for name, hook in hooks:
            event.remove(Engine, name, hook)


def unheard(ear: Ear) -> set[str]:
    """Places in the code that send a statement and were not heard."""
    found = set()
    for path in sorted(ROOT.rglob("*.py")):
        name = str(path.relative_to(ROOT))
        if name == "database.py" or name.startswith(("migrations/", "demo/")):
            continue  # transactions and schema; the demo's own rows
        heard = {item.line for item in ear.said if item.place.startswith(f"{name}:")}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            sends = isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "execute"
            if sends and not heard & set(range(node.lineno, (node.end_lineno or 0) + 1)):
                found.add(f"{name}:{node.lineno}")
    return found


def read(ear: Ear) -> list[Said]:
    """What a planner plans, each form of it once; locks and settings touch no row."""
    rows = (item for item in ear.said if not item.sql.startswith(("SET ", "LOCK ", "DROP ")))
    return list({(item.place, item.role, item.sql): item for item in rows}.values())


@dataclass(slots=True)
class Plan:
    """Scans and inserts of tenant tables, and which of them the conditions tie to what."""

    tenant: dict[str, str]  # partitions too: relation -> table
    scans: dict[str, str] = field(default_factory=dict)  # alias -> relation
    inserts: list[tuple[str, str]] = field(default_factory=list)  # relation, first value
    ties: list[tuple[str, str]] = field(default_factory=list)  # alias, alias or "=value"
    withs: list[tuple[str, str]] = field(default_factory=list)  # alias, what it is or puts out

    def read(self, node: dict[str, Any]) -> None:
        relation = self.tenant.get(str(node.get("Relation Name")))
        children = node.get("Plans", [])
        if node["Node Type"] == "ModifyTable":
            (rows,) = (item for item in children if item["Parent Relationship"] == "Outer")
            if relation and node["Operation"] == "Insert":
                self.inserts.append((relation, rows["Output"][0]))
        elif relation:
            self.scans[node["Alias"]] = relation
        self._named(node)
        for name in CONDITIONS:
            for part in _parts(node.get(name, "")):
                if found := EQUAL.match(part):
                    left, right, value = found.groups()
                    self.ties.append((left, right or f"={value}"))
        for child in children:
            self.read(child)

    def _named(self, node: dict[str, Any]) -> None:
        """A WITH or subquery is tied to what it puts out, and a scan of it to itself."""
        if node["Node Type"] == "CTE Scan":
            self.withs.append((node["Alias"], f"WITH {node['CTE Name']}"))
        if node["Node Type"] == "Subquery Scan":
            self.withs += [(node["Alias"], source) for source in _puts_out(node["Plans"][0])]
        if (name := str(node.get("Subplan Name"))).startswith("CTE "):
            self.withs += [(f"WITH {name[4:]}", source) for source in _puts_out(node)]

    def touches(self) -> bool:
        """Any tenant table at all?"""
        return bool(self.scans or self.inserts)

    def groups(self, *more: tuple[str, str]) -> list[set[str]]:
        """Aliases and values that are equal by the conditions."""
        found = [{alias} for alias in self.scans]
        for tie in (*self.ties, *more):
            joined = set(tie).union(*(item for item in found if item & set(tie)))
            found = [item for item in found if not item & set(tie)] + [joined]
        return [item for item in found if item & set(self.scans)]

    def fault(self, municipality: str) -> str:
        """ "" when all of it is this municipality's; else which tables are not tied to it."""
        loose = [name for group in self.groups() if f"={municipality}" not in group
                 for name in group if name in self.scans]  # fmt: skip
        own = {name for group in self.groups() if f"={municipality}" in group for name in group}
        own.add(f"'{municipality}'::text")
        foreign = [
            name for name, value in self.inserts if value.removesuffix(f".{COLUMN}") not in own
        ]
        return ", ".join(sorted({self.scans[name] for name in loose} | set(foreign)))

    def apart(self) -> bool:
        """Are there two tenant tables that are not joined by municipality?"""
        return len(self.groups(*self.withs)) > 1


def _puts_out(node: dict[str, Any]) -> list[str]:
    """Whose municipality is in this node's output."""
    return [item.removesuffix(f".{COLUMN}") for item in node.get("Output", ())
            if item.endswith(f".{COLUMN}")]  # fmt: skip


def _parts(condition: str) -> list[str]:
    """What stands between the ANDs of the outermost level; an OR there ties nothing."""
    inner = condition.removeprefix("(").removesuffix(")")
    if not condition.startswith("((") or not _whole(inner):
        return [condition]
    parts, depth, quoted, begun = [], 0, False, 0
    for at, sign in enumerate(inner):
        quoted ^= sign == "'"
        depth += 0 if quoted else (sign == "(") - (sign == ")")
        if depth == 0 and not quoted and inner.startswith(" OR ", at):
            return []
        if depth == 0 and not quoted and inner.startswith(" AND ", at):
            parts.append(inner[begun:at])
            begun = at + 5
    return [*parts, inner[begun:]]


def _whole(inner: str) -> bool:
    return inner.count("(") == inner.count(")")


def plan(db: Connection, said: Said) -> Plan:
    """The planner's word on a statement with the values it was sent with."""
    found = Plan(_tenant_tables(db))
    (told,) = db.exec_driver_sql(f"EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) {said.sql}",
                                 said.values).one()  # fmt: skip
    found.read(told[0]["Plan"])
    return found


def _tenant_tables(db: Connection) -> dict[str, str]:
    rows = db.execute(
        text(
            "SELECT c.relname, coalesce(p.relname, c.relname) FROM pg_class c"
            " LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p"
            " ON p.oid = i.inhparent WHERE c.relnamespace = 'public'::regnamespace"
            " AND c.relkind IN ('r', 'p')"
        )
    )
    return {name: table for name, table in rows if table not in REFERENCE}
