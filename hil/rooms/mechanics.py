"""Requests that break the mechanics of a room: brakes, encoders, straps, things in the way.

A request is a fault of the hardware or something a person does to it. Never a way to drive.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from hil.plants.battery import Battery
from hil.plants.constants import G_M_S2
from hil.plants.encoder import Encoder, EncoderMode
from hil.plants.gear import BrakeMode, Gear
from hil.plants.lift import BAR_HIGH_MM, BAR_LOW_MM, RAIL_LEFT_MM, RAIL_RIGHT_MM, LiftPlant
from hil.plants.sling import Surface
from hil.rooms.request import Request, RequestError, Verb, field, number, optional


def set_encoder(encoders: Mapping[str, Encoder], request: Request) -> None:
    """{"do": "encoder", "axis": ..., "mode": ok|slipping|frozen|inverted, "lost_share": 0.1}."""
    encoder = encoders.get(field(request, "axis", str))
    if encoder is None:
        raise RequestError(f"axis is one of: {', '.join(encoders)}")
    mode = field(request, "mode", str)
    if mode not in list(EncoderMode):
        raise RequestError(f"encoder modes: {', '.join(EncoderMode)}")
    encoder.mode = EncoderMode(mode)
    if "lost_share" in request:
        encoder.lost_share = number(request, "lost_share", 0.0, 1.0)


def set_battery(battery: Battery, request: Request) -> None:
    """{"do": "battery", "aged": times the resistance, "temperature_c": of pack and air}."""
    if not {"aged", "temperature_c"} & set(request):
        raise RequestError("'battery' needs 'aged' or 'temperature_c'")
    if "aged" in request:
        battery.aged = number(request, "aged", 1.0, 50.0)
    if "temperature_c" in request:
        celsius = number(request, "temperature_c", -30.0, 60.0)
        battery.body.temperature_c = battery.body.ambient_c = celsius


class HoistFaults:
    """Verbs about the hoist, its strap and what hangs on it."""

    def __init__(self, plant: LiftPlant) -> None:
        self._plant = plant
        self.verbs: dict[str, Verb] = {
            "brake": self._brake,
            "gear": self._gear,
            "snag": self._snag,
            "obstruction": self._obstruction,
            "grab": self._grab,
            "loop_slips": self._loop_slips,
            "sling_fails": self._sling_fails,
            "battery": self._battery,
        }

    def _brake(self, request: Request) -> None:
        brake, mode = self._plant.hoist.stop, field(request, "mode", str)
        if mode not in list(BrakeMode):
            raise RequestError(f"brake modes: {', '.join(BrakeMode)}")
        brake.mode = BrakeMode(mode)
        if "slip_n" in request:
            brake.slip_n = number(request, "slip_n", 0.0, 4500.0)
        if "engage_ms" in request:
            brake.engage_s = number(request, "engage_ms", 0.0, 2000.0) / 1000.0

    def _gear(self, request: Request) -> None:
        efficiency = number(request, "efficiency", 0.2, 0.95)
        self._plant.hoist.gear = Gear(efficiency)

    def _snag(self, request: Request) -> None:
        """The strap is caught at this moment: the bar sinks no lower until it is free."""
        caught = field(request, "value", bool)
        self._plant.snag_mm = self._plant.bar_mm if caught else None

    def _obstruction(self, request: Request) -> None:
        """Where: above (the sling is caught under it), below, or rail; `mm` null removes it."""
        where, plant = field(request, "where", str), self._plant
        if where == "above":
            plant.load.caught_mm = optional(request, "mm", BAR_LOW_MM, BAR_HIGH_MM)
        elif where == "below":
            at_mm = optional(request, "mm", BAR_LOW_MM, BAR_HIGH_MM)
            below = None if at_mm is None else Surface("obstacle", -math.inf, math.inf, at_mm)
            plant.load.obstacle = below
        elif where == "rail":
            plant.rail_stop_mm = optional(request, "mm", RAIL_LEFT_MM, RAIL_RIGHT_MM)
        else:
            raise RequestError("'where' is above, below or rail")

    def _grab(self, request: Request) -> None:
        self._plant.load.grab_n = number(request, "kg", 0.0, 150.0) * G_M_S2

    def _loop_slips(self, request: Request) -> None:
        self._plant.load.slipped_share = number(request, "share", 0.0, 1.0)

    def _sling_fails(self, _request: Request) -> None:
        self._plant.load.drop(self._plant.traverse.position_mm)

    def _battery(self, request: Request) -> None:
        set_battery(self._plant.battery, request)
