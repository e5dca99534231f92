"""The fixed mutation operators: one syntax node in, the nodes that could stand there by mistake.

Role: what `make mutation` changes. Process: the mutation test. Must never: depend on anything but
the node (and the enums of the tree), so that the list of mutants is the same every time.

Operators: comparison (boundary and negation, also `in` and `is`), and/or, `not` removed, sign and
`~` removed, arithmetic swap, bit operator swap, number +1, -1 and 0, boolean flip, `min`/`max` and
`any`/`all` swap, the next member of an enum, one byte of a bytes constant, another string,
condition always or never true, return None or the contrary, statement deleted.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from copy import deepcopy

Change = tuple[str, ast.AST]
Enums = dict[str, tuple[str, ...]]

_COMPARE: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
}
_BITS: dict[type[ast.operator], type[ast.operator]] = {
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_BUILTINS = {"min": "max", "max": "min", "any": "all", "all": "any"}


def expression(node: ast.expr, enums: Enums) -> Iterator[Change]:
    """What an expression could be instead."""
    match node:
        case ast.Compare():
            for n, operator in enumerate(node.ops):
                for other in _COMPARE[type(operator)]:
                    changed = deepcopy(node)
                    changed.ops[n] = other()
                    yield "comparison", changed
        case ast.BoolOp():
            swapped = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield "and-or", ast.BoolOp(swapped, deepcopy(node.values))
        case ast.UnaryOp(op=ast.Not()):
            yield "not-removed", deepcopy(node.operand)
        case ast.UnaryOp(op=ast.USub() | ast.Invert()):
            yield "sign-removed", deepcopy(node.operand)
        case ast.BinOp():
            yield from _binary(node)
        case ast.Constant():
            yield from _constant(node.value)
        case ast.Call(func=ast.Name(id=name)) if name in _BUILTINS:
            call = deepcopy(node)
            call.func = ast.Name(_BUILTINS[name], ast.Load())
            yield "builtin", call
        case ast.Attribute():
            yield from _member(node, enums)


def _binary(node: ast.BinOp) -> Iterator[Change]:
    kind = type(node.op)
    for name, table in (("arithmetic", _ARITHMETIC), ("bits", _BITS)):
        if kind in table:
            yield name, ast.BinOp(deepcopy(node.left), table[kind](), deepcopy(node.right))


def _constant(value: object) -> Iterator[Change]:
    if isinstance(value, bool):
        yield "boolean", ast.Constant(not value)
    elif isinstance(value, int | float):
        zero = type(value)(0)
        for other in dict.fromkeys((value + 1, value - 1, zero)):
            if other != value:
                yield "number", ast.Constant(other)
    elif isinstance(value, bytes) and value:
        yield "bytes", ast.Constant(value[:-1] + bytes((value[-1] ^ 1,)))
    elif isinstance(value, str) and value and " " not in value:
        yield "string", ast.Constant(value + "_")  # a text with a blank is for people


def _member(node: ast.Attribute, enums: Enums) -> Iterator[Change]:
    owner = node.value
    name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
    members = enums.get(name, ())
    if node.attr in members and len(members) > 1:
        after = members[(members.index(node.attr) + 1) % len(members)]
        yield "member", ast.Attribute(deepcopy(owner), after, ast.Load())


def condition(node: ast.expr, loop: bool = False) -> Iterator[Change]:
    """A condition that no longer decides; a loop is only ever skipped."""
    if not isinstance(node, ast.Constant):
        yield "never", ast.Constant(False)
        if not loop:
            yield "always", ast.Constant(True)


def result(node: ast.Return, boolean: bool) -> Iterator[Change]:
    """A return that says nothing, or the contrary."""
    if node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None):
        return
    yield "return-none", ast.Return(ast.Constant(None))
    negated = isinstance(node.value, ast.Constant | ast.Compare)  # by another operator
    if boolean and not negated:
        yield "return-not", ast.Return(ast.UnaryOp(ast.Not(), deepcopy(node.value)))


def statement(node: ast.stmt, bound: frozenset[str]) -> Iterator[Change]:
    """A statement left out, where the rest can still run: `bound` are the names known before."""
    match node:
        case ast.Expr(value=ast.Call()) | ast.Raise() | ast.Continue() | ast.Break() | ast.Delete():
            yield "deleted", ast.Pass()
        case ast.Assign(targets=targets):
            if _known(targets, bound):
                yield "deleted", ast.Pass()
        case ast.AugAssign():
            yield "deleted", ast.Pass()
        case ast.AnnAssign(target=target, value=ast.expr()):
            if _known([target], bound):
                yield "deleted", ast.Pass()


def _known(targets: list[ast.expr], bound: frozenset[str]) -> bool:
    names = {
        item.id
        for target in targets
        for item in ast.walk(target)
        if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
    }
    return names <= bound


def enums_of(trees: list[ast.Module]) -> Enums:
    """Every enum of the tree with its members, in order."""
    found: Enums = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and _is_enum(node):
                targets = [s.targets[0] for s in node.body if isinstance(s, ast.Assign)]
                found[node.name] = tuple(t.id for t in targets if isinstance(t, ast.Name))
    return found


def _is_enum(node: ast.ClassDef) -> bool:
    bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
    return bool(bases & {"Enum", "StrEnum", "IntEnum", "Flag", "IntFlag"})
