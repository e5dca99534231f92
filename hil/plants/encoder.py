"""A position sensor between truth and drive: it may slip, freeze or count backwards. Pure."""

from __future__ import annotations

from enum import StrEnum


class EncoderMode(StrEnum):
    """What it does with a millimetre of motion."""

    OK = "ok"
    SLIPPING = "slipping"  # the coupling loses a part
    FROZEN = "frozen"
    INVERTED = "inverted"


class Encoder:
    """`error_mm` is what it has come to be wrong by; it stays when the fault goes."""

    def __init__(self) -> None:
        self.mode = EncoderMode.OK
        self.lost_share = 0.1  # of a slipping coupling
        self.error_mm = 0.0
        self._last_mm: float | None = None
        self.position_mm = self.velocity_mm_s = 0.0

    @property
    def _gain(self) -> float:
        return {
            EncoderMode.OK: 1.0,
            EncoderMode.SLIPPING: 1.0 - self.lost_share,
            EncoderMode.FROZEN: 0.0,
            EncoderMode.INVERTED: -1.0,
        }[self.mode]

    def read(self, position_mm: float, velocity_mm_s: float) -> None:
        """Take the truth; `position_mm` and `velocity_mm_s` are then what the drive sees."""
        moved = 0.0 if self._last_mm is None else position_mm - self._last_mm
        self._last_mm = position_mm
        self.error_mm += moved * (self._gain - 1.0)
        self.position_mm = position_mm + self.error_mm
        self.velocity_mm_s = velocity_mm_s * self._gain
