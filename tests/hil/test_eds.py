"""The EDS files of the demo ward against docs/wiring.md, read by the public library."""

from __future__ import annotations

import logging
from pathlib import Path

import canopen
import pytest

EDS = Path(__file__).resolve().parents[2] / "config" / "eds"
NODES = {
    "hoist": 0x10,
    "traverse": 0x11,
    "lift_io": 0x20,
    "load_cell": 0x21,
    "guard_io": 0x30,
    "electrak_hd": 0x13,
    "seat_io": 0x22,
}


@pytest.mark.parametrize(("name", "node_id"), NODES.items())
@pytest.mark.filterwarnings("error")
def test_it_loads_without_a_word(name: str, node_id: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        od = canopen.import_od(str(EDS / f"{name}.eds"), node_id)
    assert not caplog.records
    assert od.device_information.vendor_name == "liftctl demo"
    assert od[0x1018][1].default == 0
    assert od[0x1800][1].default == 0x180 + node_id
    assert od.device_information.allowed_baudrates == {500_000}


@pytest.mark.parametrize(("name", "node_id"), NODES.items())
def test_every_mapped_object_exists_is_mappable_and_has_its_length(name: str, node_id: int) -> None:
    od = canopen.import_od(str(EDS / f"{name}.eds"), node_id)
    for record in (i for i in od if 0x1600 <= i < 0x1700 or 0x1A00 <= i < 0x1B00):
        bits = 0
        for sub in range(1, od[record][0].default + 1):
            entry = od[record][sub].default
            mapped = od.get_variable(entry >> 16, entry >> 8 & 0xFF)
            assert mapped is not None
            assert mapped.pdo_mappable
            assert len(mapped) == entry & 0xFF
            bits += entry & 0xFF
        assert bits <= 64


def test_unsafe_defaults_and_the_deadline_only_the_hoist_has() -> None:
    hoist = canopen.import_od(str(EDS / "hoist.eds"), 0x10)
    traverse = canopen.import_od(str(EDS / "traverse.eds"), 0x11)
    for drive in (hoist, traverse):
        assert drive[0x1000].default & 0xFFFF == 402
        assert drive[0x1016][1].default == 0
        assert drive[0x6007].default == 0
    assert hoist[0x1400][5].default == 0
    assert 5 not in traverse[0x1400]
    assert canopen.import_od(str(EDS / "electrak_hd.eds"), 0x13)[0x2005].default == 5000
