"""The deliberately weak tests of `planted.py`; not collected by the suite."""

from __future__ import annotations

from tests.mutation import planted


def test_capped() -> None:
    assert [planted.capped(n, 5) for n in (4, 5, 6)] == [4, 5, 5]


def test_shifted() -> None:
    planted.shifted(1)


def test_counted_down() -> None:
    assert planted.counted_down(4) == 0
    assert planted.counted_down(3) == -1
    assert planted.counted_down(1) == -1
    assert planted.counted_down(0) == 0


def test_refused() -> None:
    assert planted.refused(1) == 1


def test_doubled() -> None:
    assert planted.doubled(21) == 42
