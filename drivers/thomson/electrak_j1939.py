"""Thomson Electrak HD on J1939: read only.

Role: which message a 29-bit id is, and its values. Process: the gate (display only) and the CLI.
Must never: be sent a frame, or feed the kernel: nothing in the manual says that it stops when
commands stop coming.
"""

from __future__ import annotations

from dataclasses import dataclass

from config.profiles import FrameSpec, Profile
from drivers import j1939
from drivers.device import Decoded, Grant, Level, Wire, data_frame
from drivers.layout import LayoutError, unpack
from safety.types import Axis, Sample
from safety.verdict import AxisCommand

_FEEDBACK, _COMMAND, _CLAIM = 0x1EF00, 0x0EF00, 0x0EE00


def frame_name(node: int, can_id: int) -> str | None:
    """AFM, ACM or address_claim of the actuator at address `node`, from any priority and sender."""
    header = j1939.parse(can_id)
    if header.pgn == _COMMAND and header.destination == node:
        return "ACM"
    if header.pgn == _FEEDBACK and header.source == node:
        return "AFM"
    claims = header.pgn == _CLAIM and header.destination == j1939.GLOBAL
    return "address_claim" if claims and header.source == node else None


@dataclass(frozen=True, slots=True)
class ElectrakMonitor:
    """An actuator somebody else commands."""

    name: str
    profile: Profile
    bus: str
    node: int
    axis: Axis | None = None

    @property
    def level(self) -> Level:
        """Always monitor."""
        return Level.MONITOR

    @property
    def _frames(self) -> dict[int, FrameSpec]:
        return {spec.can_id(self.node): spec for spec in self.profile.frame}

    @property
    def accepts(self) -> frozenset[tuple[str, bool, int]]:
        """Feedback, commands of address 00 and the claim, at their usual priority."""
        return frozenset((self.bus, True, item) for item in self._frames)

    @property
    def mints(self) -> frozenset[Grant]:
        """Nothing."""
        return frozenset()

    @property
    def lines(self) -> frozenset[str]:
        """None."""
        return frozenset()

    def start(self) -> None:
        """It keeps no state."""

    def on_wire(self, state: None, wire: Wire, now_ns: int) -> tuple[None, Decoded]:
        """Values for display; never a sample."""
        frame = data_frame(wire, self.accepts)
        if frame is None:
            return None, Decoded()
        spec = self._frames[frame.id]
        try:
            fields = unpack(spec, frame.data)
        except LayoutError as error:
            return None, Decoded(error=str(error))
        asked = "commanded_" if spec.tx else ""  # what is asked for is not where it is
        shown = (
            (f"{asked}{name}", float(value))
            for name, value in fields.values.items()
            if not isinstance(value, str)
        )
        return None, Decoded(values=tuple(shown))

    def turn(
        self, state: None, now_ns: int, command: AxisCommand | None
    ) -> tuple[None, tuple[Wire, ...], tuple[Sample, ...]]:
        """Nothing to say."""
        return None, (), ()

    def reset_fault(self, state: None) -> None:
        """There is nothing to reset."""

    def status(self, state: None) -> str:
        """Always ready."""
        return ""
