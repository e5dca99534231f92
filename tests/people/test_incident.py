"""An incident pack: complete, the same each time, and a changed byte is found."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from liftctl import packs
from liftctl.blackbox import logfile
from liftctl.blackbox.turnlog import replay
from liftctl.people import proof
from liftctl.people.words import LANGUAGES, catalogue
from liftctl.recorder import audit, store
from liftctl.recorder.readonly import connect
from tests.people.made import DEMO, OTHER, OWN, demo, fill, run, segment
from tests.recorder.test_replay import Toy, written


def export(out: Path, *words: object) -> dict[str, bytes]:
    done = run("incident", "export", "--site", DEMO, "--out", out, *words)
    assert done.exit_code == 0, done.output
    return packs.read(out)


@pytest.fixture
def happened(folders: None) -> None:
    site, places = demo()
    fill(places, {"id": "t0", "resident": OTHER}, {"id": "t1", "resident": OWN, "outcome": "fault",
         "config_hash": site.hash, "blocks": [{"row": "estop", "at_s": 3.0}]},
         {"id": "t2", "resident": OTHER})  # fmt: skip
    segment(places, site)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    made = Ed25519PrivateKey.generate()
    path.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def verified(path: Path, *words: object) -> tuple[int, str]:
    done = run("incident", "verify", path, *words)
    return done.exit_code, done.output


@pytest.mark.usefixtures("happened")
def test_a_pack_holds_what_the_system_knows_and_names_what_people_must_say(tmp_path: Path) -> None:
    files = export(tmp_path / "i.zip", "--transfer", "t1", "--lang", "en")
    told = json.loads(files["report.json"])
    assert [item["id"] for item in told["transfers"]] == ["t1"]
    assert told["known"]["event.rows"][0].startswith("estop: 2027-01-15T08:00:")
    assert set(told["open"]) == {
        k.removeprefix("ask.") for k in catalogue() if k.startswith("ask.")
    }
    assert files["report.html"].decode().count('class="judge"') == len(told["open"])
    assert any(name.startswith("blackbox/seg-") for name in files)
    assert verified(tmp_path / "i.zip") == (0, "incident pack holds\n")
    assert (tmp_path / "i.zip").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("happened")
def test_other_transfers_are_hashes_only(tmp_path: Path) -> None:
    files = export(tmp_path / "i.zip", "--transfer", "t1")
    assert OTHER.encode() not in files["ledger.json"]
    assert b'"t0"' not in files["ledger.json"] and b'"t2"' not in files["ledger.json"]
    assert b"Resident A" not in files["config.json"]


@pytest.mark.usefixtures("happened")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_makes_the_same_bytes(tmp_path: Path, key: Path, language: str) -> None:
    words = ("--since", "2027-01-15", "--until", "2027-01-16", "--lang", language, "--key", key)
    one, two = tmp_path / "1.zip", tmp_path / "2.zip"
    export(one, *words)
    export(two, *words)
    assert one.read_bytes() == two.read_bytes()
    told = json.loads(packs.read(one)["report.json"])
    assert [item["id"] for item in told["transfers"]] == ["t0", "t1", "t2"]
    assert verified(one)[0] == 0


@pytest.mark.usefixtures("happened")
def test_a_changed_byte_in_any_file_is_found(tmp_path: Path, key: Path) -> None:
    files = export(tmp_path / "i.zip", "--transfer", "t1", "--key", key)
    for name in files:
        bad = {**files, name: files[name][:-2] + bytes([files[name][-2] ^ 1]) + files[name][-1:]}
        with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
            for item, body in bad.items():
                archive.writestr(item, body)
        status, said = verified(tmp_path / "bad.zip")
        assert (status, "DOES NOT HOLD" in said) == (1, True), name


@pytest.mark.usefixtures("happened")
def test_another_signer_is_found_when_the_right_key_is_known(tmp_path: Path, key: Path) -> None:
    files = export(tmp_path / "i.zip", "--transfer", "t1", "--key", key)
    own = files[packs.SIGNER].decode()
    assert verified(tmp_path / "i.zip", "--public-key", own)[0] == 0
    assert verified(tmp_path / "i.zip", "--public-key", "00" * 32)[0] == 1
    assert verified(tmp_path / "i.zip", "--ledger-key", "11" * 32)[0] == 1


@pytest.mark.usefixtures("happened")
def test_a_resealed_lie_about_the_ledger_does_not_lead_to_its_heads(tmp_path: Path) -> None:
    told = json.loads(export(tmp_path / "i.zip", "--transfer", "t1")["ledger.json"])
    assert not list(proof.problems(told))
    for change in ({"body": "{}"}, {"header": "{}"}, {"hash": "00" * 32}):
        entries = [{**told["entries"][0], **change}, *told["entries"][1:]]
        assert list(proof.problems({**told, "entries": entries})), change
    assert list(proof.problems({**told, "hashes": told["hashes"][:-1]}))
    assert list(proof.problems({**told, "after": {**told["after"], "note": "x"}}))
    assert list(proof.problems({}))


def test_what_is_missing_is_said_everywhere(tmp_path: Path) -> None:
    _, places = demo()
    fill(places, {"id": "t1", "resident": OWN, "config_hash": "0123"})
    run("ledger", "erase", places.ledger, "--transfer", "t1", "--yes")
    files = export(tmp_path / "i.zip", "--transfer", "t1", "--lang", "en")
    said = json.loads(files["missing.json"])
    assert any("black box holds no turn" in line for line in said)
    assert "transfer t1: erased" in said
    assert json.loads(files[packs.MANIFEST])["since"].startswith("2027-01-15T08:00")
    assert json.loads(files[packs.MANIFEST])["missing"] == said
    assert "transfer t1: erased" in files["report.html"].decode()
    assert verified(tmp_path / "i.zip")[0] == 0


def test_a_damaged_black_box_is_attached_and_said(tmp_path: Path) -> None:
    site, places = demo()
    fill(places, {"id": "t1", "resident": OWN})
    path = segment(places, site)
    body = bytearray(path.read_bytes())
    body[-3] ^= 0xFF
    path.write_bytes(body)
    files = export(tmp_path / "i.zip", "--transfer", "t1")
    assert files[f"blackbox/{path.name}"] == bytes(body)
    assert "attached but damaged" in files["missing.json"].decode()


@pytest.mark.usefixtures("happened")
def test_what_cannot_be_exported_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    out = tmp_path / "i.zip"
    for words, said in (
        (("--transfer", "nobody"), "no transfer 'nobody'"),
        ((), "name --transfer"),
        (("--transfer", "t1", "--since", "2027-01-15", "--until", "2027-01-16"), "name --transfer"),
        (("--since", "soon", "--until", "2027-01-16"), "write YYYY-MM-DD"),
        (("--since", "2027-01-16", "--until", "2027-01-15"), "is not before"),
        (("--transfer", "t1", "--key", DEMO), "no private key"),
    ):
        done = run("incident", "export", "--site", DEMO, "--out", out, *words)
        assert done.exit_code == 2 and said in done.output, words
        assert not out.exists()
    (tmp_path / "no.zip").write_text("x")
    assert verified(tmp_path / "no.zip")[0] == 2


def test_where_no_file_has_the_time_the_ring_is_taken_and_replays(tmp_path: Path) -> None:
    _, places = demo()
    places.data.mkdir(parents=True)
    written(places.ring)
    files = export(tmp_path / "i.zip", "--since", "2001-09-09", "--until", "2001-09-10")
    assert "this site has no ledger" in json.loads(files["missing.json"])
    (tmp_path / "ring.lbb").write_bytes(files["blackbox/ring.lbb"])
    result = replay(logfile.read(tmp_path / "ring.lbb"), Toy())
    assert (result.turns, result.difference) == (40, None)


def test_a_freeze_of_the_time_is_attached_and_another_day_is_not(tmp_path: Path) -> None:
    site, places = demo()
    fill(places, {"id": "t1", "resident": OWN})
    path = segment(places, site)
    for name in (
        "freeze-20270115T080100.000000Z-estop.lbb",
        "freeze-20270114T080100.000000Z-a.lbb",
    ):
        (places.blackbox / name).write_bytes(path.read_bytes())
    files = export(tmp_path / "i.zip", "--transfer", "t1")
    held = [name for name in files if name.startswith("blackbox/")]
    assert held == ["blackbox/freeze-20270115T080100.000000Z-estop.lbb", f"blackbox/{path.name}"]


@pytest.mark.usefixtures("happened")
def test_an_export_is_an_entry_and_goes_out_even_where_none_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, places = demo()
    out = tmp_path / "i.zip"
    export(out, "--transfer", "t1")
    with closing(connect(places.ledger)) as db:
        (line,) = audit.trail(db)
    assert (line["event"], line["detail"]["transfer"]) == ("incident_exported", "t1")
    assert line["detail"]["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    lock = store.lock(places.ledger)  # a writer that does not answer
    done = run(
        "incident", "export", "--site", DEMO, "--out", tmp_path / "2.zip", "--transfer", "t1"
    )
    os.close(lock)
    assert done.exit_code == 0 and "NOT in the ledger" in done.output
    assert (tmp_path / "2.zip").exists()
