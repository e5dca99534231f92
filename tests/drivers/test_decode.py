"""`liftctl decode` and `encode`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from config.profiles import load
from drivers.frames import FrameError
from drivers.layout import LayoutError
from liftctl.decode import decode_command, decode_lines, encode, encode_command, parse_line

APP = typer.Typer()
APP.command("decode")(decode_command)
APP.command("encode")(encode_command)
HD = load("thomson_electrak_hd")
LINES = """(0.000000) can0 18EF1300#2E06191500000000
(0.205000) can0 18EEFF13#0100604400FF0080
(0.310000) can0 19EFFF13#12C60605C1FFFFFF
(0.320000) can0 19EFFF13#860500F0C0FFFFFF
"""


def cli(*args: str, text: str | bytes = "") -> Any:
    return CliRunner().invoke(APP, list(args), input=text)


def records(result: Any) -> list[dict[str, Any]]:
    return [json.loads(item) for item in result.stdout.splitlines()]


def test_decode_prints_one_object_a_line() -> None:
    result = cli("decode", "--device", "thomson_electrak_hd", text=LINES)
    assert result.exit_code == 0
    command, claim, feedback, unavailable = records(result)
    assert command["values"]["position_mm"] == 158.2
    assert (claim["t"], claim["id"], claim["frame"]) == (0.205, "18EEFF13", "address_claim")
    assert feedback == {
        "t": 0.31,
        "id": "19EFFF13",
        "frame": "AFM",
        "values": {
            "position_mm": 155.4,
            "current_a": 2.7,
            "speed_pct": 50,
            "voltage_error": "00",
            "temperature_error": "00",
            "motion": True,
            "overload": False,
            "backdrive": False,
            "parameter": False,
            "saturation": False,
            "fatal": False,
        },
        "unavailable": [],
        "error": None,
    }
    assert unavailable["unavailable"] == ["voltage_error", "temperature_error"]


def test_encode_is_the_other_way() -> None:
    decoded = cli("decode", "--device", "thomson_electrak_hd", text=LINES).stdout
    result = cli("encode", "--device", "thomson_electrak_hd", text=decoded + "\n")
    assert (result.exit_code, result.stdout) == (0, LINES)


def test_a_bad_line_is_told_and_the_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"nonsense \xff\n\n" + LINES.encode() + b"19EFFF13#1234\n")
    result = cli("decode", "--device", "thomson_electrak_hd", str(path))
    assert result.exit_code == 1
    first, *good, last = records(result)
    assert (first["frame"], first["values"], first["t"]) == (None, {}, None)
    assert "not a candump line" in first["error"]
    assert [item["error"] for item in good] == [None] * 4
    assert (last["frame"], last["error"]) == ("AFM", "AFM has 2 bytes, needs 8")


@pytest.mark.parametrize(
    "line",
    [
        "123#11",
        "19EFFF14#86050000C0FFFFFF",
        "(1.5) can0 19EFFF13#R",
        "19EFFF13#R8",
        "19EFFF13##1" + "00" * 12,
        "20000004#0001000000000000",
        "(1.500000) can0 123#1122 R",
    ],
)
def test_a_foreign_frame_is_no_error(line: str) -> None:
    (record,) = decode_lines(HD, [line])
    assert (record["frame"], record["error"], record["values"]) == (None, None, {})


@pytest.mark.parametrize(
    "line",
    [
        "123#1",
        "12#11",
        "123",
        "123#112233445566778899",
        "800#11",
        "1234#11",
        "40000000#11",
        "(x) can0 123#11",
        "(1.0)can0 123#11",
        "can0 123#11",
        "123#11 22",
        "123#R9",
        "123#11_9",
        "(1.0) can0  18EF1300  [8]  2E",
    ],
)
def test_what_is_no_candump_line(line: str) -> None:
    with pytest.raises(FrameError):
        parse_line(line)


@given(st.text(max_size=60))
def test_no_text_raises(text: str) -> None:
    for record in decode_lines(HD, [text]):
        assert set(record) == {"t", "id", "frame", "values", "unavailable", "error"}


def test_canopen_profiles() -> None:
    lines = ["194#0A000000000000", "191#3702" + "E8030000" + "FA00", "291#1027000003000000"]
    lines += ["711#05", "091#3081101B01000000", "211#0F00F4010000", "190#00"]
    out = cli("decode", "--device", "cia402_hoist", "--node", "17", text="\n".join(lines))
    found = records(out)
    assert [item["frame"] for item in found] == [
        None,
        "tpdo1",
        "tpdo2",
        "heartbeat",
        "emcy",
        "rpdo1",
        None,
    ]
    assert found[1]["values"] == {"statusword": 0x0237, "velocity_mm_s": 100.0, "current_pct": 25.0}
    assert found[2]["values"] == {
        "position_mm": 1000.0,
        "run_enable": True,
        "safe_torque_off": True,
    }
    assert found[3]["values"] == {"nmt_state": 5}
    assert found[4]["values"]["error_code"] == 0x8130
    back = cli("encode", "--device", "cia402_hoist", text=out.stdout)
    assert back.stdout.splitlines() == lines[1:-1]
    assert back.exit_code == 1  # the foreign frames have no values
    (record,) = decode_lines(load("thomson_electrak_hd_canopen"), ["213#E8037D0020030001"])
    assert record["values"]["target_mm"] == 100.0


def test_roboteq_bytes() -> None:
    text = "3F 46 46 0D 46 46 3D\n31360D\n2B0D 2D0D\nzz\n533D2D353A370D543D310D\n78 0D\n46\n"
    result = cli("decode", "--device", "roboteq", "--hex", text=text)
    assert result.exit_code == 1
    found = records(result)
    assert [item["frame"] for item in found] == [
        "echo",
        "FF",
        "done",
        "refused",
        None,
        "S",
        "T",
        None,
        None,
    ]
    assert found[1]["values"] == {"fault_flags": 16}
    assert found[5]["values"] == {"speed_1_rpm": -5, "speed_2_rpm": 7}
    assert found[6]["values"] == {"raw": [1]}
    assert "not hexadecimal" in found[4]["error"]
    assert "not a reply" in found[7]["error"]
    assert "middle of a line" in found[8]["error"]
    whole = decode_lines(load("roboteq"), ["2B0D"], hex_mode=True)
    assert [item["error"] for item in whole] == [None]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["decode", "--device", "thomson"], "did you mean"),
        (["decode", "--device", "roboteq"], "needs --hex"),
        (["decode", "--device", "cia402_hoist", "--hex"], "leave --hex out"),
        (["decode", "--device", "cia402_hoist", "/none"], "name a recording or -"),
    ],
)
def test_wrong_use_is_exit_2(args: list[str], message: str) -> None:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(APP, args)
    assert result.exit_code == 2
    assert message in result.stderr


def test_encode_from_words() -> None:
    words = ["ACM", "position_mm=158.2", "current_limit_a=10", "speed_pct=50", "motion_enable=true"]
    result = cli("encode", "--device", "thomson_electrak_hd", *words)
    assert (result.exit_code, result.stdout) == (0, "18EF1300#2E06191500000000\n")
    moved = cli("encode", "--device", "thomson_electrak_hd", "--node", "0x1B", *words)
    assert moved.exit_code == 2
    moved = cli("encode", "--device", "thomson_electrak_hd", "--node", "27", *words)
    assert moved.stdout == "18EF1B00#2E06191500000000\n"
    for bad in (["ACM"], ["AFN", "position_mm=1"], ["ACM", "position_mm=9999"]):
        result = cli("encode", "--device", "thomson_electrak_hd", *bad)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr


def test_encode_reports_bad_json_and_goes_on() -> None:
    good = '{"frame": "ACM", "values": {"position_mm": 1, "current_limit_a": 1, "speed_pct": 50, '
    good += '"motion_enable": false}}'
    text = "\n".join(["{", "[]", '{"frame": "ACM", "values": {}}', good])
    result = cli("encode", "--device", "thomson_electrak_hd", text=text)
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 1
    assert len(result.stderr.splitlines()) == 3


def test_encode_needs_every_value() -> None:
    with pytest.raises(LayoutError, match="needs 'position_mm'"):
        encode(HD, "ACM", {})
    assert encode(load("cia402_hoist"), "heartbeat", {"nmt_state": 5}) == "710#05"
