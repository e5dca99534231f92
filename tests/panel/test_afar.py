"""What a technician far away asks is a question on the wall; the answer goes to support alone."""

from __future__ import annotations

import pytest

from config.languages import texts
from liftctl import ipc
from liftctl.desk import app as desk
from liftctl.remote.reasons import REASONS
from liftctl.support.answers import ACTIONS
from tests.panel.house import serving, site, until
from tests.panel.wall import REQUEST, Enrolled

pytestmark = pytest.mark.browser
PROPOSAL = {
    "version": 7, "by": ["A. Anne", "S. Sam"], "reason": "afraid", "healthy_min": 30,
    "changes": [["limits.hoist_loaded_mm_s", "60", "50"]], "running": False,
}  # fmt: skip


def test_a_request_is_answered_by_name_and_the_banner_stays_while_it_lasts(afar: Enrolled) -> None:
    afar.says = {"request": REQUEST}
    afar.page.wait_for_selector("#afar h2")
    text = afar.page.locator("#afar").inner_text()
    assert "T. Technician" in text and "<b>noise</b>" in text, "text, never markup"
    assert "Nobody far away can move the lift." in text
    afar.page.locator("#afar_name").click()
    afar.page.keyboard.type("Nurse N.")
    assert afar.page.locator("#badge").input_value() == "", "no key goes astray"
    afar.click("minutes.15")
    afar.page.wait_for_selector('#afar [data-id="minutes.15"][aria-pressed="true"]')
    afar.click("support_yes")
    until(
        lambda: (
            afar.steps()
            == [("support_yes", {"minutes": "15", "order": REQUEST["id"], "name": "Nurse N."})]
        )
    )
    grant = {"who": "T. Technician", "wants": ["live"], "live": True, "left_s": 870}
    afar.says = {"grant": grant}
    afar.page.wait_for_selector("#support:not([hidden])")
    assert "Support 15 min: T. Technician" in afar.page.locator("#support_text").inner_text()
    afar.page.locator("#support_end").click()
    until(lambda: afar.steps()[-1][0] == "support_end")
    assert not afar.house.heard(ipc.Workflow, "controller"), "none of it is the controller's"
    afar.says = {}
    afar.page.wait_for_selector("#support", state="hidden")


def test_an_answer_about_a_bundle_says_which_bundle(afar: Enrolled) -> None:
    afar.says = {"bundle": {"contents": [["gate.json", 1200]], "sha256": "ab" * 32}}
    afar.page.wait_for_selector('[data-id="bundle_yes"]')
    afar.click("bundle_yes")
    afar.click("bundle_no")
    until(lambda: [args["sha256"] for _, args in afar.steps()] == ["ab" * 32] * 2)


def test_a_proposal_shows_what_changes_and_waits_for_an_idle_lift(afar: Enrolled) -> None:
    afar.says = {"proposal": PROPOSAL, "idle": "LC-REM-IDLE"}
    afar.page.wait_for_selector('[data-id="setup_yes"][disabled]')
    assert "limits.hoist_loaded_mm_s: 60 → 50" in afar.page.locator("#afar").inner_text()
    afar.says = {"proposal": PROPOSAL}
    afar.page.wait_for_selector('[data-id="setup_yes"]:not([disabled])')
    afar.click("setup_yes")
    until(lambda: afar.steps() == [("setup_yes", {"version": "7", "name": ""})])
    afar.says = {"trial": {"version": 7, "left_s": 1790, "back": False}}
    afar.page.wait_for_selector('[data-id="setup_good"]')
    afar.click("setup_bad")
    until(lambda: afar.steps()[-1][0] == "setup_bad")


def test_the_guided_way_down_goes_page_by_page(afar: Enrolled) -> None:
    afar.says = {"guide": {"script": "red_strap", "step": 2, "of": 4}}
    afar.page.wait_for_selector("#afar .script")
    assert texts("en")["lower.red_strap.2"] in afar.page.locator("#afar").inner_text()
    afar.house.changes = {"latched": ("estop",), "values": {}}
    afar.page.wait_for_selector("#afar .script")
    for action in ("guide_next", "guide_back", "guide_end"):
        afar.click(action)
    until(lambda: [name for name, _ in afar.steps()] == ["guide_next", "guide_back", "guide_end"])


def test_the_desk_asks_shows_the_banner_and_can_end_it(afar: Enrolled) -> None:
    page = afar.page.context.new_page()
    with serving(desk.create(site("lift"))) as port:
        afar.says = {"request": REQUEST}
        page.goto(f"http://127.0.0.1:{port}/")
        page.wait_for_selector("#answer:not([hidden])")
        assert "<b>noise</b>" in page.locator("#question").inner_text(), "text, never markup"
        page.fill("#who", "Office O.")
        page.click("#yes")
        until(
            lambda: (
                afar.steps()
                == [("support_yes", {"name": "Office O.", "minutes": "30", "order": REQUEST["id"]})]
            )
        )
        afar.says = {"grant": {"who": "T. T.", "wants": ["live"], "live": True, "left_s": 870}}
        page.wait_for_selector("#banner:not([hidden])")
        assert "Support is active: T. T., 15 min" in page.locator("#banner").inner_text()
        page.click("#banner button")
        until(lambda: [name for name, _ in afar.steps()] == ["support_yes", "support_end"])
    page.close()


def test_every_answer_and_refusal_of_the_room_has_words() -> None:
    to_the_room = ("BASE", "DISK", "EXPIRED", "FALLBACK", "IDLE", "NAME", "RECORDER", "STEP")
    for code in ("en", "da"):
        known = texts(code)
        assert [name for name in ACTIONS if f"action.{name}" not in known] == []
        assert known["refused.support_away"]
        for name in to_the_room:
            assert f"LC-REM-{name}" in REASONS and known[f"refused.LC-REM-{name}"]
