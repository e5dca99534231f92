"""Fault confinement of one CAN controller: the two error counters and what follows from them.

Pure: no frame, no time. The rules are those of ISO 11898-1, fault confinement: a sender's error
counts 8, a success takes 1 back, above 127 a node may only speak passively, above 255 not at all.
It must never let a node leave the bus because it could not be heard: a lone node stays passive.
"""

from __future__ import annotations

from enum import StrEnum

WARNING_LIMIT, PASSIVE_LIMIT, OFF_LIMIT = 96, 128, 256
_REC_AFTER_PASSIVE = 119  # the standard leaves 119..127 to the controller


class NodeState(StrEnum):
    """FMI-LS-BUS status names; the warning is an interrupt of most controllers, not a state."""

    ACTIVE = "error active"
    WARNING = "error warning"
    PASSIVE = "error passive"
    BUS_OFF = "bus off"


class Confinement:
    """Counters of one node; it starts error active."""

    __slots__ = ("is_off", "rec", "tec")

    def __init__(self) -> None:
        self.tec = self.rec = 0
        self.is_off = False

    @property
    def is_passive(self) -> bool:
        """Its error flags are recessive: nobody else sees them."""
        return self.tec >= PASSIVE_LIMIT or self.rec >= PASSIVE_LIMIT

    @property
    def state(self) -> NodeState:
        """What the controller would report."""
        if self.is_off:
            return NodeState.BUS_OFF
        if self.is_passive:
            return NodeState.PASSIVE
        warned = max(self.tec, self.rec) >= WARNING_LIMIT
        return NodeState.WARNING if warned else NodeState.ACTIVE

    def sent(self) -> None:
        """A frame of its own was acknowledged."""
        self.tec = max(0, self.tec - 1)

    def heard(self) -> None:
        """A frame of another node was received without error."""
        self.rec = _REC_AFTER_PASSIVE if self.rec >= PASSIVE_LIMIT else max(0, self.rec - 1)

    def sending_failed(self, *, unacknowledged: bool = False) -> None:
        """An error flag ended its frame; a passive node that merely lacks an answer counts none."""
        if unacknowledged and self.is_passive:
            return
        self.tec += 8
        if self.tec >= OFF_LIMIT:
            self.is_off = True

    def hearing_failed(self, *, first: bool) -> None:
        """A frame of another node was broken; `first`: here alone, so the others' flags follow."""
        self.rec = min(255, self.rec + (9 if first else 1))

    def held_dominant(self, *, sending: bool) -> None:
        """Eight more dominant bits after its error flag."""
        if sending:
            self.sending_failed()
        else:
            self.rec = min(255, self.rec + 8)

    def recovered(self) -> None:
        """128 times 11 recessive bits were seen after bus-off."""
        self.__init__()  # type: ignore[misc]
