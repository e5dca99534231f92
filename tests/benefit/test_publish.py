"""A synthetic year from the ledger to every page, and the pack that others verify."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pypdf import PdfReader
from typer.testing import Result

from liftctl.benefit.blocks import Grid
from liftctl.benefit.pack import read_pack
from liftctl.benefit.page import page
from liftctl.benefit.pdf_page import pdf
from liftctl.packs import MANIFEST, SIGNATURE, SIGNER, plain
from tests.benefit.made import FIRST_AFTER, FIRST_BEFORE, against, drawn, report, run, write

LANGUAGES = ("da", "en", "sv")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ledger, baseline, audits and inputs of a small home, and its report."""
    where = tmp_path_factory.mktemp("synth") / "home"
    made = run("synth", "--out", where, "--residents", 12, "--days", 190, "--before-days", 63)
    assert made.exit_code == 0, made.output
    key = Ed25519PrivateKey.generate()
    (where / "key.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    assert reported(where, where / "out").exit_code == 0
    return where


def reported(home: Path, out: Path) -> Result:
    return run("report", "--ledger", home, "--baseline", home / "baseline.json", "--audits",
               home / "audits.csv", "--inputs", home / "inputs.toml", "--out", out, "--key",
               home / "key.pem", "--json")  # fmt: skip


def tokens(home: Path) -> set[str]:
    return set(re.findall(r"synthetic-[0-9a-f]{10}\b", (home / "before.csv").read_text("utf-8")))


def test_every_format_is_there_and_no_resident_is_in_any(home: Path) -> None:
    out = home / "out"
    kinds = {path.suffix for path in out.iterdir()}
    assert kinds == {".html", ".pdf", ".xlsx", ".json", ".parquet", ".zip"}
    packed = b"".join(read_pack(out / "evidence.zip").values())
    texts = packed + b"".join(path.read_bytes() for path in out.iterdir() if path.suffix != ".zip")
    assert tokens(home)
    assert not [token for token in tokens(home) if token.encode() in texts]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_needs_nothing_from_outside_and_its_drawings_have_words(
    home: Path, language: str
) -> None:
    text = (home / "out" / f"report-{language}.html").read_text("utf-8")
    assert f'<html lang="{language}">' in text
    assert not re.search(r'(?:src|href)="(?!#)|<script|@import|url\((?!#)', text)
    drawings = re.findall(r'<svg role="img".*?</svg>', text, re.DOTALL)
    assert len(drawings) == 4
    assert all("<title>" in item and "<desc>" in item for item in drawings)
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pdf_is_tagged_and_its_drawings_have_words(home: Path, language: str) -> None:
    reader = PdfReader(home / "out" / f"report-{language}.pdf")
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == language
    assert "/StructTreeRoot" in root
    assert b"pdfuaid:part>1<" in root["/Metadata"].get_object().get_data()
    alternatives = [node["/Alt"] for node in nodes(root["/StructTreeRoot"]) if "/Alt" in node]
    assert len(alternatives) == 4
    kinds = {node.get("/S") for node in nodes(root["/StructTreeRoot"])}
    assert {"/H1", "/H2", "/Table", "/TH", "/Figure"} <= kinds
    assert len(reader.pages[0].extract_text()) > 500


def nodes(node: Any) -> list[Any]:
    """Every element of the structure tree."""
    found = node.get_object()
    if isinstance(found, list):
        return [item for part in found for item in nodes(part)]
    if not isinstance(found, dict):
        return []
    return [found, *(nodes(found["/K"]) if "/K" in found else [])]


def test_the_workbook_holds_numbers_and_no_formula(home: Path) -> None:
    book = openpyxl.load_workbook(home / "out" / "report-en.xlsx")
    cells = [cell for sheet in book for row in sheet for cell in row]
    assert sum(cell.data_type == "n" and cell.value is not None for cell in cells) > 60
    assert not [cell for cell in cells if cell.data_type == "f"]
    years = next(cell for cell in cells if str(cell.value).startswith("Payback in years, if all"))
    told = [cell.value for cell in years.parent[years.row]][1:4]
    assert told[1] < told[0] < told[2]


def test_the_first_page_says_it_in_each_language(home: Path) -> None:
    words = {"en": "staff-minutes", "da": "personaleminutter", "sv": "personalminuter"}
    for language, word in words.items():
        text = (home / "out" / f"report-{language}.html").read_text("utf-8")
        sentence = re.search(r'<p class="sentence">(.*?)</p>', text)
        assert sentence and word in sentence[1]


def test_the_first_page_says_that_it_is_no_trial_and_what_is_compared_with_what(
    home: Path,
) -> None:
    told = {
        "en": "is not a trial: 6 Jan 2025 to 9 Mar 2025 is compared with 10 Mar 2025 to",
        "da": "er ikke et forsøg: 6. jan. 2025 til 9. mar. 2025 sammenlignes med 10. mar. 2025 til",
        "sv": "är inget försök: 6 jan. 2025 till 9 mars 2025 jämförs med 10 mars 2025 till",
    }
    for language, words in told.items():
        text = (home / "out" / f"report-{language}.html").read_text("utf-8")
        assert words in text.split('class="sentence"')[1].split("<figure")[0]


def test_two_carers_by_assessment_read_as_a_part_of_all_and_no_number_touches_another(
    tmp_path: Path,
) -> None:
    first = drawn(FIRST_AFTER, 1, 156.9)
    lines = [{**item, "carers_planned": 1 + (at % 12 > 5)} for at, item in enumerate(first)]
    found = report(write(tmp_path / "t.csv", lines),
                   write(tmp_path / "b.csv", drawn(FIRST_BEFORE, 2, 273.6)))  # fmt: skip
    found["saved_hours_total"] = {"mean": 2336.0, "ci95": [1864.0, 2808.0]}
    told = page(found, "en", "", "0")
    (rows,) = [block.rows for block in told.rest
               if isinstance(block, Grid) and block.caption == "The saving"]  # fmt: skip
    assert [row[0] for row in rows][-2:] == ["All transfers", "of these: two carers by assessment"]
    pages = PdfReader(io.BytesIO(pdf(told))).pages
    text = "\n".join(part.extract_text(extraction_mode="layout") for part in pages)
    (line,) = [line for line in text.replace("\u00a0", " ").splitlines() if "All transfers" in line]
    assert re.search(r"\d\) +2,336 \(1,864 to 2,808\) +144 ", line), line


def test_the_pack_is_verified_with_one_command(home: Path) -> None:
    pack = home / "out" / "evidence.zip"
    signer = read_pack(pack)[SIGNER].decode()
    done = run("evidence", "verify", pack, "--public-key", signer)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("evidence holds: ")
    other = run("evidence", "verify", pack, "--public-key", "00" * 32)
    assert other.exit_code == 1
    assert "not with the key given" in other.stderr


def test_the_same_material_makes_the_same_pack(home: Path, tmp_path: Path) -> None:
    reported(home, tmp_path / "again")
    one, other = (path / "evidence.zip" for path in (home / "out", tmp_path / "again"))
    assert one.read_bytes() == other.read_bytes()


def repacked(pack: Path, out: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    files = read_pack(pack)
    change(files)
    with zipfile.ZipFile(out, "w") as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return out


def prettier(files: dict[str, bytes]) -> None:
    told = json.loads(files["numbers.json"])
    told["saved_s_per_transfer"]["mean"] += 1.0
    files["numbers.json"] = plain(told)


def signed_by_another(files: dict[str, bytes]) -> None:
    """Someone who owns a key of their own."""
    manifest = json.loads(files[MANIFEST])
    for name in manifest["files"]:
        manifest["files"][name] = hashlib.sha256(files[name]).hexdigest()
    key = Ed25519PrivateKey.generate()
    files[MANIFEST] = plain(manifest)
    files[SIGNATURE] = key.sign(files[MANIFEST]).hex().encode()
    files[SIGNER] = key.public_key().public_bytes_raw().hex().encode()


def resigned(files: dict[str, bytes]) -> None:
    prettier(files)
    signed_by_another(files)


def of_a_broken_ledger(files: dict[str, bytes]) -> None:
    told = json.loads(files["sources.json"])
    told["ledgers"][0]["holds"] = False
    files["sources.json"] = plain(told)
    signed_by_another(files)


TAMPERED: dict[str, Callable[[dict[str, bytes]], object]] = {
    "numbers.json: was changed after signing": prettier,
    "recomputed otherwise: saved_s_per_transfer.mean": resigned,
    "rows.parquet: named in the manifest, missing": lambda files: files.pop("rows.parquet"),
    "extra.txt: not named in the manifest": lambda files: files.update({"extra.txt": b"x"}),
    "ledger.sqlite did not hold when the pack was made": of_a_broken_ledger,
    "its signature does not hold": lambda files: files.update({SIGNATURE: b"00" * 64}),
}


@pytest.mark.parametrize("words", TAMPERED)
def test_a_pack_that_was_touched_does_not_hold(home: Path, tmp_path: Path, words: str) -> None:
    pack = repacked(home / "out" / "evidence.zip", tmp_path / "touched.zip", TAMPERED[words])
    done = run("evidence", "verify", pack)
    assert done.exit_code == 1
    assert words in done.stderr


def test_what_is_no_pack_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(b"not a zip")
    assert run("evidence", "verify", path).exit_code == 2
    assert "no evidence pack" in run("evidence", "verify", path).stderr


def test_a_report_takes_the_place_of_a_report_and_of_nothing_else(tmp_path: Path) -> None:
    asked = against(tmp_path, drawn(FIRST_AFTER, 1, 156.9), tmp_path / "out")
    mine = tmp_path / "out" / "letter.txt"
    mine.parent.mkdir()
    mine.write_text("dear", encoding="utf-8")
    done = run(*asked)
    assert done.exit_code == 2
    assert "holds other things (letter.txt)" in done.stderr
    assert mine.read_text("utf-8") == "dear"


def test_four_residents_make_neither_pack_nor_rows_nor_mean(tmp_path: Path) -> None:
    few = drawn(FIRST_AFTER, 1, 156.9, residents=4)
    done = run(*against(tmp_path, few, tmp_path / "out"))
    assert done.exit_code == 0
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert not left & {"evidence.zip", "rows.parquet"}
    found = json.loads((tmp_path / "out" / "numbers.json").read_text("utf-8"))
    assert found["saved_s_per_transfer"]["mean"] is None
    assert found["corrected_staff_s_per_transfer"] is None and found["sensitivity"] == []
    text = (tmp_path / "out" / "report-en.html").read_text("utf-8")
    assert "No demonstrated saving: fewer than 5 residents, so no figure is shown." in text


def test_the_follow_up_and_the_series_are_in_the_year(home: Path) -> None:
    found = json.loads((home / "out" / "numbers.json").read_text("utf-8"))
    assert found["follow_up"]["six_months"]["planned_hours_per_week"] == 35
    assert found["interrupted_time_series"]["level_change_s"]["mean"] < 0
    assert found["decomposition"]["transfers_per_resident"]["saved_s"] < 0
    assert found["unlogged"]["care_plan"]["unlogged_share"] > 0
    assert found["waiting"]["seconds_per_two_carer_transfer"] > 30
