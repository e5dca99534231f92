"""The uplink beside a gate: it listens, keeps a chain of events, says hello and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import msgspec
import pytest

from config.schema import load
from liftctl import ipc
from liftctl.entry import Unusable
from liftctl.places import Places
from liftctl.recorder.readonly import connect
from liftctl.recorder.verify import verify
from liftctl.uplink.carrier import Carrier
from liftctl.uplink.shell import Uplink, history, run
from liftctl.uplink.state import Enrolment, Folder
from tests.uplink.test_watcher import QUIET

SITE = load(Path("config/sites/demo-lift.toml"))


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ipc.Server]:
    monkeypatch.setenv("LIFTCTL_RUN", str(tmp_path / "run"))
    monkeypatch.setenv("LIFTCTL_DATA", str(tmp_path / "data"))
    found = ipc.serve(Places(SITE.name).sock("gate"))
    yield found
    found.close()


def test_a_gateway_that_was_never_enrolled_has_no_uplink(gate: ipc.Server) -> None:
    with pytest.raises(Unusable, match="not enrolled"):
        run(SITE)


def test_it_hears_a_stop_writes_it_down_and_outlives_the_gate(gate: ipc.Server) -> None:
    folder = Folder.of(SITE.name)
    folder.keep(Enrolment("http://127.0.0.1:1", "m", "h", "c"))
    uplink = Uplink(SITE, cast(Carrier, None))
    uplink.listen()
    channel = gate.accept()
    assert channel is not None
    for n, events in enumerate(((("pickup", "1"),), (("trip", "slack"),))):
        channel.send(msgspec.structs.replace(QUIET, tick_ns=(n + 1) * 10**9, events=events))
    while not folder.events.is_file() or "trip" not in kinds(folder):
        uplink.listen()
    assert [type(item) for item in channel.receive()] == [ipc.Hello]
    channel.close()
    uplink.listen()
    uplink.listen()  # the gate is gone: it tries again, and goes on
    uplink.close_events()
    assert verify(folder.events).ok
    assert history(folder) == (0, False)  # the hourly counter has not been told yet


def kinds(folder: Folder) -> list[str]:
    with connect(folder.events) as db:
        return [kind for (kind,) in db.execute("SELECT kind FROM entry ORDER BY seq")]
