"""Small functions with deliberately weak tests: what `make mutation` must find is known.

Role: proof that the runner reports. Process: the mutation test. Must never: be imported by anything
else.
"""

from __future__ import annotations

import os


def capped(value: int, top: int) -> int:
    """At the boundary both answers are the same: `<=` and `<` are equivalent."""
    return value if value <= top else top


def shifted(value: int) -> int:
    """Called by its test, which looks at nothing."""
    return value + 3


def unused(value: int) -> int:
    """No test runs it."""
    return value - 7


def counted_down(value: int) -> int:
    """Without the subtraction it never ends."""
    while value > 0:
        value -= 2
    return value


def refused(value: int) -> int:
    """The other way round it takes the process with it."""
    if value > 1000:
        os._exit(1)
    return value


def doubled(value: int) -> int:
    """Well tested."""
    return value * 2
