"""The process that talks to the world cannot reach anything that moves: the kernel says so."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from liftctl import ipc
from liftctl.remote.confine import MACHINES, Unconfined, confine

# A remote process that was taken over and tries everything it can think of.
CHILD = """
import ctypes, json, os, signal, socket, subprocess, sys
from liftctl import ipc
from pathlib import Path
from liftctl.remote.confine import confine
folder, panel, centre, parent = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), os.getppid()
kept = ipc.connect(folder / "outside.sock")
libc = ctypes.CDLL(None, use_errno=True)
confine([centre])
def tcp(port):
    with socket.create_connection(("127.0.0.1", port), 2) as found:
        found.sendall(b"hold")
def gate():
    channel = ipc.connect(folder / "gate.sock")
    channel.send(ipc.Hello("panel"))
def ring():
    if libc.syscall(425, 8, ctypes.create_string_buffer(256)) < 0:
        raise OSError(ctypes.get_errno(), "io_uring")
def pidfd():
    if libc.syscall(434, parent, 0) < 0:
        raise OSError(ctypes.get_errno(), "pidfd")
def ptrace():
    if libc.ptrace(16, parent, 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")
def listen():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        found.listen()
def memory():
    open(f"/proc/{parent}/mem", "rb").close()
tries = {
    "a Unix socket": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET),
    "the gate": gate,
    "CAN": lambda: socket.socket(29, socket.SOCK_RAW, 1),
    "raw packets": lambda: socket.socket(17, socket.SOCK_RAW, 0),
    "the panel's port": lambda: tcp(panel),
    "listening": listen,
    "io_uring": ring,
    "another process by descriptor": pidfd,
    "another process by ptrace": ptrace,
    "another process's memory": memory,
    "a signal": lambda: os.kill(parent, 0),
    "a new program": lambda: os.execv("/bin/true", ["true"]),
    "a child program": lambda: subprocess.run(["/bin/true"], check=True),
    "the ledger's key": lambda: (folder / "ledger.key").read_bytes(),
    "writing the configuration": lambda: (folder / "applied.json").write_text("{}"),
    "removing it": lambda: (folder / "ledger.key").unlink(),
    "the centre": lambda: tcp(centre),
    "its one channel": lambda: kept.send(ipc.Parcel(0, b"x")) or sys.exit("no channel"),
    "a module": lambda: __import__("http.client"),
}
found = {}
for name, attempt in tries.items():
    try:
        attempt()
        found[name] = "done"
    except BaseException as error:
        found[name] = type(error).__name__
print(json.dumps(found))
"""
STAYS = {"the centre", "its one channel", "a module"}


def test_a_remote_process_that_was_taken_over_reaches_nothing(tmp_path: Path) -> None:
    (tmp_path / "ledger.key").write_bytes(b"secret")
    gate, outside = ipc.serve(tmp_path / "gate.sock"), ipc.serve(tmp_path / "outside.sock")
    with (
        socket.create_server(("127.0.0.1", 0)) as panel,
        socket.create_server(("127.0.0.1", 0)) as centre,
    ):
        ports = [str(item.getsockname()[1]) for item in (panel, centre)]
        done = subprocess.run(
            [sys.executable, "-c", CHILD, str(tmp_path), *ports],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        panel.setblocking(False)
        with pytest.raises(BlockingIOError):
            panel.accept()
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {name for name, end in found.items() if end == "done"} == STAYS, found
    assert gate.accept() is None, "nobody came to the gate"
    channel = outside.accept()
    assert channel is not None and channel.receive() == [ipc.Parcel(0, b"x")]
    assert (tmp_path / "ledger.key").read_bytes() == b"secret"
    gate.close()
    outside.close()


def test_what_cannot_be_confined_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(Unconfined, match="x86_64 or aarch64"):
        confine([443])
    assert os.uname().machine in MACHINES, "or every test above is for nothing"
