"""The technician's page: sees, measures, moves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from config.languages import texts
from liftctl import ipc
from liftctl.desk import app as desk
from liftctl.desk import ledger
from liftctl.places import Places
from liftctl.remote.enrol import enrol
from liftctl.support.answers import ACTIONS, FROM_OFFICE
from liftctl.support.shell import may_answer
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


def test_every_route_is_a_get_but_the_answer_to_support(base: str) -> None:
    paths = httpx.get(f"{base}/openapi.json").json()["paths"]
    assert {path for path, routes in paths.items() if set(routes) != {"get"}} == {"/api/support"}
    assert "/api/transfers" in paths
    for path in ("/", "/api/state", "/healthz"):
        assert httpx.post(base + path).status_code == 405


def test_records_are_empty_without_a_ledger(base: str) -> None:
    assert httpx.get(f"{base}/api/transfers").json() == []
    assert httpx.get(f"{base}/api/transfers?limit=0").status_code == 422
    assert httpx.get(f"{base}/api/report").status_code == 200
    assert httpx.get(base, headers={"Host": "evil.example"}).status_code == 421
    assert "no-referrer" in httpx.get(base).headers["referrer-policy"]


# --- the home's office answers whether somebody may look ------------------------------------------

GRANT = {"action": "support_yes", "name": "Office O.", "minutes": "30", "order": "order-12345678"}


@pytest.fixture
def office(lift: House) -> Iterator[tuple[str, ipc.Server]]:
    """A desk of an enrolled site; the test plays the support process."""
    enrol(Places("demo-lift"), "north-1", "http://127.0.0.1:1", "")
    support = lift._servers["support"] = ipc.serve(Places("demo-lift").sock("support"))
    with serving(desk.create(site("lift"))) as port:
        base = f"http://127.0.0.1:{port}"
        until(lambda: lift.heard(ipc.Hello, "support"))
        yield base, support


def test_the_office_grants_support_by_name_and_hears_why_it_was_not_taken(
    lift: House, office: tuple[str, ipc.Server]
) -> None:
    base, support = office
    assert (
        httpx.post(f"{base}/api/support", json=GRANT, headers={"origin": base}).status_code == 202
    )
    until(lambda: lift.heard(ipc.Workflow, "support"))
    (said,) = lift.heard(ipc.Workflow, "support")
    args = {"name": "Office O.", "minutes": "30", "order": "order-12345678"}
    assert said == ipc.Workflow("desk", "support_yes", args)
    assert not lift.heard(ipc.Workflow, "controller") and not lift.heard(ipc.Workflow)
    support.broadcast(ipc.Refused("desk", "support_yes", "LC-REM-NAME", "say who you are"))
    words = texts("da")["refused.LC-REM-NAME"]
    asked = f"{base}/api/state?language=da"
    until(lambda: httpx.get(asked).json()["support_refused"] == words)


def test_what_another_page_sends_or_belongs_beside_the_lift_is_not_passed_on(
    lift: House, office: tuple[str, ipc.Server]
) -> None:
    base, _ = office
    for said, origin, status in (
        (GRANT, "http://evil.example", 403),
        (GRANT, None, 403),
        ({**GRANT, "action": "setup_yes"}, base, 422),
        ({**GRANT, "action": "guide_next"}, base, 422),
        ({**GRANT, "version": "1"}, base, 422),
        ({**GRANT, "name": "x" * 5000}, base, 413),
    ):
        headers = {"origin": origin} if origin else {}
        answer = httpx.post(f"{base}/api/support", json=said, headers=headers)
        assert answer.status_code == status, said
    assert not lift.heard(ipc.Workflow, "support")


def test_the_support_process_itself_takes_no_settings_and_no_steps_from_a_desk() -> None:
    taken = {action for action in ACTIONS if may_answer("desk", action)}
    assert taken == FROM_OFFICE == {
        "support_yes", "support_no", "support_end", "bundle_yes", "bundle_no",
    }  # fmt: skip
    assert all(may_answer("panel", action) for action in ACTIONS)
    assert not any(
        may_answer(role, action) for role in ("remote", "uplink", "") for action in ACTIONS
    )
