"""The kernel's words are a contract: languages, ledgers, black boxes and tests know them."""

from __future__ import annotations

from enum import Enum

import pytest

from safety import types
from safety.table import NOT_PERMITTED
from safety.types import Act, Axis, Clear, Motion, Priority, Quality, Sample, SignalId
from safety.verdict import Cmd

M = Motion
WORDS: dict[type[Enum], dict[str, object]] = {
    Motion: {
        "NONE": 0, "UP": 1, "DOWN": 2, "LEFT": 4, "RIGHT": 8, "STAND": 16, "SIT": 32, "DRIVE": 64,
    },
    Axis: {"HOIST": "hoist", "TRAVERSE": "traverse", "STANDER": "stander", "DRIVE": "drive"},
    Act: {"NONE": 0, "WARN": 1, "SLOW": 2, "HOLD": 3, "QUICK": 4, "ISOLATE": 5},
    Clear: {"AUTO": "auto", "RESET": "reset", "SERVICE": "service"},
    Priority: {"LOW": "low", "MEDIUM": "medium", "HIGH": "high"},
    Quality: {
        "FRESH": "fresh", "STALE": "stale", "MISSING": "missing", "CORRUPT": "corrupt",
        "FUTURE": "future",
    },
    Cmd: {"REST": "rest", "MOVE": "move", "RAMP": "ramp", "QUICK": "quick", "ISOLATE": "isolate"},
}  # fmt: skip


@pytest.mark.parametrize("what", WORDS, ids=lambda what: what.__name__)
def test_a_word_keeps_its_value(what: type[Enum]) -> None:
    assert {name: item.value for name, item in what.__members__.items()} == WORDS[what]


def test_sets_of_motions() -> None:
    assert types.HOISTING == M.UP | M.DOWN
    assert types.TRAVERSE == M.LEFT | M.RIGHT
    assert types.STANDING == M.STAND | M.SIT
    assert types.LOWERING == M.DOWN | M.SIT
    assert types.NEED_MARKER == M.UP | M.STAND
    assert int(types.ALL_MOTIONS) == 127
    assert types.NEED_PERMISSION == M.UP | M.LEFT | M.RIGHT | M.STAND | M.DRIVE


def test_which_axis_and_which_way() -> None:
    assert types.AXIS_OF == {
        M.UP: "hoist", M.DOWN: "hoist", M.LEFT: "traverse", M.RIGHT: "traverse",
        M.STAND: "stander", M.SIT: "stander", M.DRIVE: "drive",
    }  # fmt: skip
    assert types.SIGN == {M.UP: 1, M.DOWN: -1, M.RIGHT: 1, M.LEFT: -1, M.STAND: 1, M.SIT: -1}


def test_the_row_without_a_fact() -> None:
    assert NOT_PERMITTED == "not_permitted"


def test_a_sample_is_good_unless_its_source_says_otherwise() -> None:
    assert Sample(SignalId.LOAD_KG, 1.0, 5).ok is True
