"""Ends that come by whichever clock is stricter, also over restarts and set clocks.

Role: pure. Process: support. Must never: let a clock that was set back prolong anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from liftctl.setup.applied import Deadline

STEP_S = 5.0  # the wall clock may drift back by so much and still be believed


@dataclass(frozen=True, slots=True)
class Now:
    """`boot_s` counts since the start of the machine `boot`, sleep included; `wall_s` since 1970,
    never before the newest order that was believed.
    """

    boot_s: float
    wall_s: float
    boot: str


def after(now: Now, seconds: float) -> Deadline:
    """A deadline from now."""
    return Deadline(now.wall_s + seconds, now.boot_s + seconds, now.boot, now.wall_s)


def left_s(deadline: Deadline, now: Now) -> float:
    """Seconds left; 0 when either clock says so, the wall clock was set back past its beginning, or
    the machine was started again (its steady clock began anew: nobody knows how long it was off).
    """
    if now.boot != deadline.boot or now.wall_s < deadline.set_wall_s - STEP_S:
        return 0.0
    return max(0.0, min(deadline.wall_s - now.wall_s, deadline.boot_s - now.boot_s))
