"""Signed heads: what public tools read, whose word counts, and what a lost tail cannot hide."""

from __future__ import annotations

import base64
import hashlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from liftctl import records
from liftctl.recorder import keys
from liftctl.recorder.checkpoint import (
    Checkpoint,
    NoteError,
    Tree,
    key_id,
    parse,
    raw_public,
    sign,
    signer,
    verifier_key,
)
from liftctl.recorder.entries import Entry
from liftctl.recorder.heads import Heads
from liftctl.recorder.ledger import Ledger
from liftctl.recorder.reader import read_transfers
from liftctl.recorder.store import public_key_path
from liftctl.recorder.verify import SECOND_PLACE, verify

WALL_NS = 1_800_000_000_000_000_000
# The example of the specification (C2SP tlog-checkpoint).
PUBLISHED = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
"""  # noqa: E501
# Leaves and roots of the tree of certificate transparency's published tests.
LEAVES = (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)  # fmt: skip
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "demo" / "ledger.sqlite"


@pytest.fixture
def heads(path: Path) -> Path:
    return path.parent / SECOND_PLACE


def open_at(path: Path, heads: Path | None) -> closing[Ledger]:
    return closing(Ledger(path, lambda: WALL_NS, heads))


def add(ledger: Ledger, *names: str) -> None:
    for name in names:
        ledger.append(Entry("closed", name, 1, {"id": name}, {"outcome": "completed"}))


@pytest.mark.parametrize("size", ROOTS)
def test_the_tree_is_the_published_one(size: int) -> None:
    tree = Tree()
    for data in LEAVES[:size]:
        tree = tree.grown(bytes.fromhex(data))
    assert tree.root.hex() == ROOTS[size]
    assert Tree.of(size, tree.packed) == tree


def _recursive(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, as it stands there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\1" + _recursive(leaves[:k]) + _recursive(leaves[k:])).digest()


@given(st.lists(st.binary(max_size=40), max_size=70))
def test_growing_gives_the_root_of_the_definition(leaves: list[bytes]) -> None:
    tree = Tree()
    for data in leaves:
        tree = tree.grown(data)
    assert (tree.size, tree.root) == (len(leaves), _recursive(leaves))


def test_the_published_checkpoint_is_read_and_the_key_ids_are_those_of_note_tools() -> None:
    head = parse(PUBLISHED)
    assert (head.origin, head.size) == ("example.com/behind-the-sofa", 20852163)
    assert PUBLISHED.startswith(head.text + "\n")
    # A verifier key of the Go module golang.org/x/mod/sumdb/note.
    known = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    public = base64.b64decode(known.split("+", 2)[2])[1:]
    assert verifier_key("PeterNeumann", public) == known


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note.replace("\n5\n", "\n05\n"),
        lambda note: note.replace("\n5\n", "\nfive\n"),
        lambda note: note.replace("\n5\n", "\n6\n"),
        lambda note: note.replace("\n\n", "\n"),
        lambda note: note.replace("liftctl/x/1\n", "\n", 1),
        lambda note: note.replace("AAA", "AAB"),
        lambda note: note[:-9] + "AAAAAAA=\n",
        lambda note: note.replace("AAAA=", "AAA"),
        lambda note: "",
    ],
)
def test_a_note_that_was_changed_is_refused(change) -> None:  # type: ignore[no-untyped-def]
    key = keys.Ed25519PrivateKey.generate()
    note = sign(Checkpoint("liftctl/x/1", 5, bytes(32)), key)
    assert signer(note, [raw_public(key)]) == raw_public(key)
    changed = change(note)
    assert changed != note
    with pytest.raises(NoteError):
        signer(changed, [raw_public(key)])


def test_a_signature_of_an_unknown_key_counts_for_nothing() -> None:
    key, other = (keys.Ed25519PrivateKey.generate() for _ in range(2))
    note = sign(Checkpoint("liftctl/x/1", 5, bytes(32)), key)
    assert signer(note, [raw_public(other)]) is None
    assert key_id("liftctl/x/1", raw_public(key)) != key_id("liftctl/x/2", raw_public(key))


def test_a_signature_under_another_log_s_name_counts_for_nothing() -> None:
    key = keys.Ed25519PrivateKey.generate()
    head = Checkpoint("liftctl/x/1", 5, bytes(32))
    raw = key_id("liftctl/y/1", raw_public(key)) + key.sign(head.text.encode())
    note = f"{head.text}\n— liftctl/y/1 {base64.b64encode(raw).decode()}\n"
    assert signer(note, [raw_public(key)]) is None


def test_only_words_that_hold_link_one_key_to_another() -> None:
    old, new, thief = (keys.Ed25519PrivateKey.generate() for _ in range(3))
    word = keys.vouch(old, raw_public(new))
    assert keys.trusted([word.old], [word]) == keys.trusted([word.new], [word])
    for forged in (
        keys.Vouched(word.old, raw_public(thief), word.signature),
        keys.Vouched(word.old, raw_public(thief), keys.vouch(thief, raw_public(thief)).signature),
        keys.Vouched(word.old, word.new, b""),
    ):
        assert keys.trusted([word.old], [forged]) == {word.old}


def test_a_tail_cut_off_with_its_heads_is_found_by_the_head_kept_elsewhere(
    path: Path, heads: Path, tmp_path: Path
) -> None:
    with open_at(path, heads) as ledger:
        add(ledger, "a", "b")
        shutil.copy(path, tmp_path / "early.sqlite")
        wal = path.with_name(path.name + "-wal")
        shutil.copy(wal, tmp_path / "early.sqlite-wal")
        add(ledger, "c")
    assert verify(path).compared == 1
    early = tmp_path / "early.sqlite"
    shutil.copy(public_key_path(path), public_key_path(early))
    assert verify(early).ok  # alone it cannot know
    (kept,) = heads.glob("*.note")
    for place in (kept, heads):
        result = verify(early, against=[place])
        assert result.problems == [
            f"head kept elsewhere (4 of {parse(kept.read_text()).origin}): the ledger ends at 3; "
            "1 entries are missing"
        ]


def test_another_ledger_or_another_history_is_told_from_ours(
    path: Path, heads: Path, tmp_path: Path
) -> None:
    with open_at(path, heads) as ledger:
        add(ledger, "a")
        note = ledger.seal()
        head = parse(note)
        forged = sign(Checkpoint(head.origin, head.size, bytes(32)), ledger.key)
    stranger = keys.Ed25519PrivateKey.generate()
    for text, problem in (
        (forged, "other ones"),
        (sign(Checkpoint(head.origin, head.size, head.root), stranger), "not signed by a key"),
        (sign(Checkpoint("liftctl/other/1", 1, bytes(32)), stranger), "no such epoch"),
    ):
        file = tmp_path / "head.note"
        file.write_text(text)
        (said,) = verify(path, against=[file]).problems
        assert problem in said


def test_a_restore_begins_a_new_epoch_and_says_what_is_lost(path: Path, heads: Path) -> None:
    with open_at(path, heads) as ledger:
        add(ledger, "a")
        first = ledger.epoch
    backup = path.read_bytes()
    with open_at(path, heads) as ledger:
        add(ledger, "b", "c")
        assert ledger.epoch == first
        lost = Heads(heads).of(first)
    path.write_bytes(backup)
    with open_at(path, heads) as ledger:
        assert ledger.epoch != first
        assert "has lost its newest entries" in ledger.notice
        assert f"the last head known is {lost.size}" in ledger.notice
        add(ledger, "d")
    with open_at(path, heads) as ledger:
        assert ledger.notice == ""  # told once, kept in the chain
    result = verify(path)
    assert result.ok, result.problems
    assert result.epochs == 2
    assert "2 entries are missing" in result.losses[0]
    assert not verify(path, against=[heads / f"head-{first}.note"]).ok


def test_a_ledger_that_is_gone_is_missed(path: Path, heads: Path) -> None:
    with open_at(path, heads) as ledger:
        add(ledger, "a")
    path.unlink()
    with open_at(path, heads) as ledger:
        assert "the ledger is gone" in ledger.notice
        assert "the last head known is 2 of liftctl/demo/" in ledger.notice
    assert verify(path).ok


def test_garbage_in_the_second_place_neither_stops_nor_fools_the_ledger(
    path: Path, heads: Path
) -> None:
    with open_at(path, heads) as ledger:
        add(ledger, "a")
        epoch, origin = ledger.epoch, ledger.origin
    (kept,) = heads.glob("*.note")
    stranger = keys.Ed25519PrivateKey.generate()
    for text in ("garbage", sign(Checkpoint(origin, 99, bytes(32)), stranger)):
        kept.write_text(text)
        with open_at(path, heads) as ledger:
            assert (ledger.epoch, ledger.notice) == (epoch, "")
    assert parse(kept.read_text()).size == 2


def test_a_second_place_that_cannot_be_written_is_said_and_keeps_nothing_from_being_written(
    path: Path, heads: Path
) -> None:
    heads.parent.mkdir(parents=True)
    heads.write_text("a file where the folder should be")
    with open_at(path, heads) as ledger:
        add(ledger, "a")
        assert "second place" in ledger.heads_complaint
        heads.unlink()
        add(ledger, "b")
        assert ledger.heads_complaint == ""
    assert verify(path).compared == 1


def test_a_rotated_key_is_vouched_for_and_verifies_from_either_end(path: Path, heads: Path) -> None:
    with open_at(path, heads) as ledger:
        add(ledger, "a")
        old = public_key_path(path).read_text().strip()
        ledger.rotate()
        add(ledger, "b")
        ledger.rotate()
        add(ledger, "c")
    new = public_key_path(path).read_text().strip()
    assert new != old
    for anchor in (old, new):
        result = verify(path, [anchor])
        assert result.ok, result.problems
        assert result.keys == 3
    assert not verify(path, ["00" * 32]).ok


@pytest.mark.parametrize("at", ["prepared", "written"])
def test_a_rotation_that_was_cut_short_is_finished_or_forgotten(
    path: Path, heads: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    class Power(Exception):
        """Went."""

    def cut(*_: object) -> None:
        raise Power

    with open_at(path, heads) as ledger:
        where = "liftctl.recorder.ledger.keys." + {"prepared": "vouch", "written": "adopt_next"}[at]
        with monkeypatch.context() as patch:
            patch.setattr(where, cut)
            with pytest.raises(Power):
                ledger.rotate()
    with open_at(path, heads) as ledger:
        add(ledger, "a")
        assert ledger.notice == ""
        ledger.rotate()
        add(ledger, "b")
    result = verify(path)
    assert result.ok, result.problems
    assert result.keys == {"prepared": 2, "written": 3}[at]


def test_a_key_nobody_vouched_for_begins_an_epoch_and_is_not_trusted(
    path: Path, heads: Path
) -> None:
    with open_at(path, heads) as ledger:
        add(ledger, "a")
    old = public_key_path(path).read_text().strip()
    path.with_suffix(".key").unlink()
    with open_at(path, heads) as ledger:
        assert "nobody vouched for it" in ledger.notice
        add(ledger, "b")
    new = public_key_path(path).read_text().strip()
    assert any("nobody vouches for" in said for said in verify(path, [old]).problems)
    assert verify(path, [old, new]).ok


OLD_LEDGER = Path(__file__).parent / "ledger-v1.sql"


def test_a_ledger_of_the_first_version_is_continued_and_still_verifies(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db:
        db.executescript(OLD_LEDGER.read_text())
    path.with_suffix(".key").write_bytes(bytes(range(32)))  # made with this key
    with open_at(path, path.parent / SECOND_PLACE) as ledger:
        assert ledger.notice == ""
        add(ledger, "new")
    result = verify(path)
    assert result.ok, result.problems
    assert result.heads == 4
    record = records.read(read_transfers(path)[1])
    assert (record.elapsed_s, record.consent, record.clock.sync) == (100.5, None, "unknown")
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP TRIGGER head_update")
        db.execute("UPDATE head SET signature = zeroblob(64) WHERE seq = 3")
        db.commit()
    assert "head 3: signature is wrong" in verify(path).problems


def test_a_sealed_head_is_checked_with_nothing_but_its_verifier_key(
    path: Path, heads: Path
) -> None:
    """As a tool that knows signed notes and not us would do it (C2SP signed-note)."""
    with open_at(path, heads) as ledger:
        add(ledger, "a")
        note = ledger.seal()
        name, key_hash, packed = verifier_key(ledger.origin, raw_public(ledger.key)).split("+", 2)
    text, _, lines = note.rpartition("\n\n")
    dash, signer_name, signature = lines.removesuffix("\n").split(" ")
    raw = base64.b64decode(signature)
    assert (dash, signer_name, raw[:4].hex()) == ("—", name, key_hash)
    public = base64.b64decode(packed)
    assert public[0] == 1
    Ed25519PublicKey.from_public_bytes(public[1:]).verify(raw[4:], f"{text}\n".encode())
    origin, size, root = text.split("\n")
    assert (origin, size, len(base64.b64decode(root))) == (name, "2", 32)
