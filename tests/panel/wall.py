"""The tablet on the wall: a page in Chromium, and a finger through CDP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from liftctl import ipc
from liftctl.places import Places
from tests.panel.house import House, until

SIZE: Any = {"width": 1280, "height": 800}
# As the support process shows one.
REQUEST = {
    "id": "order-12345678",
    "who": "T. Technician",
    "reason": "<b>noise</b>",
    "minutes": 60,
    "wants": ["live", "guide"],
}


@contextmanager
def tablet(browser: Browser, size: Any = None, code: str = "en") -> Iterator[BrowserContext]:
    """A tablet that speaks `code`."""
    context = browser.new_context(viewport=size or SIZE, has_touch=True, locale="en")
    remember = f"localStorage.setItem('liftctl.language', '{code}')"
    context.add_init_script(f"if (location.host) {remember}")  # a blank page has none
    yield context
    context.close()


@dataclass
class Wall:
    """The tablet on the wall; `complaints` must stay empty."""

    page: Page
    house: House
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cdp = self.page.context.new_cdp_session(self.page)
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, port: int) -> None:
        self.page.goto(f"http://127.0.0.1:{port}/")
        self.page.wait_for_selector(".word.ready")
        until(self.house.holds)

    def hasten(self) -> None:
        """From here on the page's clock can be moved on."""
        self.page.clock.install()
        self.page.reload()
        self.page.wait_for_selector(".word.ready")
        self.complaints.clear()  # the reload cuts a socket

    def middle(self, selector: str) -> dict[str, float]:
        box = self.page.locator(selector).bounding_box()
        assert box
        return {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}

    def touch(self, kind: str, *points: dict[str, float]) -> None:
        numbered = [{**point, "id": n} for n, point in enumerate(points)]
        self.cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": numbered})

    def press(self, motion: str = "up") -> dict[str, float]:
        at = self.middle(f".arrow.{motion}")
        self.touch("touchStart", at)
        until(lambda: self.last().press > 0)
        return at

    def last(self) -> ipc.Hold:
        found: ipc.Hold = self.house.holds()[-1]
        return found

    def assert_neutral(self) -> None:
        """The press has ended and does not come back by itself."""
        until(lambda: self.last().press == 0)
        time.sleep(0.15)
        assert self.last().press == 0


class Enrolled:
    """A lift whose support process is played by the test: `says` is what it shows."""

    def __init__(self, house: House, page: Page) -> None:
        self.house, self.page = house, page
        self.server = house._servers["support"] = ipc.serve(Places("demo-lift").sock("support"))
        self.says: dict[str, Any] = {}
        speak = house.speak

        def both() -> None:
            speak()
            blank = dict.fromkeys(("request", "grant", "bundle", "guide", "proposal", "trial"))
            fields: dict[str, Any] = {**blank, "idle": "", "heard_s": 1.0, **self.says}
            self.server.broadcast(ipc.SupportState(tick_ns=time.monotonic_ns(), **fields))

        house.speak = both  # type: ignore[method-assign]

    def steps(self) -> list[tuple[str, dict[str, str]]]:
        return [(said.action, said.args) for said in self.house.heard(ipc.Workflow, "support")]

    def click(self, name: str) -> None:
        self.page.locator(f'#afar [data-id="{name}"]').click()
