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
OPTIONAL = {"Left": ("Inner",), "Anti": ("Inner",), "Right": ("Outer",), "Right Anti": ("Outer",),
            "Full": ("Inner", "Outer")}  # fmt: skip
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
    optional: list[set[str]] = field(default_factory=list)  # what an outer join may leave out

    def read(self, node: dict[str, Any]) -> None:
        relation = self.tenant.get(str(node.get("Relation Name")))
        children = node.get("Plans", [])
        if node["Node Type"] == "ModifyTable":
            (rows,) = (item for item in children if item["Parent Relationship"] == "Outer")
            if relation and node["Operation"] == "Insert":
                self.inserts.append((relation, _first(rows)))
        elif relation:
            self.scans[node["Alias"]] = relation
        self._named(node)
        side = OPTIONAL.get(str(node.get("Join Type")), "")
        self.optional += [_aliases(it) for it in children if it["Parent Relationship"] in side]
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

    def tied(self, municipality: str) -> set[str]:
        """Aliases whose every row is this municipality's. An outer join's condition says nothing
        about the side that is there anyway.
        """
        found, before = {f"={municipality}"}, 0
        while before != len(found):
            before = len(found)
            for pair in self.ties:
                for one, other in (pair, pair[::-1]):
                    if other in found and not any(other in it and one not in it
                                                  for it in self.optional):  # fmt: skip
                        found.add(one)
        return found

    def fault(self, municipality: str) -> str:
        """ "" when all of it is this municipality's; else which tables are not tied to it."""
        own = self.tied(municipality)
        loose = {table for alias, table in self.scans.items() if alias not in own}
        own.add(f"'{municipality}'::text")
        foreign = {name for name, value in self.inserts
                   if value.removesuffix(f".{COLUMN}") not in own}  # fmt: skip
        return ", ".join(sorted(loose | foreign))

    def apart(self) -> bool:
        """Are there tenant tables that no condition joins by municipality?"""
        found = [{alias} for alias in self.scans]
        for tie in (*self.ties, *self.withs):
            joined = set(tie).union(*(item for item in found if item & set(tie)))
            found = [item for item in found if not item & set(tie)] + [joined]
        return sum(bool(item & set(self.scans)) for item in found) > 1


def _aliases(node: dict[str, Any]) -> set[str]:
    found = {str(node.get("Alias"))}
    return found.union(*(_aliases(item) for item in node.get("Plans", [])))


def _first(rows: dict[str, Any]) -> str:
    """The first column of the rows to insert, before the planner's own conversion of types."""
    converted = rows["Node Type"] == "Subquery Scan" and rows["Alias"].startswith("*SELECT*")
    return str((rows["Plans"][0] if converted else rows)["Output"][0])


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
