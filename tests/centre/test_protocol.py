"""No verb anywhere in the remote protocol can move a device (rule 13)."""

from __future__ import annotations

import ast
import typing
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

import liftctl.uplink as package
from liftctl import ipc
from liftctl.uplink import protocol
from safety.types import Motion

ROOT = Path(package.__file__).parents[1]
ANSWERS = {"Enrolled", "Ack", "Need", "Conflict", "Refused"}
ORDERS = ("move", "motion", "raise", "lower", "press", "hold", "reset", "release", "command",
          "speed", "permission", "plan", "start", "stop", "write", "execute", "shell")  # fmt: skip


def messages() -> list[type]:
    return [*typing.get_args(protocol.FromHome), *typing.get_args(protocol.FromCentre)]


def test_the_protocol_is_closed_and_every_message_is_listed() -> None:
    made = {
        item
        for item in vars(protocol).values()
        if isinstance(item, type)
        and issubclass(item, protocol.Message)
        and item is not protocol.Message
    }
    assert made == set(messages())
    assert {item.__name__ for item in typing.get_args(protocol.FromCentre)} == ANSWERS


def test_no_message_to_a_home_has_a_word_or_a_field_that_orders_something() -> None:
    for message in typing.get_args(protocol.FromCentre):
        info = msgspec.inspect.type_info(message)
        words = [str(info.tag), *(item.name for item in info.fields)]
        for word in words:
            assert not any(order in word for order in ORDERS), (message, word)
            assert word.upper() not in Motion.__members__


def test_what_is_not_in_the_list_is_not_understood() -> None:
    for name in ("hold", "release", "reset", "permission", "plan", "stop", "order"):
        body = msgspec.msgpack.encode({"type": name, "motion": "UP", "press": 1})
        with pytest.raises(protocol.ProtocolError):
            protocol.from_centre(body)
    extra = msgspec.msgpack.encode({"type": "ack", "epoch": 1, "seq": 1, "motion": "UP"})
    with pytest.raises(protocol.ProtocolError):
        protocol.from_centre(extra)


@pytest.mark.parametrize("read", [protocol.from_home, protocol.from_centre])
def test_a_message_nested_without_end_is_none_of_this_protocol(
    read: Callable[[bytes], object],
) -> None:
    with pytest.raises(protocol.ProtocolError, match="of this protocol"):
        read(b"\x82\xa1a" + b"\x91" * 2000 + b"\x90" + b"\xa4type\xa3ack")


def test_the_uplink_says_hello_to_the_gate_and_nothing_else() -> None:
    """Walks the syntax of the whole package: what of `ipc` it can make, and which sockets."""
    made, sockets = set(), set()
    for path in sorted((ROOT / "uplink").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "ipc":
                made.add(node.attr)
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "sock":
                sockets.add(ast.unparse(node.args[0]))
            if isinstance(node, ast.ImportFrom) and node.module == "liftctl.ipc":
                made.update(name.name for name in node.names)
    sent = {name for name in made if name in {item.__name__ for item in _messages_of_the_service()}}
    assert sent <= {"Hello", "GateState"}
    assert sockets == {"'gate'"}


def _messages_of_the_service() -> tuple[type, ...]:
    return typing.get_args(ipc.AnyMessage)


def test_the_centre_reaches_no_socket_of_a_gateway() -> None:
    for path in (ROOT / "centre").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "liftctl.ipc" not in text, path
        assert "import ipc" not in text, path
