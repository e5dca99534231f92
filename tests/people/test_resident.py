"""A resident's own file: all of theirs, nothing of anybody else."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liftctl.people import resident
from liftctl.people.page import html, markdown
from liftctl.people.words import LANGUAGES, Words
from liftctl.recorder.entries import Entry
from liftctl.recorder.ledger import Ledger
from liftctl.recorder.verify import verify
from tests.people.made import DEMO, OTHER, OWN, demo, fill, register, run

STAY = {"joined_s": 1.25, "left_s": 71.5, "source": "badge"}


def entry(token: str, **more: Any) -> dict[str, Any]:
    return {"token": token, "label": f"Person {token}", "limit_kg": 120.0, **more}


def out_of(folder: Path) -> tuple[dict[str, Any], str]:
    whole = "".join(path.read_text() for path in sorted(folder.iterdir()))
    return json.loads((folder / "file.json").read_text()), whole


def test_everything_on_a_resident_in_plain_words_and_for_machines(tmp_path: Path) -> None:
    _, places = demo()
    register(places, entry(OWN, notes="likes tea", assessor="Nurse Hansen"), entry(OTHER))
    fill(places, {"id": "t1", "resident": OWN, "peak_load_kg": 71.5, "note": "went well"},
         {"id": "t2", "resident": OTHER, "peak_load_kg": 99.0},
         {"id": "t3", "resident": OWN, "outcome": "fault"})  # fmt: skip
    for language in LANGUAGES:
        folder = tmp_path / language
        done = run("people", "file", "--site", DEMO, "--resident", OWN, "--lang", language,
                   "--out", folder)  # fmt: skip
        assert done.exit_code == 0, done.output
        told, whole = out_of(folder)
        assert [item["record"]["id"] for item in told["transfers"]] == ["t1", "t3"]
        assert told["register"]["notes"] == "likes tea"
        assert "71.5" in whole and "went well" in whole
        assert "99.0" not in whole and OTHER not in whole and "t2" not in whole


def test_carers_are_a_number_and_a_duration_only(tmp_path: Path) -> None:
    _, places = demo()
    register(places, entry(OWN, assessor="Nurse Hansen"))
    events = [{"name": "carer_joined", "t_s": 3.125, "data": {}}, {"name": "set_down", "t_s": 9.0}]
    fill(places, {"id": "t1", "resident": OWN, "carers_actual": 2, "carers_present": [STAY],
                  "helper": {"called_s": 6.375}, "events": events})  # fmt: skip
    done = run("people", "file", "--site", DEMO, "--resident", OWN, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    told, whole = out_of(tmp_path / "out")
    assert told["transfers"][0]["record"]["carers_actual"] == 2
    for word in ("Nurse Hansen", "joined_s", "6.375", "3.125"):
        assert word not in whole
    assert "set_down" in whole
    kinds = [(item["kind"], "payload" in item) for item in told["transfers"][0]["entries"]]
    assert kinds == [("opened", True), ("phase", False), ("closed", False)]


def test_an_unknown_token_is_an_error_and_nothing_is_written(tmp_path: Path) -> None:
    for token in ("r-unknown", ""):
        done = run("people", "file", "--site", DEMO, "--resident", token, "--out", tmp_path / "out")
        assert done.exit_code == 2 and "neither register nor ledger" in done.output
        assert not (tmp_path / "out").exists()


def test_what_was_erased_is_counted_and_not_guessed() -> None:
    site, places = demo()
    fill(places, {"id": "t1", "resident": OWN}, {"id": "t2", "resident": OWN})
    erased = run("ledger", "erase", places.ledger, "--transfer", "t1", "--yes")
    assert erased.exit_code == 0, erased.output
    own = resident.gather(site, OWN)
    assert [item["record"]["id"] for item in own.transfers] == ["t2"]
    assert own.nameless == 1
    assert "Erased transfers in this ledger: 1." in html(resident.page(own, Words("en")))


def test_a_transfer_that_was_erased_and_then_closed_again_names_what_is_gone() -> None:
    site, places = demo()
    fill(places, {"id": "t1", "resident": OWN, "outcome": "interrupted"})
    run("ledger", "erase", places.ledger, "--transfer", "t1", "--yes")
    fill(places, {"id": "t1", "resident": OWN, "outcome": "aborted"})
    own = resident.gather(site, OWN)
    gone = [item["seq"] for item in own.transfers[0]["entries"] if item["erased"]]
    assert gone
    said = f"The contents of these entries are erased: {', '.join(map(str, gone))}."
    assert said in html(resident.page(own, Words("en")))
    assert own.nameless == 0


def test_a_running_transfer_is_told_as_running() -> None:
    site, places = demo()
    fill(places)
    with closing(Ledger(places.ledger, lambda: 10**18, places.heads)) as ledger:
        ledger.append(Entry("opened", "t9", 1, {"id": "t9", "resident": OWN}))
    assert "t9: not closed yet" in html(resident.page(resident.gather(site, OWN), Words("en")))


TOKENS = st.from_regex(r"r-[0-9a-f]{4,12}", fullmatch=True)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=30)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(TOKENS, min_size=2, max_size=4, unique_by=str.lower), TEXT, TEXT)
def test_no_other_resident_stands_in_a_file(tokens: list[str], before: str, after: str) -> None:
    own, *others = tokens
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LIFTCTL_DATA"] = folder
        site, places = demo()
        register(places, *(entry(token, identifier=f"CARE{token}") for token in tokens))
        note = " ".join((before, *others, *(f"Person {t} CARE{t}" for t in others), after))
        fill(places, *({"id": f"T{n}", "resident": token, "note": note}
                       for n, token in enumerate(tokens)))  # fmt: skip
        found = resident.gather(site, own)
        page = resident.page(found, Words("en"))
        text = "\n".join((json.dumps(resident.told(found)), html(page), markdown(page)))
    words = set(text.replace("<", " ").replace(",", " ").replace('"', " ").split())
    assert not words & {*others, *(f"CARE{t}" for t in others), *(f"T{n}" for n in range(1, 5))}
    assert own in text


def test_that_a_file_was_made_is_an_entry_and_stands_in_the_next_one(tmp_path: Path) -> None:
    _, places = demo()
    fill(places, {"id": "t1", "resident": OWN})
    for n in range(2):
        done = run("people", "file", "--site", DEMO, "--resident", OWN, "--out", tmp_path / str(n))
        assert done.exit_code == 0 and "NOT in the ledger" not in done.output
    told = json.loads((tmp_path / "1" / "file.json").read_text())
    assert [item["event"] for item in told["handed_out"]] == ["file_exported"]
    digest = hashlib.sha256((tmp_path / "0" / "file.json").read_bytes()).hexdigest()
    assert told["handed_out"][0]["detail"]["sha256"] == digest
    assert len(told["transfers"]) == 1 and verify(places.ledger).ok
