"""Coverage counts only what the tests of kernel, drivers and gate reach in this process.

Role: keeps tracing off everything else: it is slow, and other processes would not be seen. A long
walk or sweep says `pytest.mark.no_cover` itself.
"""

from __future__ import annotations

from pathlib import Path

import pytest

TRACED = ("drivers", "gate", "kernel", "table")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("cov_source", None):
        return
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        if folder not in TRACED or item.get_closest_marker("process"):
            item.add_marker("no_cover")
