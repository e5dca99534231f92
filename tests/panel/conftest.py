from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.panel.house import House


@pytest.fixture
def run_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIFTCTL_RUN", str(tmp_path / "run"))
    monkeypatch.setenv("LIFTCTL_DATA", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture
def lift(run_dir: Path) -> Iterator[House]:
    house = House("lift")
    yield house
    house.close()


@pytest.fixture
def chair(run_dir: Path) -> Iterator[House]:
    house = House("chair")
    yield house
    house.close()
