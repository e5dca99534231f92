"""A configuration and a grant from afar at a room of real processes, from order to answer."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config.schema import load
from hil.judge.ward import WardUnderTest
from liftctl.accept import load_or_fall_back
from liftctl.places import Places
from liftctl.recorder.reader import verify
from liftctl.remote import documents as d
from liftctl.remote.enrol import enrol, site_key, trust_key
from liftctl.remote.envelope import Role, encode, sign
from tests.process.page import Page, _run
from tests.process.room import LIFT, fresh_port
from tests.remote.centre import TOKEN, Centre

pytestmark = pytest.mark.process
NIGHTLY = bool(os.environ.get("LIFTCTL_NIGHTLY"))
KEYS: dict[Role, Ed25519PrivateKey] = {
    "support": Ed25519PrivateKey.generate(),
    "configurator": Ed25519PrivateKey.generate(),
    "safety": Ed25519PrivateKey.generate(),
}


class Enrolled(WardUnderTest):
    """A ward whose lift was enrolled at a centre before it was started."""

    centre: Centre

    def _hardware(self, room: str) -> None:
        places = Places(LIFT)
        enrol(places, "north-1", self.centre.url, TOKEN)
        for role, key in KEYS.items():
            public = key.public_key().public_bytes_raw().hex()
            trust_key(places, public, role, f"holder of {role}", 30)
        self.centre.public = site_key(places).public_key().public_bytes_raw().hex()
        super()._hardware(room)


class Afar:
    """The room from afar and from within."""

    def __init__(self, ward: Enrolled) -> None:
        self.ward, self.centre = ward, ward.centre
        self.page = Page(ward.port)
        self.times = 0  # configurations exchanged so far

    def order(self, kind: type, *roles: Role, **fields: Any) -> Any:
        now_s = time.time_ns() // 10**9
        head = {"controller": "north-1", "id": secrets.token_hex(8), "issued": now_s}
        order = kind(**{**head, "expires": now_s + 600, **fields})
        people = [(role, KEYS[role]) for role in roles or ("support",)]
        self.centre.ready.append(sign(encode(order), people))
        return order

    def press(self, action: str, **args: str) -> None:
        _run(self.page.finger._send(type="step", action=action, args=args))

    def shows(self, part: str) -> Any:
        return (self.page.state.get("support") or {}).get(part)

    def code(self, code: str) -> None:
        self.centre.until(
            lambda: code in [item.code for item in self.centre.told(d.Answer)],
            f"{code}; {self.ward.tail()}",
            60.0,
        )

    def reported(self) -> str:
        """The hash of what the gate runs, as the site says it."""
        said = self.centre.told(d.Reported)
        return said[-1].config_hash if said else ""

    def restarts(self) -> dict[str, int]:
        """How often each process was started again."""
        path = self.ward.root / "run" / LIFT / "processes.json"
        table = json.loads(path.read_text(encoding="utf-8"))
        return {name.partition("/")[2]: int(row[1]) for name, row in table.items()}

    def runs(self, digest: str) -> None:
        """Gate and guard run it, everything is back, and a page is there again."""
        self.centre.until(lambda: self.reported() == digest, f"the gate on {digest}")
        self.times += 1
        for name in ("gate", "guard", "controller", "panel"):
            self.centre.until(
                lambda name=name: self.restarts()[name] >= self.times, f"a new {name}"
            )
        self.page.close()
        self.page = Page(self.ward.port)
        self.page.until(lambda s: bool(s["support"]) and bool(s["controller"]), "the room")


@pytest.fixture
def afar(alone: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Afar]:
    centre = Centre()
    ward = Enrolled(rooms=("lift",))
    ward.port, ward.centre = fresh_port(), centre
    monkeypatch.setenv("LIFTCTL_DATA", str(ward.root / "data"))
    monkeypatch.setenv("LIFTCTL_RUN", str(ward.root / "run"))
    with ward:
        found = Afar(ward)
        try:
            yield found
        finally:
            found.page.close()
            centre.close()


def test_a_grant_and_a_configuration_from_order_to_answer(afar: Afar) -> None:
    afar.page.until(lambda s: s["mode"] == "ready", "a ready gate")
    before = load(Path(afar.ward.site_file("lift"))).hash
    change = {"limits.hoist_loaded_mm_s": 50.0}
    proposal: dict[str, Any] = {"base": before, "changes": change, "by": "A.", "reason": "afraid"}

    request = afar.order(
        d.SupportRequest, who="T. Technician", reason="noise", wants=("live", "bundle")
    )
    afar.order(d.Proposal, "configurator", version=1, **proposal)
    afar.page.until(lambda s: bool(afar.shows("request")), "the question on the wall")
    afar.press("support_yes", name="Nurse N.", minutes="30", order=request.id)
    afar.code("LC-REM-TWO")
    afar.code("granted")

    afar.order(d.LiveRequest)
    afar.order(d.BundleRequest)
    afar.order(d.Proposal, "configurator", "safety", version=2, **proposal)
    afar.page.until(lambda s: bool(afar.shows("bundle")), "the list of what would be sent")
    afar.press("bundle_yes", name="Nurse N.", sha256=afar.shows("bundle")["sha256"])
    afar.page.until(lambda s: bool(afar.shows("proposal")), "the proposal on the wall")
    afar.press("setup_yes", name="Nurse N.", version="2")
    afar.code("trial")
    assert afar.centre.told(d.Bundle) and afar.centre.told(d.Live)
    new = load_or_fall_back(Path(afar.ward.site_file("lift")))[0]
    assert new.limits.hoist_loaded_mm_s == 50 and new.hash != before
    afar.runs(new.hash)
    assert not afar.centre.told(d.Reported)[-1].fallback

    if NIGHTLY:
        afar.press("setup_bad", name="Nurse N.")
        afar.code("LC-REM-REFUSED")
        afar.runs(before)
    assert (
        Path(afar.ward.site_file("lift")).read_text()
        == Path(f"config/sites/{LIFT}.toml").read_text()
    ), "the file on site was never touched"

    events = [item.event for item in afar.centre.told(d.Trail)]
    for event in ("support_granted", "live_view", "bundle_sent", "setup_confirmed"):
        assert event in events
    assert all(item.seq > 0 for item in afar.centre.told(d.Trail)), "each is in the ledger"
    assert not any("Nurse" in str(item) for item in afar.centre.reports)
    assert verify(Places(LIFT).ledger).ok and not afar.centre.strangers
