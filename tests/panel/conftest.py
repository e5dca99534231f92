from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from liftctl.panel.app import create
from liftctl.places import Places
from liftctl.remote.enrol import enrol
from tests.chromium import chromium
from tests.panel.house import House, serving, site
from tests.panel.wall import Enrolled, Wall, tablet


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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def wall(browser: Browser, lift: House) -> Iterator[Wall]:
    with serving(create(site("lift"))) as port, tablet(browser) as context:
        made = Wall(context.new_page(), lift)
        made.open(port)
        yield made
    assert made.complaints == []


@pytest.fixture
def afar(browser: Browser, lift: House) -> Iterator[Enrolled]:
    """A wall whose site is enrolled for support."""
    enrol(Places("demo-lift"), "north-1", "http://127.0.0.1:1", "")
    with serving(create(site("lift"))) as port, tablet(browser) as context:
        wall = Wall(context.new_page(), lift)
        made = Enrolled(lift, wall.page)
        wall.open(port)
        yield made
    assert wall.complaints == []
