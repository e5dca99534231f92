"""A site file that cannot work is refused where it is read, not at the first start with it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from config.languages import texts
from config.schema import BUS_PORTS, WAYS_DOWN, BusSpec, ConfigError, parse
from drivers.ports.base import PortError
from drivers.ports.opening import open_bus
from tests.gate.room import SITES

TEXT = {kind: (SITES / f"demo-{kind}.toml").read_text(encoding="utf-8") for kind in WAYS_DOWN}


def refused(kind: str, old: str, new: str, said: str) -> None:
    assert old in TEXT[kind]
    with pytest.raises(ConfigError, match=said):
        parse(TEXT[kind].replace(old, new, 1), "x")


@pytest.mark.parametrize("how", ["", " ", "none", "red strap", "manual_sit", "wind_down"])
def test_only_a_way_down_that_the_panel_can_show_is_declared(how: str) -> None:
    refused("lift", '"red_strap"', f'"{how}"', f"how '{how}' is no way down of a lift .*red_strap")


def test_a_chair_has_no_red_strap() -> None:
    refused("chair", '"manual_sit"', '"red_strap"', "of a chair .*; declare manual_sit")


@pytest.mark.parametrize("language", ["da", "en"])
def test_the_panel_has_the_steps_and_the_picture_of_every_way_down(language: str) -> None:
    pictures = SITES.parents[1] / "liftctl" / "panel" / "static"
    for how in {way for ways in WAYS_DOWN.values() for way in ways}:
        for what in ("1", "title", "needed", "short", "picture"):
            assert texts(language)[f"lower.{how}.{what}"]
        assert (pictures / f"{how}.svg").is_file()


WRONG = ["can0", "socketcan", "socketcan:", "usb:can0", "slcan:ttyACM0", "vbus:a b", "", "lift"]


@pytest.mark.parametrize("port", WRONG)
def test_a_port_of_no_known_form_is_refused_with_those_there_are(port: str) -> None:
    refused("lift", '"vbus:lift"', f'"{port}"',
            f"bus lift: port '{port}' is unknown; use vbus:NAME, socketcan:can0")  # fmt: skip


@pytest.mark.parametrize("port", ["ttyUSB0", "", "vserial:", "socketcan:can0"])
def test_a_serial_line_is_a_path(port: str) -> None:
    refused("chair", '"vserial:chair-motors"', f'"{port}"',
            f"serial motors: port '{port}' is unknown; use /dev/tty")  # fmt: skip


@pytest.mark.parametrize(
    "port",
    ["socketcan:can0", "slcan:/dev/ttyACM0", "slcan:/dev/serial/by-id/usb-x", "vbus:lift"],
)
def test_the_ports_there_are_may_be_named(port: str) -> None:
    assert parse(TEXT["lift"].replace("vbus:lift", port), "x").bus[0].port == port


@pytest.mark.parametrize("word", ["vbus", "socketcan", "slcan", "virtual", "pcan", "kvaser"])
def test_the_file_and_the_ports_know_the_same_words(word: str) -> None:
    port = f"{word}:/dev/none" if word == "slcan" else f"{word}:none-9"
    try:
        open_bus(BusSpec(name="lift", port=port)).close()
        opens = True
    except PortError as error:
        opens = "is unknown" not in str(error)
    assert bool(BUS_PORTS.fullmatch(port)) is opens


KILOGRAMS = ("limit_kg", "sling_swl_kg", "weight_kg")


@pytest.mark.parametrize(
    ("name", "number"),
    [
        *((name, number) for name in KILOGRAMS for number in ("nan", "inf", "-inf", "-1")),
        ("limit_kg", "0"),
        ("sling_swl_kg", "0.0"),  # a weight of 0 is one that is not on record
    ],
)
def test_a_residents_kilograms_are_a_number_above_nothing(name: str, number: str) -> None:
    """NaN is below no limit and above none: min(200, nan) let 200 kg through."""
    line = f"{name} = {number}"
    new = line if name == "limit_kg" else f"limit_kg = 140\n{line}"
    refused("lift", "limit_kg = 140", new, f"{name}:? {float(number):g} is|{name}.*finite")


@pytest.mark.parametrize("number", ["nan", "inf"])
def test_no_number_of_a_site_is_nan_or_infinite(number: str) -> None:
    refused("lift", "swl_kg = 200", f"swl_kg = {number}", "swl_kg: .* is no finite number")


def test_a_configuration_that_was_written_and_read_again_has_the_same_hash() -> None:
    """Else every process of a gate in its fallback would begin anew."""
    again = """
import sys
from pathlib import Path
from config.schema import from_json, load, to_json
site = load(Path(sys.argv[1]))
print((from_json(to_json(site)) if sys.argv[2] == "again" else site).hash)
"""
    said = {
        subprocess.run(
            [sys.executable, "-c", again, str(SITES / "demo-lift.toml"), how],
            check=True, capture_output=True, text=True,
        ).stdout
        for how in ("once", "again")
    }  # fmt: skip
    assert len(said) == 1
