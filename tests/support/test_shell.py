"""The support process with its own sockets: what reaches it cannot end it."""

from __future__ import annotations

import pytest

from liftctl import ipc
from liftctl.places import Places
from liftctl.remote import enrol
from liftctl.remote.envelope import sign
from liftctl.support.shell import Shell
from tests.panel.house import site
from tests.support.world import DEEP, TECH, TECH_KEY


@pytest.fixture
def shell() -> Shell:
    places = Places("demo-lift")
    enrol.enrol(places, "north-1", "http://127.0.0.1:1", "")
    enrol.trust_key(places, TECH_KEY.public, "support", TECH_KEY.holder, 30)
    return Shell(site("lift"), site("lift"), False)


def test_nothing_nested_without_end_ends_it(shell: Shell) -> None:
    outside = ipc.connect(shell.places.sock("outside"))
    assert outside is not None
    outside.sock.send(b"\x82\xa1a" + b"\x91" * 2000 + b"\x90" + b"\xa4type\xa6parcel")
    outside.send(ipc.Parcel(0, sign(DEEP, [("support", TECH)])))
    for _ in range(3):
        shell.step(0.05)
    assert shell.state.heard_s is not None and shell.outside.channels[0].malformed == 1
    shell.close()
