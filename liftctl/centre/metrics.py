"""The centre's own figures for monitoring; sites push through the uplink, nobody pulls from them.

Role: from sums in the database to Prometheus. Process: console. Must never: carry a label of a
resident, a carer or a single device.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Connection, text

SUMS = """
SELECT municipality, count(*) AS controllers,
  count(*) FILTER (WHERE quarantined_at IS NOT NULL) AS quarantined,
  coalesce(max(extract(epoch FROM :now - durable_at)), 0)::float8 AS oldest,
  count(*) FILTER (WHERE durable_at < :now - interval '2 hours') AS silent,
  sum(set_aside)::float8 AS set_aside
FROM controller WHERE revoked_at IS NULL{own} GROUP BY municipality ORDER BY 1
"""
GAUGES = {
    "controllers": ("liftctl_centre_controllers", "enrolled gateways"),
    "quarantined": ("liftctl_centre_quarantined_controllers", "gateways whose rows contradict"),
    "oldest": ("liftctl_centre_oldest_durable_seconds", "age of the oldest last durable row"),
    "silent": ("liftctl_centre_silent_controllers", "gateways not heard for two hours"),
    "set_aside": ("liftctl_centre_set_aside_rows", "rows that came without their contents"),
}


class Sums(Collector):
    """One row for each municipality."""

    def __init__(self, rows: list[dict[str, object]]) -> None:
        self._rows = rows

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for column, (name, about) in GAUGES.items():
            gauge = GaugeMetricFamily(name, about, labels=["municipality"])
            for row in self._rows:
                gauge.add_metric([str(row["municipality"])], float(str(row[column])))
            yield gauge


def metrics(db: Connection, municipality: str, now: datetime) -> bytes:
    """Prometheus text of what this transaction may see; "" is every municipality."""
    registry = CollectorRegistry()
    own = " AND municipality = :municipality" if municipality else ""
    values = {"now": now, "municipality": municipality}
    rows = db.execute(text(SUMS.format(own=own)), values).mappings().all()
    registry.register(Sums([dict(row) for row in rows]))
    return generate_latest(registry)
