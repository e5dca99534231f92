"""Coverage counts only what the tests of kernel, drivers and gate reach in this process; one long
walk runs beside them.

Role: keeps tracing off everything else: it is slow, and other processes would not be seen. A long
walk or sweep says `pytest.mark.no_cover` itself. The walk over the gate's turn takes idle time from
the first test on, where its own test was selected, which comes last.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.gate.beside import Beside

# How long a draw takes says something of the machine, nothing of the code.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

TRACED = ("drivers", "gate", "kernel", "table")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)
    if not config.getoption("cov_source", None):
        return
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        if folder not in TRACED or item.get_closest_marker("process"):
            item.add_marker("no_cover")


@pytest.fixture(scope="session", autouse=True)
def beside(request: pytest.FixtureRequest) -> Iterator[Beside]:
    """The long walk, begun where the test that awaits it was selected."""
    wanted = any(item.get_closest_marker("last") for item in request.session.items)
    child = Beside(wanted)
    yield child
    child.end()
