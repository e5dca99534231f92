"""From a fresh clone to the first painted panel, beside an installation of the packages alone.

Role: one stop-watch figure. Must never: touch the working tree it is called from.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import sync_playwright

from hil.figures.table import Spread, row, say
from hil.judge.ward import free_ports

CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_S = 300.0


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _install(folder: Path, requirements: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    pip = [str(folder / "venv/bin/pip"), "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", str(requirements)], check=True)


def _paint(folder: Path, port: int) -> None:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=[*CHROMIUM])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"http://127.0.0.1:{port}/")
        page.locator(".arrow").first.wait_for()
        page.screenshot(path=folder / "panel.png")
        browser.close()


def _answers(port: int) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2):
        return True
    return False


def _first_panel(folder: Path, port: int) -> None:
    clone = folder / "clone"
    subprocess.run(["git", "clone", "-q", ".", str(clone)], check=True)
    env = os.environ | {"LIFTCTL_RUN": str(folder / "run")}
    env.pop("LIFTCTL_DATA", None)
    ward = subprocess.Popen(
        ["make", "run", f"PORT={port}"], cwd=clone, env=env, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not _answers(port) and time.monotonic() < deadline:
            time.sleep(0.1)
        _paint(folder, port)
    finally:
        os.killpg(ward.pid, signal.SIGINT)
        ward.wait(30)


def fresh_clone() -> None:
    """Print the figure."""
    with tempfile.TemporaryDirectory(prefix="liftctl-fresh-") as name:
        folder = Path(name)
        base = _timed(lambda: _install(folder, Path("requirements/run.txt").resolve()))
        painted = _timed(lambda: _first_panel(folder, free_ports()))
        size = (folder / "panel.png").stat().st_size
    row("fresh clone -> first painted panel", "s", Spread.of([painted]), Spread.of([base]),
        "a venv with the same packages alone")  # fmt: skip
    say(f"  (the picture has {size} bytes)")
