"""What a pack leaves behind: complete, self-contained, valid, and tamper-evident."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import can
import pytest
from jsonschema import Draft202012Validator

from hil import timeline
from hil.report import lanes, manifest, summary, traces
from hil.report.write import Report
from hil.timeline import Result, Timeline, Verdict
from tests.hil.pack import HAZARD, MS, ROW, lift_stopped_by, result

PROSE = {"S-1": "The strap goes <slack>."}


def fill(report: Report, most: int = 4) -> Report:
    bad = lift_stopped_by()
    bad.add(2_500 * MS, "oracle", "violated", rule="moved", why="12 mm too far & <fast>")
    measured = ({"name": "stop", "value": 12.5, "max": 5.0, "unit": "mm", "passed": False},)
    why, slack = ("12 mm & <fast>",), lift_stopped_by("slack")
    runs = (
        (result(lift_stopped_by(), source="pyproject.toml"), lift_stopped_by()),
        (result(bad, "S-2", Verdict.FAIL, reasons=why, measurements=measured), bad),
        (result(slack, "S-3", Verdict.INCONCLUSIVE, reasons=("unproved",)), slack),
        (Result("S-4", "a real bus", Verdict.NOT_APPLICABLE, reasons=("no bus",)), Timeline()),
    )
    for told, line in runs[:most]:
        report.add(told, line)
    return report


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pack") / "out"
    fill(Report(out=folder, prose=PROSE)).finish()
    return folder


class Page(HTMLParser):
    """Balanced tags, ids, links, and everything a browser would fetch."""

    VOID = frozenset(("meta", "br", "hr", "img", "input", "link"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in self.VOID:
            self.open.append(tag)
        self.ids.add(given.get("id") or "")
        self.links.add((given.get("href") or "") if tag == "a" else "")
        self.fetched += [given[key] or "" for key in ("src", "data") if key in given]
        self.fetched += [given["href"] or ""] if tag == "link" else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_one_whole_file_that_fetches_nothing(out: Path) -> None:
    text = (out / "report.html").read_text("utf-8")
    page = Page(text)
    assert not page.open
    assert not page.fetched
    assert not re.search(r"https?://|@import|url\(", text)
    assert {link[1:] for link in page.links if link} <= page.ids
    assert "<!--" not in text


def test_the_page_shows_every_run_and_opens_what_did_not_pass(out: Path) -> None:
    text = (out / "report.html").read_text("utf-8")
    opened = re.findall(r'<details class="card run" id="s(\d)"( open)?>', text)
    assert opened == [("2", " open"), ("3", " open"), ("1", ""), ("4", "")]
    assert text.count('<details class="one" open>') == 4  # the first of each scenario
    assert "1 failed, 1 inconclusive" in text
    assert "The strap goes &lt;slack&gt;." in text
    assert "12 mm &amp; &lt;fast&gt;" in text
    assert "<fast>" not in text


def test_the_lanes_hold_plant_press_row_fault_and_the_violation() -> None:
    line = lift_stopped_by()
    line.add(2_500 * MS, "oracle", "violated", rule="moved")
    picture = lanes.svg(line.events, "a run")
    for said in (
        "bar height",
        "hoist speed",
        "button",
        "moves",
        ROW,
        "fault L7.jam",
        "verdict",
    ):
        assert f">{said}" in picture, said
    assert 'class="fail"' in picture
    ElementTree.fromstring(picture)


def test_a_run_without_events_says_so() -> None:
    assert lanes.svg([], "a run") == "<p>This run left no timeline.</p>"


def test_thinning_keeps_the_peak() -> None:
    points = [(float(n), 0.0) for n in range(5000)]
    points[3333] = (3333.0, 250.0)
    thin = traces.thinned(points)
    assert len(thin) < 400
    assert (3333.0, 250.0) in thin


def test_result_json_fits_its_schema_and_the_schema_refuses_strangers(out: Path) -> None:
    document = json.loads((out / "result.json").read_text("utf-8"))
    validator = Draft202012Validator(summary.schema())
    validator.validate(document)
    assert document["verdicts"]["FAIL"] == 1
    assert document["hazards"][HAZARD] == {"scenarios": ["S-1", "S-2", "S-3"], "worst": "FAIL"}
    assert document["coverage"]["faults"]["of"] > 40
    for damage in ({"verdict": "FINE"}, {"extra": 1}, {"timeline_hash": "abc"}):
        document["scenarios"][0] |= damage
        assert not validator.is_valid(document)


def test_junit_counts_inconclusive_as_a_failure_and_names_hazards(out: Path) -> None:
    root = ElementTree.parse(out / "junit.xml").getroot()
    (suite,) = root
    assert suite.attrib | {"tests": "4"} == suite.attrib
    assert [suite.get(name) for name in ("failures", "errors", "skipped")] == ["2", "0", "1"]
    case = suite[1]
    told = {(item.get("name"), item.get("value")) for item in case.iter("property")}
    assert {("hazard", HAZARD), ("verdict", "FAIL")} <= told
    assert case.find("failure").get("message") == "12 mm & <fast>"  # type: ignore[union-attr]
    assert suite[2].find("failure").get("type") == "INCONCLUSIVE"  # type: ignore[union-attr]


def test_frames_are_kept_as_blf_and_events_in_nanoseconds(out: Path) -> None:
    home = out / "runs" / "001-S-1"
    (frame,) = can.BLFReader(home / "trace.blf")
    assert (frame.arbitration_id, bytes(frame.data)) == (0x210, b"\x02\0")
    assert timeline.read(home / "events.jsonl").hash() == lift_stopped_by().hash()


def test_a_manifest_names_code_versions_runs_and_every_file(out: Path) -> None:
    found = manifest.read(out)
    assert {"report.html", "junit.xml", "result.json"} < set(found["files"])
    assert found["sources"].keys() == {"pyproject.toml"}
    assert {"python", "python-can", "liftctl"} < set(found["versions"])
    first = found["runs"][0]
    assert first["timeline"] == "runs/001-S-1/events.jsonl"
    assert first["timeline_hash"] == lift_stopped_by().hash()


@pytest.mark.parametrize("what", ["altered", "missing", "no manifest", "no json", "other json"])
def test_a_manifest_that_does_not_hold_is_refused_with_the_remedy(
    tmp_path: Path, what: str
) -> None:
    where = tmp_path / "out"
    fill(Report(out=where), 1).finish()
    match what:
        case "altered":
            (where / "junit.xml").write_text("<testsuites/>")
        case "missing":
            (where / "report.html").unlink()
        case "no manifest":
            (where / "manifest.json").unlink()
        case "no json":
            (where / "manifest.json").write_text("{")
        case "other json":
            (where / "manifest.json").write_text("[1]")
    with pytest.raises(manifest.ManifestError) as error:
        manifest.read(where)
    said = str(error.value)
    name = {"altered": "junit.xml: altered", "missing": "report.html: missing"}.get(what)
    assert (name or "manifest.json") in said
    assert "\n" not in said


def test_single_files_need_no_folder(tmp_path: Path) -> None:
    page, junit = tmp_path / "a" / "p.html", tmp_path / "j.xml"
    fill(Report(html=page, junit=junit)).finish()
    assert page.read_text("utf-8").startswith("<!doctype html>")
    assert junit.exists()
    assert not list(tmp_path.rglob("manifest.json"))


def test_no_run_at_all_is_a_page_too(tmp_path: Path) -> None:
    Report(html=tmp_path / "p.html").finish()
    assert "nothing was tried" in (tmp_path / "p.html").read_text("utf-8")


def test_an_endless_press_is_drawn_to_the_end() -> None:
    line = Timeline()
    line.add(0, "human", "press", station="panel:1", motion="UP")
    line.add(3000 * MS, "gate", "change", mode="ready", moving="", active=[])
    assert "never released: 0.000 s to 3.000 s" in lanes.svg(line.events, "a run")
