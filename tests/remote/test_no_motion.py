"""No verb anywhere in the remote protocol can move a device (design rule 13).

The whole protocol is walked: every type of the closed lists, every field, drawn from the types
themselves, signed by people the site trusts. What comes out at the edge is held against the inputs
of gate, guard and controller.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect as mi

from config.schema import load
from liftctl import ipc
from liftctl.controller.values import Input as ControllerInput
from liftctl.gate.inputs import FROM_CHANNEL
from liftctl.gate.shell import _may_say
from liftctl.panel.session import SUPPORT_STEPS
from liftctl.places import Places
from liftctl.remote import documents as d
from liftctl.remote.enrol import enrol, trust_key
from liftctl.setup.changes import PROPOSABLE
from liftctl.support.answers import ACTIONS
from liftctl.support.shell import Shell
from liftctl.support.values import Output, Record, Reply, Tell, Write
from safety.types import Motion
from tests.remote.drawn import any_of, members
from tests.support.world import ANNE_KEY, SAM_KEY, TECH_KEY, TWO, WALL_S, Room, signed

DOWN, UP = members(d.Down), members(d.Up)
MOVES = {*get_args(FROM_CHANNEL), ipc.Workflow, ipc.NewPlan, ipc.Permission}
VERBS = re.compile(
    r"\b(hold|press|stop|reset|release|permission|permit|lease|plan|motion|move|drive|raise|lower|"
    + "|".join(str(item.name).lower() for item in Motion)
    + r")\b"
)
EXAMPLES = 400 if os.environ.get("LIFTCTL_NIGHTLY") else 40
SITE = load(Path("config/sites/demo-lift.toml"))


# --- the list itself ------------------------------------------------------------------------------


def walk(kind: mi.Type, path: str) -> Iterator[tuple[str, mi.Type]]:
    """Every type reachable from one, with its path."""
    yield path, kind
    inner: list[tuple[str, mi.Type]] = []
    if isinstance(kind, mi.StructType):
        inner = [(f"{path}.{item.name}", item.type) for item in kind.fields]
    for name in ("types", "item_types"):
        inner += [(path, item) for item in getattr(kind, name, ())]
    for name in ("item_type", "key_type", "value_type"):
        if hasattr(kind, name):
            inner.append((path, getattr(kind, name)))
    for where, item in inner:
        yield from walk(item, where)


def test_no_type_or_field_of_the_protocol_is_a_verb_of_motion() -> None:
    seen = set()
    for cls in (*DOWN, *UP):
        for path, kind in walk(mi.type_info(cls), cls.__name__):
            seen.add(path)
            words = re.sub(r"[_.]", " ", re.sub(r"(?<!^)(?=[A-Z])", " ", path)).lower()
            assert not VERBS.search(words), path
            if isinstance(kind, mi.StructType):
                assert kind.cls not in MOVES and not issubclass(kind.cls, ipc.Message), path
            if isinstance(kind, mi.LiteralType):
                assert not any(VERBS.search(str(value)) for value in kind.values), path
            assert path == "Live.picture" or not isinstance(kind, mi.AnyType), f"{path}: anything"
    assert len(seen) > 60 and {cls.__name__ for cls in DOWN} <= seen


def test_the_documents_module_has_no_document_outside_the_closed_lists() -> None:
    found = {
        item for item in vars(d).values() if isinstance(item, type) and issubclass(item, d.Document)
    }
    assert found - {d.Document, d.Order} == {*DOWN, *UP}


def test_nothing_that_comes_out_is_an_input_of_gate_guard_or_controller() -> None:
    out = set(get_args(Output))
    inputs = MOVES | set(get_args(ControllerInput))
    assert out == {Tell, Record, Reply, Write, ipc.StandDown}
    assert not out & inputs
    assert ACTIONS.keys() == SUPPORT_STEPS, "what the panel sends there is what is known there"


@pytest.mark.parametrize("role", sorted(ipc.LISTENERS))
@pytest.mark.parametrize("kind", get_args(FROM_CHANNEL), ids=lambda kind: kind.__name__)
def test_the_gate_takes_nothing_from(kind: type[ipc.Message], role: str) -> None:
    assert not _may_say(role, _blank(kind))


def _blank(kind: type[ipc.Message]) -> ipc.Message:
    values = {"str": "x", "int": 1, "float": 1.0, "bool": True}
    return kind(*[values.get(str(item), 1) for item in kind.__annotations__.values()])


# --- everything in, nothing that moves out --------------------------------------------------------


def head() -> dict[str, Any]:
    return {"controller": "north-1", "issued": WALL_S - 10, "expires": WALL_S + 3600}


@st.composite
def orders(draw: st.DrawFn, kinds: tuple[type, ...] = DOWN) -> Any:
    """Any order; the ones that would be refused at once are few, so that the others go deep."""
    cls = draw(st.sampled_from(kinds))
    fixed = head() if draw(st.integers(0, 9)) else {}
    if cls is d.Proposal and draw(st.booleans()):
        keys = st.sampled_from(sorted(PROPOSABLE))
        fixed["changes"] = draw(st.dictionaries(keys, st.floats(0, 300), min_size=1, max_size=3))
        fixed["base"] = SITE.hash
    return draw(any_of(cls, **fixed))


ROOMS = st.fixed_dictionaries(
    {},
    optional={
        "moving": st.sampled_from(["", "UP", "DOWN"]),
        "aloft": st.booleans(),
        "in_flight": st.booleans(),
        "latched": st.sampled_from([(), ("estop",), ("hoist_overspeed",)]),
        "config_fallback": st.booleans(),
    },
)


@settings(max_examples=EXAMPLES)
@given(st.lists(st.tuples(orders(), ROOMS, st.floats(0, 900)), max_size=6))
def test_from_afar_alone_nothing_comes_but_words(steps: list[tuple[Any, Any, float]]) -> None:
    room = Room()
    for order, changes, seconds in steps:
        people = TWO if isinstance(order, d.Proposal) else ()
        room.order(order, *people)
        room.hear(**changes)
        room.after(seconds)
    assert {type(item) for item in room.outputs} <= {Tell, Record}
    assert room.state.kept.grant is None and room.state.kept.guide is None
    assert room.state.site == room.site and not room.told(d.Bundle) and not room.told(d.Live)


STEPS = st.builds(
    lambda action, minutes, version: (
        action,
        {"name": "Nurse N.", "minutes": minutes, "version": version},
    ),
    st.sampled_from(sorted(ACTIONS)),
    st.sampled_from(["30", "120", "x"]),
    st.sampled_from(["1", "2", "9"]),
)


@settings(max_examples=EXAMPLES)
@given(st.lists(st.one_of(orders(), STEPS), max_size=12))
def test_with_people_saying_yes_to_everything_still_nothing_moves(steps: list[Any]) -> None:
    room, said_yes = Room(), False
    for step in steps:
        if isinstance(step, tuple):
            said_yes |= step[0] in ("setup_yes", "setup_bad")
            room.press(step[0], **step[1])
        else:
            room.order(step, *(TWO if isinstance(step, d.Proposal) else ()))
        assert {type(item) for item in room.outputs} <= set(get_args(Output))
        assert said_yes or not (room.asked_gate() or room.writes())
    room.after(2)


# --- the real process, with everybody else listening ----------------------------------------------


class Wall:
    """Gate, guard, controller and recorder as sockets that remember who said what."""

    def __init__(self) -> None:
        names = ("gate", "guard", "controller", "recorder")
        self.servers = {name: ipc.serve(Places("demo-lift").sock(name)) for name in names}
        self.heard: dict[str, list[ipc.Message]] = {name: [] for name in names}

    def listen(self) -> None:
        for name, server in self.servers.items():
            while server.accept() is not None:
                pass
            for channel in server.channels:
                self.heard[name] += channel.receive()

    def close(self) -> None:
        for server in self.servers.values():
            server.close()


@pytest.fixture
def wall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wall]:
    monkeypatch.setenv("LIFTCTL_RUN", str(tmp_path / "run"))
    monkeypatch.setenv("LIFTCTL_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("time.time_ns", lambda: WALL_S * 10**9)
    places = Places("demo-lift")
    enrol(places, "north-1", "http://127.0.0.1:1", "")
    for key in (TECH_KEY, ANNE_KEY, SAM_KEY):
        trust_key(places, key.public, key.role, key.holder, 365)
    found = Wall()
    yield found
    found.close()


def test_the_real_process_says_nothing_to_anybody_whatever_comes_in(wall: Wall) -> None:
    shell = Shell(SITE, SITE, False)
    outside = ipc.connect(Places("demo-lift").sock("outside"))
    inside = ipc.connect(Places("demo-lift").sock("support"))
    assert outside and inside
    inside.send(ipc.Hello("remote"))
    inside.send(ipc.Hello("panel"))  # nobody becomes somebody else
    every = [kind for kind in get_args(ipc.AnyMessage) if kind is not ipc.Parcel]
    blanks = [_blank(kind) for kind in every]

    def carry(order: Any) -> None:
        people = TWO if isinstance(order, d.Proposal) else ()
        assert outside is not None
        outside.send(ipc.Parcel(0, signed(order, *people)))
        shell.step(0.0)
        wall.listen()
        outside.receive()

    for kind in DOWN:
        settings(max_examples=8)(given(orders((kind,)))(carry))()
    for message in (*blanks, *(ipc.Workflow("panel:1", name, {}) for name in ACTIONS)):
        outside.send(message)
        inside.send(message)
        shell.step(0.0)
        wall.listen()
    shell.close()
    for name in ("gate", "controller"):
        assert wall.heard[name] == [ipc.Hello("support")], name
    assert wall.heard["guard"] == []
    assert {type(item) for item in wall.heard["recorder"]} == {ipc.Hello, ipc.Audit}
    assert shell.state.kept.grant is None and shell.state.site == SITE
