"""The console in a browser: what a technician sees, on a desk and on a phone."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Page
from sqlalchemy import Engine
from starlette.testclient import TestClient

from liftctl.centre import app as console
from liftctl.centre import people, risk
from liftctl.centre.people import Person
from liftctl.centre.signin import DEMO, SignIn
from tests.centre.home import Home
from tests.chromium import chromium

WORDS = Path(console.__file__).parent / "static" / "words"
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


def test_every_language_has_every_text_and_every_reason_has_a_name() -> None:
    words = {code: json.loads((WORDS / f"{code}.json").read_text()) for code in console.LANGUAGES}
    for code, told in words.items():
        assert set(told) == set(words["en"]), code
        assert all(told.values()), code
        for key, text in told.items():
            blanks = {part.split("}")[0] for part in text.split("{")[1:]}
            known = {part.split("}")[0] for part in words["en"][key].split("{")[1:]}
            assert blanks == known, (code, key)
    assert {f"risk.{item['code']}" for item in risk.legend()} <= set(words["en"])


def test_no_page_needs_a_build_step_an_inline_script_or_another_host() -> None:
    for path in WORDS.parent.glob("*.*"):
        text = path.read_text(encoding="utf-8")
        assert "innerHTML" not in text
        assert "http://" not in text.replace("http://www.w3.org", "")
        assert "https://" not in text
        assert ".style" not in text.replace('rel="stylesheet"', "") or path.suffix == ".css"


@pytest.fixture
def address(engine: Engine, ingest: TestClient, tmp_path: Path) -> Iterator[str]:
    """A console over one home whose every text is hostile."""
    home = Home.enrolled(engine, ingest, tmp_path / "a", "nordby", "skovly", "lift-a")
    home.transfers(15, kind=HOSTILE, blocks=[{"row": HOSTILE}])
    frame = {"t_s": [-2, -1, 0], "hoist_speed_mm_s": [0, 50, 0], HOSTILE: [1, 2, 3]}
    home.event("commissioned", values={"motor_current_pct_at_swl": 60.0})
    home.event("trend", values={"motor_current_pct_at_swl": 80.0, HOSTILE: 1.0})
    home.event("trip", row=HOSTILE, moving=HOSTILE, window=frame)
    home.event("report", mode=HOSTILE, latched=[HOSTILE], battery_pct=HOSTILE, version=HOSTILE)
    home.event("service", done=HOSTILE, result=HOSTILE, cycles=2600, service_cycles=2500)
    home.drain()
    people.add_member(engine, DEMO, "p", Person(HOSTILE, "centre"))
    config = uvicorn.Config(lambda scope: None, log_level="error")
    server = uvicorn.Server(config)
    sock = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    demo = (("p", "Somebody"),)
    config.app = console.create(engine, SignIn("s" * 32, url, None, demo))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    yield url
    server.should_exit = True
    thread.join(60)


@pytest.mark.browser
@pytest.mark.parametrize("size", [(1280, 900), (390, 844)], ids=["desk", "phone"])
def test_a_technician_finds_the_device_and_hostile_texts_stay_texts(
    address: str, size: tuple[int, int]
) -> None:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": size[0], "height": size[1]})
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" and
                "401" not in said.text else None)  # fmt: skip
        _walk(page, address)
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert complaints == []


def _walk(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Somebody").click()
    page.locator(".row").first.wait_for()
    assert "100" not in page.locator(".row .chips").inner_text()
    page.locator(".row").first.click()
    page.locator(".trend").first.wait_for()
    assert "+33 %" in page.locator(".trend").first.inner_text()
    page.locator(".events details:not(.none) summary").first.click()
    page.locator(".frame svg").first.wait_for()
    assert "<script>" in page.locator(".events").inner_text()
    page.goto(f"{address}/#/evidence")
    page.locator("table").first.wait_for()
    assert "owned" not in page.title()
    page.get_by_role("button", name="DA", exact=True).click()
    page.locator("h1", has_text="Dokumentation").wait_for()
    page.locator(".sum.first").wait_for()  # the page before has gone
