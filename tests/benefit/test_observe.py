"""The time-study page: a stopwatch whose file is a baseline."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from config.schema import load
from liftctl.desk import app as desk
from tests.benefit.made import run
from tests.chromium import chromium
from tests.panel.house import serving

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "liftctl" / "desk" / "static"
pytestmark = pytest.mark.browser


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    monkeypatch.setenv("LIFTCTL_RUN", str(tmp_path / "run"))
    monkeypatch.setenv("LIFTCTL_DATA", str(tmp_path / "data"))
    made = desk.create(load(ROOT / "config" / "sites" / "demo-lift.toml"))
    with serving(made) as port, chromium() as browser:
        found = browser.new_page(
            viewport={"width": 390, "height": 900}, timezone_id="Europe/Copenhagen"
        )
        found.clock.install(time="2026-03-02T08:00:00+01:00")
        found.goto(f"http://127.0.0.1:{port}/static/observe.html")
        found.select_option("#language", "en")
        yield found


def observe(page: Page, resident: str, waiting_s: int, together_s: int) -> None:
    """Two carers, the second after a while."""
    page.fill("#resident", resident)
    page.click("#start")
    page.clock.fast_forward(waiting_s * 1000)
    page.click("#join")
    page.clock.fast_forward(together_s * 1000)
    page.click("#end")
    page.clock.fast_forward(60_000)


def saved(page: Page, path: Path) -> list[dict[str, str]]:
    with page.expect_download() as done:
        page.click("#save")
    done.value.save_as(path)
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_second_carers_waiting_is_in_the_file_and_the_file_is_a_baseline(
    page: Page, tmp_path: Path
) -> None:
    page.fill("#home", "North")
    for number in range(6):
        observe(page, f"r-{number}", waiting_s=50, together_s=200)
    page.reload()  # the list outlives the page
    path = tmp_path / "study.csv"
    rows = saved(page, path)
    assert len(rows) == 6
    assert float(rows[0]["staff_s"]) == pytest.approx(450, abs=2)
    assert float(rows[0]["waiting_s"]) == pytest.approx(50, abs=2)
    assert rows[0]["started_at"].endswith("+01:00")
    frozen = tmp_path / "baseline.json"
    done = run("baseline", "freeze", "--transfers", path, "--out", frozen)
    assert done.exit_code == 0, done.output
    assert "6 transfers" in done.stdout


def test_nothing_starts_without_home_and_code_and_no_request_carries_a_measurement(
    page: Page,
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.click("#start")
    assert page.inner_text("#told") == "Fill in home and the resident's code first"
    page.fill("#home", "North")
    observe(page, "r-1", 30, 100)
    assert not asked


def test_an_abort_and_an_undone_start_are_told_apart(page: Page, tmp_path: Path) -> None:
    page.fill("#home", "North")
    page.fill("#resident", "r-1")
    page.click("#start")
    page.click("#undo")
    page.click("#start")
    page.clock.fast_forward(45_000)
    page.click("#abort")
    assert [row["outcome"] for row in saved(page, tmp_path / "x.csv")] == ["aborted"]


def test_the_page_says_the_same_in_every_language() -> None:
    text = (STATIC / "observe_words.js").read_text("utf-8")
    words = json.loads(text.removeprefix("export default "))
    assert set(words) == {"da", "sv", "en"}
    assert len({frozenset(part) for part in words.values()}) == 1
    assert all(value.strip() for part in words.values() for value in part.values())
