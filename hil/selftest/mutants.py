"""Every mutant of one module, each with a key that outlives edits elsewhere in the file.

Role: where the operators apply. Process: the mutation test. Must never: mutate what cannot change
a decision: docstrings, annotations, imports, decorators and class keywords, `__all__`, type
aliases, texts of errors and f-strings (their values are mutated), `zip(strict=)`.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import CodeType

from hil.selftest import operators
from hil.selftest.operators import Change, Enums

_SKIPPED_FIELDS = frozenset(
    ("annotation", "returns", "decorator_list", "bases", "format_spec", "type_params", "ctx")
)
_DISPLAY = frozenset(("reason", "text", "error", "why", "hint", "title", "help", "strict"))
_SKIPPED_NODES = (ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal)


@dataclass(frozen=True, slots=True)
class Mutant:
    """`line`s are for people and for choosing tests; `key` is what lists refer to."""

    module: str
    function: str
    operator: str
    before: str
    after: str
    occurrence: int
    first_line: int
    last_line: int
    at_import: bool
    site: int = field(compare=False)
    change: int = field(compare=False)

    @property
    def place(self) -> str:
        """Module and function, "-" outside of any."""
        return f"{self.module}:{self.function or '-'}"

    @property
    def key(self) -> str:
        """Module, function, operator, texts, and which of several equal ones."""
        return f"{self.place} {self.operator} `{self.before}` -> `{self.after}` #{self.occurrence}"


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where the walk is."""

    function: str = ""
    inside: bool = False  # a function's body: runs when called
    boolean: bool = False
    bound: frozenset[str] = frozenset()
    lines: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class _Site:
    """A node that operators apply to, and how to replace it."""

    owner: ast.AST
    name: str
    index: int | None
    node: ast.AST
    scope: _Scope
    changes: tuple[Change, ...]

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.owner, self.name, node)
        else:
            getattr(self.owner, self.name)[self.index] = node


def of_module(path: str, source: str, enums: Enums) -> list[Mutant]:
    """All mutants of the module at `path` (as `safety/step.py`)."""
    found: list[Mutant] = []
    seen: Counter[tuple[str, ...]] = Counter()
    for n, site in enumerate(_sites(ast.parse(source), enums)):
        for m, (operator, node) in enumerate(site.changes):
            before, after = _text(site.node), _text(node)
            same = (site.scope.function, operator, before, after)
            first, last = site.scope.lines
            mutant = Mutant(
                path, *same, seen[same], first, last, not site.scope.inside, site=n, change=m
            )
            seen[same] += 1
            found.append(mutant)
    return found


def compiled(mutant: Mutant | None, path: Path, source: str, enums: Enums) -> CodeType:
    """The module's code with the one change; unchanged without a mutant."""
    return compile(_tree(mutant, source, enums), str(path), "exec", dont_inherit=True)


def changed(mutant: Mutant, source: str, enums: Enums) -> str:
    """The module's text with the one change, without its comments."""
    return ast.unparse(_tree(mutant, source, enums))


def _tree(mutant: Mutant | None, source: str, enums: Enums) -> ast.Module:
    tree = ast.parse(source)
    if mutant is not None:
        site = list(_sites(tree, enums))[mutant.site]
        site.put(ast.copy_location(site.changes[mutant.change][1], site.node))
    return ast.fix_missing_locations(tree)


def _text(node: ast.AST) -> str:
    return ast.unparse(node).splitlines()[0]


def _sites(tree: ast.Module, enums: Enums) -> Iterator[_Site]:
    for n, node in enumerate(tree.body):
        yield from _walk(tree, "body", n, node, _Scope(), enums)


def _walk(
    owner: ast.AST, name: str, index: int | None, node: ast.AST, scope: _Scope, enums: Enums
) -> Iterator[_Site]:
    if isinstance(node, _SKIPPED_NODES) or _is_idle(node):
        return
    if isinstance(node, ast.keyword) and node.arg in _DISPLAY:
        return
    if isinstance(node, ast.stmt):
        scope = replace(scope, lines=_lines(node))
    changes = tuple(_changes(owner, name, node, scope, enums))
    if changes:
        yield _Site(owner, name, index, node, scope, changes)
    if isinstance(node, ast.Raise):
        return
    inner = _entered(node, scope)
    for child, child_index, part in _children(node):
        outside = isinstance(node, ast.FunctionDef) and child == "args"
        within = replace(scope, function=inner.function) if outside else inner
        yield from _walk(node, child, child_index, part, within, enums)
        if inner.inside and isinstance(part, ast.stmt):
            inner = replace(inner, bound=inner.bound | _stored(part))


def _children(node: ast.AST) -> Iterator[tuple[str, int | None, ast.AST]]:
    for name, value in ast.iter_fields(node):
        if name in _SKIPPED_FIELDS or (isinstance(node, ast.ClassDef) and name == "keywords"):
            continue
        if isinstance(value, ast.AST):
            yield name, None, value
        elif isinstance(value, list):
            for n, item in enumerate(value):
                literal = isinstance(node, ast.JoinedStr) and isinstance(item, ast.Constant)
                if isinstance(item, ast.AST) and not literal:
                    yield name, n, item


def _changes(
    owner: ast.AST, name: str, node: ast.AST, scope: _Scope, enums: Enums
) -> Iterator[Change]:
    if isinstance(node, ast.expr):
        yield from operators.expression(node, enums)
        is_condition = isinstance(owner, ast.If | ast.IfExp | ast.While) and name == "test"
        if is_condition or name in ("ifs", "guard"):
            yield from operators.condition(node, isinstance(owner, ast.While))
    elif isinstance(node, ast.Return):
        yield from operators.result(node, scope.boolean)
    elif isinstance(node, ast.stmt) and scope.inside:
        yield from operators.statement(node, scope.bound)


def _entered(node: ast.AST, scope: _Scope) -> _Scope:
    if not isinstance(node, ast.FunctionDef | ast.ClassDef):
        return scope
    function = f"{scope.function}.{node.name}".lstrip(".")
    if isinstance(node, ast.ClassDef):
        return replace(scope, function=function)
    every = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    boolean = isinstance(node.returns, ast.Name) and node.returns.id == "bool"
    return replace(
        scope,
        function=function,
        inside=True,
        boolean=boolean,
        bound=frozenset(item.arg for item in every),
    )


def _stored(node: ast.stmt) -> frozenset[str]:
    names = (item for item in ast.walk(node) if isinstance(item, ast.Name))
    return frozenset(item.id for item in names if isinstance(item.ctx, ast.Store))


def _lines(node: ast.stmt) -> tuple[int, int]:
    """The statement's own lines: of a compound one, its header."""
    body = getattr(node, "body", None)
    if isinstance(body, list) and body:
        return node.lineno, max(node.lineno, body[0].lineno - 1)
    if isinstance(node, ast.Match):
        return node.lineno, node.lineno
    return node.lineno, node.end_lineno or node.lineno


def _is_idle(node: ast.AST) -> bool:
    """Docstrings, `...`, `__all__`, type aliases, `if TYPE_CHECKING`."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name[:1].isupper() and not name.isupper() and _is_type(value)
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
    return False


def _is_type(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp | ast.Subscript | ast.Name | ast.Attribute)
