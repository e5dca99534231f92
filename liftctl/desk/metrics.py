"""Prometheus figures of one room, made at each scrape from what the desk last heard.

Role: collector. Process: desk. Must never: carry a resident, a carer or a badge in a label.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from liftctl import ipc
from liftctl.desk.ledger import Outcomes
from liftctl.desk.watch import Watch


class Room(Collector):
    """`clock` gives monotonic nanoseconds."""

    def __init__(self, watch: Watch, outcomes: Outcomes, clock: Callable[[], int]) -> None:
        self._watch, self._outcomes, self._clock = watch, outcomes, clock

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        now_ns = self._clock()
        for name, age in self._watch.ages_ns(now_ns).items():
            if age is not None:
                yield GaugeMetricFamily(
                    f"liftctl_{name}_tick_age_seconds",
                    f"Age of the {name}'s newest state",
                    age / 1e9,
                )
        transfers = CounterMetricFamily(
            "liftctl_transfers", "Transfers in the ledger", labels=["outcome"]
        )
        for outcome, count in sorted(self._outcomes.counts(now_ns).items()):
            transfers.add_metric([outcome], count)
        yield transfers
        if self._watch.gate is not None:
            yield from _gate(self._watch.gate)
        if self._watch.recorder is not None:
            yield from _recorder(self._watch.recorder)
        if self._watch.guard is not None:
            yield CounterMetricFamily("liftctl_guard_cuts", "Cuts", self._watch.guard.cuts)
            yield CounterMetricFamily("liftctl_guard_checks", "Checks", self._watch.guard.checks)


def _gate(state: ipc.GateState) -> Iterator[Metric]:
    info = {"version": state.version, "config_hash": state.config_hash}
    yield InfoMetricFamily("liftctl_build", "What runs here", info)
    load = state.values.get("load_kg")
    if load is not None:
        yield GaugeMetricFamily("liftctl_load_kilograms", "Load on the lift", load)
    rows = GaugeMetricFamily(
        "liftctl_rows_active", "Interlock rows that are active", labels=["row"]
    )
    for row in sorted({*state.active, *state.latched}):
        rows.add_metric([row], 1)
    yield rows
    values = GaugeMetricFamily(
        "liftctl_device_value", "Display values of devices", labels=["device", "name"]
    )
    for device, shown in state.devices.items():
        for name, value in shown.items():
            values.add_metric([device, name], value)
    yield values
    for name, count in state.counters.items():
        plain = re.sub(r"\W", "_", name)
        yield CounterMetricFamily(f"liftctl_{plain}", "Counter of the gate", count)


def _recorder(state: ipc.RecorderState) -> Iterator[Metric]:
    yield GaugeMetricFamily("liftctl_recorder_healthy", "Can write", float(state.healthy))
    yield GaugeMetricFamily(
        "liftctl_ledger_warning",
        "The ledger writes, and has something to say: see the desk",
        float(bool(state.warning)),
    )
    yield GaugeMetricFamily("liftctl_ledger_entries", "Entries in the ledger", state.entries)
    unsigned = state.entries - state.signed
    yield GaugeMetricFamily("liftctl_ledger_unsigned", "Entries after the last head", unsigned)
    yield InfoMetricFamily("liftctl_wall_clock", "Of the recorder", {"sync": state.clock})


def registry(room: Room) -> CollectorRegistry:
    """A registry of our own: nothing of the interpreter's."""
    made = CollectorRegistry()
    made.register(room)
    return made
