"""A baseline that several figures are held against."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benefit.made import FIRST_BEFORE, drawn, write


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("b") / "before.csv", drawn(FIRST_BEFORE, 2, 273.6))
