"""A person, a sling, the surfaces below and the strap that weighs them all. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hil.plants.axis import STEP_S

G_M_S2 = 9.81
BAR_KG = 2.0
_STRAP_N_MM = 200.0
_TAKE_UP_MM = 40.0  # bar travel from the first load to the full weight
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
    return next((s for s in (BED, CHAIR) if s.left_mm <= x_mm <= s.right_mm), FLOOR)


class SlingLoad:
    """The hanging mass: strap as spring and damper, the person's support as a soft spring."""

    def __init__(self, mass_kg: float, x_mm: float) -> None:
        self.mass_kg = mass_kg
        self.person_x_mm = x_mm
        self.hooked = False
        self.sling_mm = 0.0  # bar height at which the strap is just taut
        self.tension_n = BAR_KG * G_M_S2
        self._velocity_mm_s = 0.0

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
        self._velocity_mm_s = 0.0

    def unhook(self, x_mm: float) -> None:
        """Leave the person where they are."""
        self.hooked = False
        self.person_x_mm = x_mm

    def step(self, bar_mm: float, bar_mm_s: float, x_mm: float) -> None:
        """One millisecond with the bar at this height over this point."""
        surface = surface_at(x_mm)
        bar_share = min(max((bar_mm - surface.bar_rest_mm) / 2.0, 0.0), 1.0)
        self.tension_n = BAR_KG * G_M_S2 * bar_share
        if self.hooked:
            self.person_x_mm = x_mm
            self.tension_n += self._person_step(bar_mm, bar_mm_s, surface)

    def _person_step(self, bar_mm: float, bar_mm_s: float, surface: Surface) -> float:
        pull_n = self._strap_n(bar_mm, bar_mm_s)
        accel_m_s2 = (pull_n + self._support_n(surface)) / self.mass_kg - G_M_S2
        self._velocity_mm_s += accel_m_s2 * 1000.0 * STEP_S
        self.sling_mm += self._velocity_mm_s * STEP_S
        return pull_n

    def _strap_n(self, bar_mm: float, bar_mm_s: float) -> float:
        stretch_mm = bar_mm - self.sling_mm
        if stretch_mm <= 0.0:
            return 0.0
        damping = 0.8 * math.sqrt(_STRAP_N_MM * 1000.0 * self.mass_kg) / 1000.0
        return max(0.0, _STRAP_N_MM * stretch_mm + damping * (bar_mm_s - self._velocity_mm_s))

    def _support_n(self, surface: Surface) -> float:
        """Full weight where the person rests, nothing once the bar has taken it all."""
        weight_n = self.mass_kg * G_M_S2
        depth_mm = max(10.0, _TAKE_UP_MM - weight_n / _STRAP_N_MM)
        pressed = 1.0 - (self.sling_mm - (surface.free_mm - _TAKE_UP_MM)) / depth_mm
        if pressed <= 0.0:
            return 0.0
        damping = self.mass_kg * math.sqrt(G_M_S2 / depth_mm * 1000.0) / 1000.0
        reaction_n = weight_n * pressed - damping * self._velocity_mm_s
        return min(max(reaction_n, 0.0), 3.0 * weight_n)
