"""Danish, Swedish and English say the same things, completely."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from liftctl.benefit.flow import REASONS
from liftctl.benefit.words import LOCALES, Words, catalogue

SOURCES = sorted((Path(__file__).parents[2] / "liftctl" / "benefit").glob("*.py"))
BLANK = re.compile(r"{(\w+)}")
USED = re.compile(r"""\bwords\(\s*f?["']([\w.{}\[\]']+)["']""")


@pytest.mark.parametrize("key", catalogue())
def test_every_text_stands_in_every_language_with_the_same_blanks(key: str) -> None:
    told = catalogue()[key]
    assert set(told) == set(LOCALES)
    assert len({frozenset(BLANK.findall(text)) for text in told.values()}) == 1
    assert all(text.strip() == text and text for text in told.values())


def test_every_key_in_the_code_is_in_the_catalogue() -> None:
    keys = {key for path in SOURCES for key in USED.findall(path.read_text("utf-8"))}
    known = set(catalogue())
    plain = {key for key in keys if "{" not in key}
    assert plain <= known, sorted(plain - known)
    for key in keys - plain:
        stem = key.partition("{")[0]
        assert any(name.startswith(stem) for name in known), key


def test_every_reason_has_words() -> None:
    assert {f"reason.{name}" for name in REASONS} <= set(catalogue())
    method = (Path(__file__).parents[2] / "liftctl" / "benefit" / "method.md").read_text("utf-8")
    assert not [name for name in REASONS if name not in method]


@pytest.mark.parametrize("language", LOCALES)
def test_a_home_and_its_residents_are_two_words(language: str) -> None:
    words = Words(language)
    assert words("unit.home") != words("col.residents")


@pytest.mark.parametrize(
    ("language", "number", "share", "day"),
    [
        ("en", "1,234.5", "12.5%", "6 Apr 2026"),
        ("da", "1.234,5", "12,5\u00a0%", "6. apr. 2026"),
        ("sv", "1\u00a0234,5", "12,5\u00a0%", "6 apr. 2026"),
    ],
)
def test_numbers_and_dates_are_those_of_the_country(
    language: str, number: str, share: str, day: str
) -> None:
    words = Words(language)
    assert words.number(1234.5, 1) == number
    assert words.percent(0.125, 1) == share
    assert words.day("2026-04-06") == day
    assert words.number(-0.01) == "0"
    assert words.number(None) == "–"


@pytest.mark.parametrize("key", ["citizen.adverse", "safety.adverse_events_per_1000"])
def test_faults_and_emergencies_are_not_called_all_adverse_events(key: str) -> None:
    """A fall beside a lift in order is adverse too, and in no ledger of a lift."""
    words = {
        "en": "Device faults and",
        "da": "Fejl på udstyret og",
        "sv": "Fel på utrustningen och",
    }
    assert all(text.startswith(words[language]) for language, text in catalogue()[key].items())


def test_an_aborted_transfer_is_not_laid_at_the_staffs_door() -> None:
    assert catalogue()["reason.aborted"] == {"en": "aborted", "da": "afbrudt", "sv": "avbruten"}
