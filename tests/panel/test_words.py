"""Both languages say the same things, and every row has its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config.languages import codes, texts
from liftctl.controller.flows import ACTIONS, CHAIR, LIFT, Trigger
from liftctl.controller.refusals import HINTS
from liftctl.panel import view
from safety.table import NOT_PERMITTED, ROWS
from tests.panel.house import site

STATIC = Path(view.__file__).parent / "static"


def test_the_same_keys_and_the_same_blanks() -> None:
    assert codes() == ("da", "en")
    da, en = texts("da"), texts("en")
    assert da.keys() == en.keys()
    for key, text in en.items():
        assert text.strip() and da[key].strip(), key
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", da[key])), key


@pytest.mark.parametrize("code", ["da", "en"])
def test_every_row_has_a_short_line(code: str) -> None:
    for row in [*ROWS, NOT_PERMITTED]:
        for key in (f"row.{row}", f"row.{row}?"):
            assert 0 < len(texts(code)[key]) <= 90, key


def test_every_step_action_refusal_and_kind_has_words() -> None:
    known = texts("en")
    steps = [step for flow in (LIFT, CHAIR) for step in flow.states]
    wanted = [f"step.{step}" for step in steps] + [f"step.{step}.hint" for step in steps]
    wanted += [f"action.{action}" for action in ACTIONS] + [f"refused.{code}" for code in HINTS]
    for kind in ("lift", "chair"):
        shown = view.site_view(site(kind))
        wanted += [f"kind.{item}" for item in shown["kinds"]]
        wanted += [f"lower.{shown['lowering']}.{n}" for n in (1, "title", "needed", "short")]
    assert [key for key in wanted if key not in known] == []
    assert Trigger.LOOPS_OK in ACTIONS


def test_every_key_the_page_names_exists() -> None:
    known = texts("en")
    for path in STATIC.glob("*.js"):
        for key in re.findall(r"""\bt\(["'`]([\w.]+)["'`]""", path.read_text()):
            assert key in known, f"{path.name}: {key}"


def test_the_page_never_parses_html_and_stop_is_no_emergency_stop() -> None:
    for path in STATIC.glob("*.js"):
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|eval\(", path.read_text()), path
    page = (STATIC / "index.html").read_text()
    assert not re.search(r"style=|<style|\son\w+=|https?://|<script(?![^>]*src)", page)
    assert ">STOP</button>" in page
