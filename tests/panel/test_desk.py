"""The technician's page: sees, measures, moves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from liftctl import ipc
from liftctl.desk import app as desk
from liftctl.desk import ledger
from tests.panel.house import House, serving, site, until


@pytest.fixture
def base(lift: House) -> Iterator[str]:
    lift.changes = {"active": ("battery_reserve",), "latched": ("estop",)}
    with serving(desk.create(site("lift"))) as port:
        address = f"http://127.0.0.1:{port}"
        until(lambda: httpx.get(f"{address}/healthz").status_code == 200)
        yield address


def test_health_follows_the_tick(lift: House, base: str) -> None:
    lift.silent = True
    until(lambda: httpx.get(f"{base}/healthz").status_code == 503)
    answer = httpx.get(f"{base}/healthz").json()
    assert not answer["ok"] and "gate" in answer["reasons"][0]


def test_health_without_a_gate(run_dir: Path) -> None:
    with serving(desk.create(site("lift"))) as port:
        answer = httpx.get(f"http://127.0.0.1:{port}/healthz")
        assert answer.status_code == 503
        assert httpx.get(f"http://127.0.0.1:{port}/metrics").status_code == 200
        assert httpx.get(f"http://127.0.0.1:{port}/api/state").json()["gate"] is None


def test_metrics(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: Any) -> list[dict[str, Any]]:
        return [{"outcome": "completed"}, {"outcome": "completed"}, {}]

    monkeypatch.setattr(ledger, "read_transfers", read)
    text = httpx.get(f"{base}/metrics").text
    for line in (
        'liftctl_build_info{config_hash="abc123",version="0.1.0"} 1.0',
        'liftctl_rows_active{row="battery_reserve"} 1.0',
        'liftctl_device_value{device="hoist",name="velocity_mm_s"} 0.0',
        'liftctl_transfers_total{outcome="completed"} 2.0',
        'liftctl_transfers_total{outcome="open"} 1.0',
        "liftctl_bus_errors_total 3.0",
        "liftctl_odd_name_x_total 7.0",
        "liftctl_load_kilograms 0.4",
    ):
        assert line in text
    age = next(row for row in text.splitlines() if row.startswith("liftctl_gate_tick_age_seconds"))
    assert 0 <= float(age.split()[1]) < 1
    assert "resident" not in text and "python_" not in text


def test_how_the_ledger_stands_and_which_slings_are_due_is_told(lift: House, base: str) -> None:
    lift.slings = (("S-1", "sling_overdue"),)
    lift.recorder = ipc.RecorderState(
        tick_ns=1, healthy=True, why="", warning="new epoch begun", epoch=5, entries=40,
        signed=38, clock="unsynchronised",
    )  # fmt: skip
    until(lambda: httpx.get(f"{base}/api/state").json()["recorder"])
    state = httpx.get(f"{base}/api/state").json()
    assert state["recorder"]["warning"] == "new epoch begun"
    assert state["slings"] == [
        {"sling": "S-1", "code": "sling_overdue", "text": "Sling inspection is overdue: do not use"}
    ]
    text = httpx.get(f"{base}/metrics").text
    for line in (
        "liftctl_recorder_healthy 1.0",
        "liftctl_ledger_warning 1.0",
        "liftctl_ledger_entries 40.0",
        "liftctl_ledger_unsigned 2.0",
        'liftctl_wall_clock_info{sync="unsynchronised"} 1.0',
    ):
        assert line in text


def test_the_state_names_rows_in_words(base: str) -> None:
    state = httpx.get(f"{base}/api/state?language=da").json()
    assert state["rows"][0] == {
        "row": "estop",
        "latched": True,
        "text": "Nødstop er trykket ind. Træk det ud, og tryk Nulstil.",
    }
    assert state["gate"]["devices"] == {"hoist": {"velocity_mm_s": 0.0}}
    assert "r-7f3a" not in str(state)


def test_every_route_is_a_get(base: str) -> None:
    paths = httpx.get(f"{base}/openapi.json").json()["paths"]
    assert {verb for routes in paths.values() for verb in routes} == {"get"}
    assert "/api/transfers" in paths
    for path in ("/", "/api/state", "/healthz"):
        assert httpx.post(base + path).status_code == 405


def test_records_are_empty_without_a_ledger(base: str) -> None:
    assert httpx.get(f"{base}/api/transfers").json() == []
    assert httpx.get(f"{base}/api/transfers?limit=0").status_code == 422
    assert httpx.get(f"{base}/api/report").status_code == 200
    assert httpx.get(base, headers={"Host": "evil.example"}).status_code == 421
    assert "no-referrer" in httpx.get(base).headers["referrer-policy"]
