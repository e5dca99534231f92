"""Which tests and bench scenarios speak of which hazard or row, read from their own files.

Role: a test counts for what its strings name (docstring, arguments, the tables its parameters come
from): a hazard id, or a row id as a word of its own. Process: none of the service's. Must never:
run a test, or count one by its file's name.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
HAZARD = re.compile(r"(?<![\w-])H(?:[1-9]|[12]\d|3[0-7])\b")
# "trip:slack", "row:slack" and "slack?" name a row; a sentence with the word in it does not.
ROW = re.compile(r"(?:\w+:)?([a-z]\w*)\??")

Found = Mapping[str, tuple[str, ...]]


def scenarios(folder: Path = ROOT / "hil") -> Found:
    """Hazard id -> ids of the bench's scenarios against it; an open finding says so."""
    found = defaultdict(list)
    for path in sorted((*folder.glob("scenarios/*.yaml"), *folder.glob("findings/*.yaml"))):
        told = yaml.safe_load(path.read_text("utf-8"))
        note = " (open finding)" if path.parent.name == "findings" else ""
        for hazard in told["hazards"]:
            found[hazard].append(f"`{told['id']}`{note}")
    return {name: tuple(ids) for name, ids in found.items()}


def _strings(node: ast.AST) -> Iterator[str]:
    for item in ast.walk(node):
        if isinstance(item, ast.Constant) and isinstance(item.value, str):
            yield item.value


def _named(node: ast.AST, rows: Iterable[str]) -> set[str]:
    """Hazard and row ids that the strings below `node` name."""
    known, found = set(rows), set()
    for text in _strings(node):
        found |= set(HAZARD.findall(text))
        match = ROW.fullmatch(text)
        if match and match[1] in known:
            found.add(match[1])
    return found


def _tables(module: ast.Module) -> dict[str, ast.AST]:
    """Values that have a name at the top of the file: what parametrisations refer to."""
    found: dict[str, ast.AST] = {}
    for node in module.body:
        if isinstance(node, ast.Assign):
            found |= {item.id: node.value for item in node.targets if isinstance(item, ast.Name)}
    return found


def _functions(module: ast.Module) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node


def in_file(text: str, rows: Iterable[str]) -> dict[str, set[str]]:
    """Test name -> hazards and rows it names."""
    module, known = ast.parse(text), tuple(rows)
    tables = _tables(module)
    found = {}
    for test in _functions(module):
        names = {n.id for d in test.decorator_list for n in ast.walk(d) if isinstance(n, ast.Name)}
        parts = (test, *(tables[name] for name in names & set(tables)))
        found[test.name] = set().union(*(_named(part, known) for part in parts))
    return found


def collect(rows: Iterable[str], folder: Path = ROOT / "tests") -> Found:
    """Hazard or row id -> `file::test` of every test that names it, in the order of the files."""
    known, found = tuple(rows), defaultdict(list)
    for path in sorted(folder.rglob("test_*.py")):
        if "safetycase" in path.parts:  # they test the list, not what it says
            continue
        where = path.relative_to(folder.parent).as_posix()
        words = () if "hil" in path.parts else known  # there they are a device's words
        for test, names in sorted(in_file(path.read_text("utf-8"), words).items()):
            for name in names:
                found[name].append(f"{where}::{test}")
    return {name: tuple(tests) for name, tests in found.items()}
