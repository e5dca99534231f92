"""A room's requests: typed fields with one clear sentence when they are wrong. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Request = Mapping[str, Any]
Verb = Callable[[Request], None]


class RequestError(ValueError):
    """A control request that cannot be done; the message is for a human."""


def field(request: Request, name: str, kind: type[Any]) -> Any:
    """A typed field; a number may be an int where a float is wanted."""
    value = request.get(name)
    wanted = (int, float) if kind is float else kind
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
        raise RequestError(f"'{request.get('do')}' needs '{name}' as {kind.__name__}")
    return value


def number(request: Request, name: str, low: float, high: float) -> float:
    """A number within bounds."""
    value = float(field(request, name, float))
    if not low <= value <= high:
        raise RequestError(f"'{name}' must lie between {low:g} and {high:g}")
    return value


def optional(request: Request, name: str, low: float, high: float) -> float | None:
    """A number within bounds, or None where the request says null."""
    return None if request.get(name) is None else number(request, name, low, high)
