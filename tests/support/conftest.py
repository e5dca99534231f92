"""Folders of each test's own."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the site's files go, below `run` and `data`."""
    monkeypatch.setenv("LIFTCTL_RUN", str(tmp_path / "run"))
    monkeypatch.setenv("LIFTCTL_DATA", str(tmp_path / "data"))
    return tmp_path
