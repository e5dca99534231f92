"""Assessments and slings in and out: strict, all or nothing, and back again the same."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from config.plans import Register, ResidentSpec, SlingSpec
from config.schema import ConfigError
from liftctl.cli import app
from liftctl.places import Places
from liftctl.register import bundle, fhir, store, table
from liftctl.register.merge import ImportFault, merge

SITE = Path(__file__).parents[2] / "config" / "sites" / "demo-lift.toml"
SLINGS = """serial,model,size,swl_kg,inspected,inspect_by,withdrawn
S-1,Hygiene,M,200,2026-05-01,2026-11-01,
S-2,Universal,L,300,2026-05-01,2027-05-01,yes
"""
PEOPLE = """resident,label,carers,limit_kg,expires,sling_serial,weight_kg,notes
401,"Hansen, room 4",1,140,2027-06-01,S-1,82.5,"left knee, slow"
402,Jensen,2,160,,,,
"""


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setenv("LIFTCTL_DATA", str(tmp_path / "var"))
    return Places("demo-lift")


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, str], Path]:
    def write(name: str, text: str) -> Path:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


def run(*words: object) -> Any:
    return CliRunner().invoke(app, [*map(str, words), "--site", str(SITE)])


def people(text: str = PEOPLE) -> Register:
    slings = merge(Register(), table.read(SLINGS, "slings")).register
    return merge(slings, table.read(text, "residents")).register


def test_a_table_becomes_assessments_with_random_tokens() -> None:
    first, second = people().resident
    assert (first.identifier, first.label, first.carers) == ("401", "Hansen, room 4", 1)
    assert (first.limit_kg, first.weight_kg, first.sling) == (140.0, 82.5, "S-1")
    assert second.carers == 2
    assert len({first.token, second.token, *(item.token for item in people().resident)}) == 4


def test_semicolons_bring_a_decimal_comma_and_a_bom_is_no_column() -> None:
    (found,) = table.read("\ufeffresident;label;carers;limit_kg\n1;A;2;82,5\n", "residents")
    assert found.item.limit_kg == 82.5


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("carers", "carer", "line 1: unknown column 'carer'; did you mean 'carers'?"),
        (",label", "", "line 1: the column 'label' is missing"),
        (",notes", ",label", "line 1: the column 'label' is there twice"),
        (",1,140", ",one,140", "line 2: carers 'one' is not a whole number"),
        (",1,140", ",0,140", "line 2: carers 0 is not 1 to 4"),
        (",1,140", ",1,1400", "line 2: limit_kg 1400 is outside 0 to 500"),
        (",1,140", ",1,nan", "line 2: limit_kg nan is outside 0 to 500"),
        (",1,140", ",1,", "line 2: limit_kg is empty"),
        ("2027-06-01", "01-06-2027", "line 2: expires '01-06-2027' is no date; write YYYY-MM-DD"),
        ("2027-06-01", "2027-02-30", "line 2: expires '2027-02-30' is no date"),
        ("2027-06-01", "", "line 2: one carer needs an end"),
        ('"left knee, slow"', "left knee, slow", "line 2: 9 cells, the first line has 8"),
        ("S-1", "S-9", "line 2: sling 'S-9' is not on record; import slings first"),
        ("\n402", "\n401", "line 3: the same as line 2; keep one"),
        ("\n402", "\n010203-1234", "line 3: resident looks like a CPR number"),
        ("\n402", "\n", "line 3: resident is empty"),
        ('"Hansen, room 4"', '"Hansen', "line"),
    ],
)
def test_every_fault_is_named_with_its_line(old: str, new: str, why: str) -> None:
    assert old in PEOPLE
    with pytest.raises(ImportFault) as caught:
        people(PEOPLE.replace(old, new, 1))
    assert any(problem.startswith(why) for problem in caught.value.problems), caught.value.problems


def test_all_faults_are_told_at_once() -> None:
    text = PEOPLE.replace(",1,140", ",9,x", 1).replace(",2,160", ",2,", 1)
    with pytest.raises(ImportFault) as caught:
        people(text)
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["line 2", "line 3"]


def test_a_second_import_keeps_tokens_and_whoever_is_not_in_the_file() -> None:
    before = people()
    text = "resident,label,carers,limit_kg\n402,Jensen,2,150\n403,New,2,100\n"
    change = merge(before, table.read(text, "residents"))
    by_name = {item.identifier: item for item in change.register.resident}
    assert list(by_name) == ["401", "402", "403"]
    assert by_name["402"].token == before.resident[1].token
    assert change.register.sling == before.sling
    assert change.lines == (
        "resident 402: limit_kg 160.0 -> 150.0",
        "resident 403: new",
        "2 read, 3 not in the file and kept",
    )


def test_nothing_is_written_by_a_dry_run_or_when_one_line_is_wrong(
    places: Places, file: Callable[[str, str], Path]
) -> None:
    assert run("slings", "import", file("s.csv", SLINGS)).exit_code == 0
    before = places.register.read_bytes()
    assert stat.S_IMODE(places.register.stat().st_mode) == 0o600
    done = run("residents", "import", file("p.csv", PEOPLE), "--dry-run")
    assert (done.exit_code, "dry run: nothing was changed" in done.output) == (0, True)
    bad = run("residents", "import", file("p.csv", PEOPLE.replace(",2,160", ",2,x")))
    assert bad.exit_code == 2
    assert "line 3: limit_kg 'x' is not a number" in bad.output
    assert "nothing of" in bad.output
    assert places.register.read_bytes() == before
    assert run("residents", "import", file("p.csv", PEOPLE)).exit_code == 0
    assert places.register.with_name("register.json.before").read_bytes() == before


def test_list_says_in_words_what_ran_out_and_forget_takes_one_out(
    places: Places, file: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liftctl.register.cli._today", lambda: "2026-11-24")
    run("slings", "import", file("s.csv", SLINGS))
    run("residents", "import", file("p.csv", PEOPLE))
    shown = run("residents", "list").output
    assert "401 Hansen, room 4: 1 carers; Sling inspection is overdue: do not use" in shown
    slings = run("slings", "list", "--language", "da").output
    assert "S-2 Universal L 300 kg: Sejlet er taget ud af brug" in slings
    token = store.load(places.register).resident[0].token
    done = run("residents", "forget", "--resident", "401")
    assert token in done.output
    everything = b"".join(path.read_bytes() for path in places.data.iterdir())
    assert b"Hansen" not in everything
    assert run("residents", "forget", "--resident", "401").exit_code == 2


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 2}', '{"version": 1, "x": []}'])
def test_a_register_that_cannot_be_read_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "register.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"register.json"):
        store.load(path)


def test_a_register_that_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "register.json"
    store.save(path, people())
    before = path.read_bytes()
    twice = people().resident[0]
    with pytest.raises(ConfigError, match="used twice"):
        store.save(path, Register(resident=(twice, twice)))
    assert path.read_bytes() == before
    assert store.load(path).sling == people().sling


# --- round trips ---------------------------------------------------------------------------------

WORDS = st.text(st.characters(blacklist_categories=("C", "Z")), min_size=1, max_size=12).filter(
    lambda text: text.strip() == text
)
DATES = st.sampled_from(["", "2026-01-31", "2027-12-01"])
KG = st.floats(1, 500).map(lambda kg: round(kg, 2))
SLING = st.builds(
    SlingSpec, serial=WORDS, model=st.just("") | WORDS, size=st.just("") | WORDS, swl_kg=KG,
    inspected=st.just("2026-01-01"), inspect_by=DATES, withdrawn=st.booleans(),
)  # fmt: skip
RESIDENT = st.builds(
    ResidentSpec, token=st.just("r-0a1b2c"), label=WORDS, identifier=WORDS.map("id-{}".format),
    limit_kg=KG, carers=st.integers(2, 4), expires=DATES, sling_swl_kg=KG, sling_model=WORDS,
    weight_kg=KG, mobility_class=st.sampled_from(["", "A", "E"]), assessor=WORDS, notes=WORDS,
)  # fmt: skip
REGISTERS = st.builds(
    Register,
    resident=st.lists(RESIDENT, max_size=3, unique_by=lambda item: item.identifier).map(tuple),
    sling=st.lists(SLING, max_size=3, unique_by=lambda item: item.serial).map(tuple),
)


def nameless(register: Register) -> Register:
    return replace(register, resident=tuple(replace(item, token="") for item in register.resident))


@given(register=REGISTERS)
def test_a_table_reads_back_the_same(register: Register) -> None:
    after = merge(Register(), table.read(table.write(register, "slings"), "slings")).register
    after = merge(after, table.read(table.write(register, "residents"), "residents")).register
    assert nameless(after) == nameless(register)


@given(register=REGISTERS, lines=st.booleans())
def test_a_bundle_reads_back_the_same(register: Register, lines: bool) -> None:
    text = bundle.write(register)
    if lines:
        entries = json.loads(text)["entry"]
        text = "\n".join(json.dumps(entry["resource"]) for entry in entries)
    found, left_out = fhir.read(text)
    assert left_out == []
    assert nameless(merge(Register(), found).register) == nameless(register)


# --- FHIR ----------------------------------------------------------------------------------------


def a_bundle() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bundle.write(people()))
    return found


def resource(whole: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(
        entry["resource"] for entry in whole["entry"] if entry["resource"]["resourceType"] == kind
    )


def drop(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda found: found.pop(name)


def put(name: str, value: Any) -> Callable[[dict[str, Any]], object]:
    return lambda found: found.update({name: value})


@pytest.mark.parametrize(
    ("kind", "change", "why"),
    [
        ("Device", drop("serialNumber"), "serialNumber is missing"),
        ("Device", drop("property"), "safe working load"),
        ("Device", put("serialNumber", 7), "expected str, got 7"),
        ("ServiceRequest", drop("extension"), "urn:liftctl:carers is missing"),
        ("ServiceRequest", drop("subject"), "which is not in the file"),
        ("ServiceRequest", put("subject", {"reference": "Patient/9"}), "Patient/9"),
        ("ServiceRequest", put("subject", "Patient/resident-1"), "which is not in the file"),
        ("ServiceRequest", put("occurrencePeriod", {"end": "2027-06"}), "is no date"),
        ("ServiceRequest", put("note", "text"), "not as FHIR R4 writes it"),
        ("Patient", drop("identifier"), "has no identifier"),
        ("Patient", drop("name"), "label is empty"),
        ("Observation", put("valueQuantity", {"value": 180, "unit": "lb"}), "180 lb is not in kg"),
    ],
)
def test_a_resource_that_does_not_fit_is_refused_with_its_place(
    kind: str, change: Callable[[dict[str, Any]], object], why: str
) -> None:
    whole = a_bundle()
    change(resource(whole, kind))
    with pytest.raises(ImportFault) as caught:
        merge(Register(), fhir.read(json.dumps(whole))[0])
    assert any(why in problem for problem in caught.value.problems), caught.value.problems
    assert all(problem.startswith("entry ") for problem in caught.value.problems)


def test_what_is_not_used_is_left_out_and_said() -> None:
    whole = a_bundle()
    whole["entry"] += [
        {"resource": {"resourceType": "Encounter", "id": "e"}},
        {"resource": {"resourceType": "Patient", "id": "p9", "identifier": [{"value": "9"}]}},
        {"resource": {"resourceType": "ServiceRequest", "id": "old", "status": "revoked"}},
        {"search": {}},
    ]
    found, left_out = fhir.read(json.dumps(whole))
    assert len(merge(Register(), found).register.resident) == 2
    assert [text.split(": ", 1)[1] for text in left_out] == [
        "Encounter is not used",
        "no resource is not used",
        "status revoked",
        "no ServiceRequest says what was assessed",
    ]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "7", "{}", '"x"', "{\n", '{"resourceType": "Bundle", "entry": 7}', "[" * 5000],
    ids=lambda text: text[:20],
)
def test_no_text_makes_the_import_stumble(text: str) -> None:
    try:
        assert fhir.read(text)[0] == []
    except ImportFault as error:
        assert error.problems[0].startswith("line 1: not JSON")
