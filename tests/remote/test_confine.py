"""The processes that talk to the world cannot reach anything that moves: the kernel says so."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from liftctl import ipc
from liftctl.places import Places
from liftctl.recorder.ledger import Ledger
from liftctl.remote import confine as bars
from liftctl.remote.confine import Unconfined, confine
from liftctl.remote.opener import address_of
from liftctl.remote.syscalls import MACHINES
from liftctl.uplink.protocol import Ack, encode, from_home
from liftctl.uplink.state import Enrolment, Folder
from tests.remote.attempts import HOOK
from tests.remote.centre import Centre

SITE = Path("config/sites/demo-lift.toml")
ROOT = Path(__file__).parents[2]

# A remote process that was taken over and tries everything it can think of. `abi`: as on an older
# kernel, whose Landlock knows less.
CHILD = """
import socket, sys
from pathlib import Path
from liftctl import ipc
from liftctl.remote import confine as bars
from liftctl.remote.opener import Opener
from tests.remote.attempts import attempts, told
folder, panel, centre, other, abi = Path(sys.argv[1]), *map(int, sys.argv[2:])
if abi:
    bars.landlock_abi = lambda: abi
opener = Opener(("127.0.0.1", centre))
kept = ipc.connect(folder / "outside.sock")
opener.install()
bars.confine()
tries = attempts(folder, panel, other)
tries["the centre"] = lambda: socket.create_connection(("centre.example", 443), 2).sendall(b"hello")
tries["its one channel"] = lambda: kept.send(ipc.Parcel(0, b"x")) or sys.exit("no channel")
tries["a module"] = lambda: __import__("http.client")
print(told(tries))
"""
STAYS = {"the centre", "its one channel", "a module"}


@dataclass(slots=True)
class House:
    """Sockets, files and a panel's port around a process that is barred from them."""

    folder: Path
    data: Path
    servers: dict[str, ipc.Server]
    panel: socket.socket
    centre: socket.socket

    def port(self, name: str) -> str:
        return str(getattr(self, name).getsockname()[1])

    def visitors(self, name: str) -> list[ipc.Channel]:
        server = self.servers[name]
        while server.accept() is not None:
            pass
        return server.channels


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setenv("LIFTCTL_RUN", str(tmp_path))
    monkeypatch.setenv("LIFTCTL_DATA", str(tmp_path / "data"))
    places = Places("demo-lift")
    places.data.mkdir(parents=True)
    places.run.mkdir(parents=True)
    (places.run / "data").symlink_to(places.data)
    ledger = Ledger(places.ledger, lambda: 1, places.heads)  # held open, as the recorder does
    (places.data / "spare.key").write_bytes(b"secret")
    names = ("gate", "guard", "controller", "outside")
    servers = {name: ipc.serve(places.sock(name)) for name in names}
    with (
        socket.create_server(("127.0.0.1", 0)) as panel,
        socket.create_server(("127.0.0.1", 0)) as centre,
    ):
        panel.setblocking(False)
        yield House(places.run, places.data, servers, panel, centre)
    ledger.close()
    for server in servers.values():
        server.close()


@pytest.mark.parametrize("abi", [0, 1], ids=["this kernel", "Linux 5.13"])
def test_a_remote_process_that_was_taken_over_reaches_nothing(house: House, abi: int) -> None:
    words = [house.port("panel"), house.port("centre"), str(os.getpid()), str(abi)]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(house.folder), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {name for name, end in found.items() if end == "done"} == STAYS, found
    for name in ("gate", "guard", "controller"):
        assert house.visitors(name) == [], "nobody came"
    (channel,) = house.visitors("outside")
    assert channel.receive() == [ipc.Parcel(0, b"x")]
    with pytest.raises(BlockingIOError):
        house.panel.accept()
    heard = [house.centre.accept()[0].recv(9) for _ in range(2)]  # one was tried for the panel
    assert b"hello" in heard, "whatever address was asked for"
    assert (house.data / "spare.key").read_bytes() == b"secret"


def test_what_cannot_be_confined_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bars, "landlock_abi", lambda: 0)
    with pytest.raises(Unconfined, match=r"Linux 5\.13"):
        confine()
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(Unconfined, match="x86_64 or aarch64"):
        confine()
    assert os.uname().machine in MACHINES, "or every test above is for nothing"


# --- the uplink: one process with the ledger and no network, one with the network and nothing else


def test_the_real_uplink_that_was_taken_over_reaches_nothing_that_moves(
    house: House, tmp_path: Path
) -> None:
    centre = Centre()
    centre.answer = lambda body: encode(Ack((asked := from_home(body)).epoch, asked.first_seq))
    Folder.of("demo-lift").keep(Enrolment(centre.url, "m", "h", "c"))
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(HOOK)
    told = {"ATTEMPTS_FOLDER": str(house.folder), "ATTEMPTS_PANEL": house.port("panel"),
            "ATTEMPTS_OTHER": str(os.getpid()), "ATTEMPTS_CODE": str(ROOT),
            "PYTHONPATH": str(tmp_path / "hook")}  # fmt: skip
    command = [sys.executable, "-m", "liftctl.uplink", "--site", str(SITE)]
    with (tmp_path / "said").open("w+") as said:
        uplink = subprocess.Popen(command, env=os.environ | told, stderr=said)
        try:
            centre.until(lambda: len(centre.taken) > 0, "the first batch", 120.0)
        finally:
            uplink.terminate()
            uplink.wait(60)
        said.seek(0)
        lines = said.read().splitlines()
    centre.close()
    found = {line.split()[1]: json.loads(line.split(" ", 2)[2]) for line in lines
             if line.startswith("ATTEMPTS")}  # fmt: skip
    done = {who: {name for name, end in item.items() if end == "done"}
            for who, item in found.items()}  # fmt: skip
    assert done["carrier"] == set(), found
    # It hears the gate, reads the ledger and writes its own chain: so it has no way out.
    own = {"a Unix socket", "the gate", "the guard", "the controller", "a key's permissions"}
    assert done["uplink"] == own | {"the ledger", "the ledger's key"}, found
    assert from_home(centre.taken[0]).records, "and yet the ledger travels"
    with pytest.raises(BlockingIOError):
        house.panel.accept()


def test_the_carrier_reaches_the_centre_or_the_houses_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("https_proxy", "all_proxy", "no_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert address_of("https://centre.example", proxies=True) == ("centre.example", 443)
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "near.example")
    assert address_of("https://centre.example", proxies=True) == ("proxy.example", 3128)
    assert address_of("https://near.example", proxies=True) == ("near.example", 443)
    assert address_of("https://centre.example") == ("centre.example", 443)
