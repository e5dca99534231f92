"""Notice and assessment say what the settings are, and leave open what a person must say."""

from __future__ import annotations

import re
import string
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from datetime import date
from pathlib import Path

import msgspec
import pytest

from config.plans import ResidentSpec
from config.schema import LedgerSpec, load
from liftctl.people import dpia, notice
from liftctl.people.fields import fields
from liftctl.people.page import Page, html, markdown
from liftctl.people.setting import Setting
from liftctl.people.words import LANGUAGES, Words, catalogue
from liftctl.records import OUTCOMES, TransferRecord
from liftctl.uplink import share
from tests.people.made import DEMO, run

TODAY = date(2026, 11, 24)


def made(language: str = "en", **changes: object) -> tuple[Page, Page]:
    enrolled = bool(changes.pop("enrolled", False))
    setting = Setting(replace(load(DEMO), **changes), enrolled)  # type: ignore[arg-type]
    words = Words(language)
    return notice.page(setting, notice.Dates(TODAY), words), dpia.page(setting, words)


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_text_is_there_in_every_language_with_the_same_gaps() -> None:
    for key, texts in catalogue().items():
        assert set(texts) == set(LANGUAGES), key
        assert all(text.strip() for text in texts.values()), key
        assert len({frozenset(gaps(text)) for text in texts.values()}) == 1, key
    for name in [item.name for item in dataclass_fields(ResidentSpec)]:
        assert f"register.{name}" in catalogue()
    assert {f"outcome.{name}" for name in OUTCOMES} <= set(catalogue())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_of_a_record_stands_in_notice_and_assessment(language: str) -> None:
    names = [item.name for item in msgspec.structs.fields(TransferRecord)]
    assert [item.name for item in fields()] == names
    for page in made(language):
        text = html(page)
        for name in names:
            assert re.search(rf"<td>{name}\b", text), name


def test_the_list_says_who_tells_a_field_and_what_leaves() -> None:
    found = {item.name: item for item in fields()}
    assert found["carers_present"].parts == ("joined_s", "left_s", "source")
    assert found["outcome"].tellers == ("c", "r")
    assert found["started_utc"].tellers == ("r",)
    left_home = {name for name, item in found.items() if item.leaves}
    assert left_home >= {*share.CLOSED, *share.LISTS, "id", "site"}
    assert not left_home & {"resident", "weight", "peak_load_kg", "carers_present", "note"}


def test_another_retention_shows() -> None:
    for page in made(ledger=LedgerSpec(payload_days=91, incident_days=400)):
        text = markdown(page)
        assert "91 days" in text and "400 days" in text and "730" not in text
        assert "no limit" not in text


@pytest.mark.parametrize("keep", [LedgerSpec(payload_days=0), LedgerSpec(incident_days=0)])
def test_keeping_for_ever_is_a_question_to_the_employer(keep: LedgerSpec) -> None:
    for page in made(ledger=keep):
        assert "- [ ] **At least one period has no limit" in markdown(page)


def test_an_incident_is_never_kept_shorter_than_the_rest() -> None:
    page, _ = made(ledger=LedgerSpec(payload_days=900, incident_days=10))
    assert markdown(page).count("900 days") == 3 and "10 days" not in markdown(page)


def test_a_centre_is_named_only_where_the_site_is_enrolled() -> None:
    for page in made():
        assert "not enrolled at a knowledge centre" in html(page)
    for page in made(enrolled=True):
        assert "is enrolled at a knowledge centre" in html(page)
        assert ", ".join(share.CLOSED) in html(page)


def test_what_the_site_file_does_not_say_is_a_blank() -> None:
    full, _ = made()
    bare, _ = made(municipality="", home="")
    assert html(bare).count('class="blank"') == html(full).count('class="blank"') + 2


def test_hostile_text_stays_text() -> None:
    evil = "<script>alert(1)</script>|`x`\n# heading"
    for page in made(title=evil, ward=evil):
        assert "<script>" not in html(page)
        assert "\n# heading" not in markdown(page)
        assert "<script>" not in markdown(page)


@pytest.mark.parametrize(
    ("begins", "weeks", "due", "late"),
    [
        (date(2027, 1, 11), 6, date(2026, 11, 30), False),
        (date(2027, 1, 5), 6, TODAY, False),
        (date(2027, 1, 4), 6, date(2026, 11, 23), True),
        (date(2026, 11, 24), 0, TODAY, False),
    ],
)
def test_the_last_day_for_the_notice(begins: date, weeks: int, due: date, late: bool) -> None:
    dates = notice.Dates(TODAY, begins, weeks)
    assert (dates.due, dates.late) == (due, late)
    text = markdown(notice.page(Setting(load(DEMO)), dates, Words("en")))
    assert str(due) in text
    assert ("The last day was" in text) == late


def test_the_command_writes_private_files_and_never_over_another(tmp_path: Path) -> None:
    for name in ("notice", "dpia"):
        assert run("people", name, "--site", DEMO, "--out", tmp_path).exit_code == 0
        written = tmp_path / f"{name}-da.html"
        assert written.stat().st_mode & 0o777 == 0o600
        (tmp_path / f"{name}-da.md").unlink()
        written.write_text("signed")
        again = run("people", name, "--site", DEMO, "--out", tmp_path)
        assert again.exit_code == 2 and "is there already" in again.output
        assert written.read_text() == "signed"
        assert not (tmp_path / f"{name}-da.md").exists()


@pytest.mark.parametrize(
    "words", [("--lang", "de"), ("--begins", "soon"), ("--begins", "0001-01-01")]
)
def test_what_cannot_be_said_is_refused(tmp_path: Path, words: tuple[str, str]) -> None:
    done = run("people", "notice", "--site", DEMO, "--out", tmp_path / "out", *words)
    assert done.exit_code == 2 and words[1] in done.output
    assert not (tmp_path / "out").exists()
