"""A panel page for tests that are not asynchronous: the judge's finger on a loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import TimeoutError as LateError
from typing import Any

from websockets.exceptions import WebSocketException

from hil.judge.finger import Broken, Finger

State = dict[str, Any]
FRESH_NS, NEUTRAL_NS = 100_000_000, 300_000_000
_loop = asyncio.new_event_loop()
threading.Thread(target=_loop.run_forever, name="fingers", daemon=True).start()


def _run(work: Coroutine[Any, Any, Any], patience_s: float = 240.0) -> Any:
    return asyncio.run_coroutine_threadsafe(work, _loop).result(patience_s)


class Page:
    """One browser page of a panel. Its beats go on while the test thinks."""

    def __init__(self, port: int) -> None:
        self.finger = Finger(port)
        _run(self.finger.open())
        self.seen_neutral()

    def seen_neutral(self) -> None:
        """A press counts only from a page that was seen at neutral with a fresh tick (H3)."""
        until_s = time.monotonic() + 60
        first = 0
        while not first or int(self.state["tick"]) - first < NEUTRAL_NS:
            fresh = time.monotonic_ns() - int(self.state["tick"]) < FRESH_NS
            first = (first or int(self.state["tick"])) if fresh else 0
            assert time.monotonic() < until_s, "the page's ticks stay old"
            time.sleep(0.01)

    def close(self) -> None:
        """Leave; a panel that is dead or frozen cannot say goodbye."""
        with contextlib.suppress(LateError, WebSocketException, OSError):
            _run(self.finger.close(), 12.0)

    @property
    def state(self) -> State:
        """What the page shows now."""
        return self.finger.state

    def press(self, motion: str) -> None:
        """Finger down; a panel that is gone hears nothing."""
        with contextlib.suppress(WebSocketException, OSError):
            _run(self.finger.press(motion))

    def release(self) -> None:
        """Finger up."""
        with contextlib.suppress(WebSocketException, OSError):
            _run(self.finger.release())

    def stop(self) -> None:
        """The STOP button."""
        _run(self.finger.stop())

    def step(self, action: str, **args: str) -> None:
        """A step of the workflow; Broken when it is refused."""
        _run(self.finger.step(action, **args))

    def reset(self) -> None:
        """The reset button."""
        _run(self.finger._send(type="reset"))

    def until(self, what: Callable[[State], bool], name: str, patience_s: float = 60.0) -> None:
        """Wait for a state."""
        _run(self.finger.until(what, name, patience_s))

    def hold(
        self, motion: str, what: Callable[[State], bool], name: str, patience_s: float = 60.0
    ) -> None:
        """Hold an arrow until something is reached, then let go."""
        _run(self.finger.hold(motion, what, name, patience_s))

    def reach(self, motion: str, what: Callable[[State], bool], name: str) -> None:
        """Hold an arrow until something is reached; the finger stays down."""
        _run(self.finger.reach(motion, what, name))

    def refuses(self, motion: str, row: str) -> None:
        """Press an arrow and see it refused with this reason; the finger stays down."""
        self.until(
            lambda s: row in s["motions"][motion]["rows"] and not s["motions"][motion]["allowed"],
            f"{motion} to be blocked by {row}",
        )
        self.press(motion)

    @property
    def step_name(self) -> str:
        """Where the transfer stands, "" without one."""
        transfer = (self.state.get("controller") or {}).get("transfer") or {}
        return str(transfer.get("step", ""))

    @property
    def transfer_id(self) -> str:
        """The running transfer's id, "" without one."""
        transfer = (self.state.get("controller") or {}).get("transfer") or {}
        return str(transfer.get("id", ""))


__all__ = ["Broken", "Page", "State"]
