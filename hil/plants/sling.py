"""A person, a sling, the surfaces below and the strap that weighs them all. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hil.plants.axis import STEP_S
from hil.plants.constants import G_M_S2

BAR_KG = 2.0
STRAP_N_MM = 200.0
_TAKE_UP_MM = 40.0  # bar travel from the first load to the full weight
STRAP_DAMPING = 0.4  # of the critical
_CAUGHT_N_MM = 500.0  # of a bed rail that a sling is caught under
_BAR_REST_BELOW_MM = 120.0  # a slack bar lies this far below the free height


@dataclass(frozen=True, slots=True)
class Surface:
    """Something a person lies or sits on; above `free_mm` of bar height they hang free."""

    name: str
    left_mm: float
    right_mm: float
    free_mm: float

    @property
    def bar_rest_mm(self) -> float:
        """Height at which the hanger bar itself comes to rest."""
        return self.free_mm - _BAR_REST_BELOW_MM


BED = Surface("bed", 0.0, 900.0, 1000.0)
CHAIR = Surface("chair", 2600.0, 3400.0, 900.0)
FLOOR = Surface("floor", -math.inf, math.inf, 500.0)


def surface_at(x_mm: float) -> Surface:
    """What is below this point of the rail."""
    for surface in (BED, CHAIR):
        if surface.left_mm <= x_mm <= surface.right_mm:
            return surface
    return FLOOR


class SlingLoad:
    """The hanging mass: strap as spring and damper, the person's support as a soft spring.

    Faults: `caught_mm` (cannot rise above), `obstacle` (something below that is not on the plan),
    `grab_n` (somebody pulls the bar down), `slipped_share` (of the weight that hangs no more).
    """

    def __init__(
        self,
        mass_kg: float,
        x_mm: float,
        step_s: float = STEP_S,
        damping: float = STRAP_DAMPING,
    ) -> None:
        self.mass_kg = mass_kg
        self.person_x_mm = x_mm
        self.hooked = self.fallen = False
        self.sling_mm = 0.0  # bar height at which the strap is just taut
        self.tension_n = BAR_KG * G_M_S2  # what the hoist's end of the strap feels
        self.support_n = self.pull_n = 0.0
        self.caught_mm: float | None = None
        self.obstacle: Surface | None = None
        self.grab_n = self.slipped_share = 0.0
        self.velocity_mm_s = 0.0
        self._step_s, self._damping = step_s, damping

    @property
    def reading_kg(self) -> float:
        """What a load cell tared with the empty bar reads."""
        return self.tension_n / G_M_S2 - BAR_KG

    @property
    def strap_tight(self) -> bool:
        """The slack contact: the bar's own weight still pulls."""
        return self.tension_n > 0.5 * BAR_KG * G_M_S2

    def hook(self, x_mm: float) -> None:
        """Attach the sling of the person resting at the surface."""
        self.hooked = True
        self.sling_mm = surface_at(x_mm).free_mm - _TAKE_UP_MM
        self.velocity_mm_s = 0.0

    def unhook(self, x_mm: float) -> None:
        """Leave the person where they are."""
        self.hooked = False
        self.person_x_mm = x_mm
        self.support_n = self.pull_n = 0.0

    def drop(self, x_mm: float) -> None:
        """The sling gives way: the person is below, the bar alone hangs."""
        self.fallen = self.fallen or self.hooked
        self.unhook(x_mm)

    def surface(self, x_mm: float) -> Surface:
        """What is below, an unplanned obstacle first."""
        return self.obstacle or surface_at(x_mm)

    def step(
        self,
        bar_mm: float,
        bar_mm_s: float,
        x_mm: float,
        weight_share: float = 1.0,
        drum_slack: bool = False,
    ) -> None:
        """One step with the bar at this height over this point; a swing changes the weight.

        `drum_slack`: the strap is snagged between drum and bar, the hoist feels nothing.
        """
        surface = self.surface(x_mm)
        bar_share = min(max((bar_mm - surface.bar_rest_mm) / 2.0, 0.0), 1.0)
        hanging_n = (BAR_KG * G_M_S2 + self.grab_n) * bar_share
        if self.hooked:
            self.person_x_mm = x_mm
            hanging_n += self._person_step(bar_mm, bar_mm_s, surface, weight_share)
        self.tension_n = 0.0 if drum_slack else hanging_n

    def _person_step(
        self, bar_mm: float, bar_mm_s: float, surface: Surface, weight_share: float
    ) -> float:
        self.pull_n = self._strap_n(bar_mm, bar_mm_s)
        self.support_n = self._support_n(surface)
        force_n = self.pull_n + self.support_n - self._caught_n()
        weight = G_M_S2 * (weight_share - self.slipped_share)
        accel_m_s2 = force_n / self.mass_kg - weight
        self.velocity_mm_s += accel_m_s2 * 1000.0 * self._step_s
        self.sling_mm += self.velocity_mm_s * self._step_s
        return self.pull_n

    def _caught_n(self) -> float:
        if self.caught_mm is None:
            return 0.0
        return _CAUGHT_N_MM * max(0.0, self.sling_mm - self.caught_mm)

    def _strap_n(self, bar_mm: float, bar_mm_s: float) -> float:
        stretch_mm = bar_mm - self.sling_mm
        if stretch_mm <= 0.0:
            return 0.0
        critical = 2.0 * math.sqrt(STRAP_N_MM * 1000.0 * self.mass_kg) / 1000.0
        damping_n = self._damping * critical * (bar_mm_s - self.velocity_mm_s)
        return max(0.0, STRAP_N_MM * stretch_mm + damping_n)

    def _support_n(self, surface: Surface) -> float:
        """Full weight where the person rests, nothing once the bar has taken it all."""
        weight_n = self.mass_kg * G_M_S2
        depth_mm = max(10.0, _TAKE_UP_MM - weight_n / STRAP_N_MM)
        pressed = 1.0 - (self.sling_mm - (surface.free_mm - _TAKE_UP_MM)) / depth_mm
        if pressed <= 0.0:
            return 0.0
        damping = self.mass_kg * math.sqrt(G_M_S2 / depth_mm * 1000.0) / 1000.0
        reaction_n = weight_n * pressed - damping * self.velocity_mm_s
        return min(max(reaction_n, 0.0), 3.0 * weight_n)
