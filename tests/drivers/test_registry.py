"""Profiles, EDS files and the registry refuse what does not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import canopen
import pytest

from config.profiles import QUALITY_RULES, WriteSpec, load, names, parse
from config.schema import ConfigError, DeviceSpec
from drivers.canopen import eds
from drivers.registry import build, build_from, profile_names
from safety.bounds import Params

SPEC = DeviceSpec(name="hoist", profile="cia402_hoist", on="lift", node=0x10)


def test_every_profile_answers_every_quality_rule() -> None:
    assert profile_names() == names()
    for name in names():
        assert {item.rule for item in load(name).quality} == set(QUALITY_RULES)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (replace(SPEC, profile="cia402_host"), "did you mean 'cia402_hoist'"),
        (replace(SPEC, node=0), "outside 1..127"),
        (replace(SPEC, node=128), "outside 1..127"),
        (replace(SPEC, profile="thomson_electrak_hd", node=254), "outside 0..253"),
    ],
)
def test_build_refuses(spec: DeviceSpec, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(spec, Params())


def test_motion_needs_a_deadman_that_is_written() -> None:
    profile = load("cia402_hoist")
    for bad, message in (
        (replace(profile, deadman=()), "deadman needs 1016:01, or it runs on when the gate dies"),
        (replace(profile, deadman=("1016:01",)), "deadman needs 6007:00"),
        (replace(profile, deadman=("1017:00",)), "deadman needs 1016:01"),
        (replace(profile, deadman=(*profile.deadman, "1400:05")), "deadman 1400:05 is never"),
        (replace(profile, family="x"), "family 'x' is none of"),
        (replace(profile, eds="none.eds"), "put the device's EDS there"),
        (replace(profile, eds="lift_io.eds"), "has no object 1016:01"),
        (replace(profile, eds="traverse.eds", write=()), "is never written"),
    ):
        with pytest.raises(ConfigError, match=message):
            build_from(bad, SPEC, Params())


@pytest.mark.parametrize(
    ("name", "item", "change"),
    [
        ("cia402_traverse", "1016:01", {"params": ()}),  # 0 ms: switched off
        ("cia402_traverse", "1016:01", {"base": 0x20000}),  # the guard's heartbeat
        ("cia402_traverse", "1016:01", {"base": 0x10032}),  # 50 ms more than the site's limit
        ("cia402_traverse", "1016:01", {"check": True}),
        ("cia402_traverse", "1016:01", {"optional": True}),
        ("cia402_traverse", "1016:01", {"mask": 0xFFFF0000}),  # read back, the time unseen
        ("cia402_hoist", "6007:00", {"base": 0}),  # no action
        ("cia402_hoist", "6007:00", {"base": 1}),
        ("cia402_hoist", "6007:00", {"mask": 0}),
        ("thomson_electrak_hd_canopen", "2005:00", {"params": ()}),
        ("thomson_electrak_hd_canopen", "2005:00", {"base": 5000}),
        ("thomson_electrak_hd_canopen", "2005:00", {"mask": 0xFF}),
    ],
)
def test_a_deadman_without_effect_is_refused(name: str, item: str, change: dict[str, Any]) -> None:
    """Present in the profile, but it would not stop the drive when the gate dies (rule 3)."""
    profile = load(name)
    spec = replace(SPEC, profile=name)
    build_from(profile, spec, Params())
    (right,) = [write for write in profile.write if write.object == item]
    wrong = replace(right, **change)
    alone = tuple(wrong if write is right else write for write in profile.write)
    undone = (*profile.write, wrong)
    for writes in (alone, undone) if change.keys() <= {"params", "base"} else (alone,):
        with pytest.raises(ConfigError, match=f"deadman {item}"):
            build_from(replace(profile, write=writes), spec, Params())


@pytest.mark.parametrize("name", names())
def test_a_family_has_the_level_of_what_it_does(name: str) -> None:
    """A drive called assist or monitor would be driven all the same, without any deadman."""
    profile = load(name)
    for level in {"monitor", "assist", "motion"} - {profile.level}:
        loose = replace(profile, level=level, deadman=(), write=())
        with pytest.raises(ConfigError, match=f'write level = "{profile.level}"'):
            build_from(loose, replace(SPEC, profile=name), Params())


@pytest.mark.parametrize(
    ("limits", "max_speed_mm_s", "message"),
    [
        ({}, 20.0, ""),
        ({"stand_docking_mm_s": 4}, 20.0, ""),
        ({}, 31.0, "least speed 6.2 mm/s .* is above stand_docking_mm_s = 6; raise"),
        ({"stand_mm_s": 5}, 26.0, "least speed 5.2 mm/s .* is above stand_mm_s = 5; raise"),
        (
            {"stand_accel_mm_s2": 10, "stand_margin_mm_s": 2},
            20.0,
            "the 2.91 mm/s that are no over-speed 70 ms after",
        ),
        ({"stand_margin_mm_s": 0.5}, 20.0, "raise stand_margin_mm_s, stand_accel"),
        ({"overspeed_ms": 20, "stand_margin_mm_s": 2}, 20.0, "no over-speed 40 ms after its start"),
        ({"overspeed_ms": 20, "stand_margin_mm_s": 3}, 20.0, ""),
        ({"stand_decel_mm_s2": 60}, 20.0, ""),
        ({"stand_decel_mm_s2": 61}, 20.0, "stops at own_decel_mm_s2 = 60 .* lower stand_decel"),
    ],
)
def test_an_actuator_with_its_own_ramps_does_not_latch_by_starting_or_stopping(
    limits: dict[str, float], max_speed_mm_s: float, message: str
) -> None:
    """Else over-speed or runaway latches at the first STAND: nobody may sit any more (H1, H7)."""
    profile = replace(load("thomson_electrak_hd_canopen"), max_speed_mm_s=max_speed_mm_s)
    spec = replace(SPEC, profile=profile.name)
    if not message:
        build_from(profile, spec, Params(**limits))
        return
    with pytest.raises(ConfigError, match=message):
        build_from(profile, spec, Params(**limits))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"map": (0x60FF0020, 0x60400010)}, "1600 does not map"),
        ({"id": 0x300}, "1400:01 is not 310"),
        ({"length": 8}, "not 8 bytes"),
        ({"pdo": 0x1403}, "there is no mapping 1603"),
    ],
)
def test_profile_and_eds_must_agree(change: dict[str, int], message: str) -> None:
    profile = load("cia402_hoist")
    rpdo = replace(profile.frame[0], **change)
    with pytest.raises(ConfigError, match=message):
        build_from(replace(profile, frame=(rpdo,)), SPEC, Params())


GOOD = """
title = "t"
family = "canopen_input"
level = "assist"
source = "s"
quality = [QUALITY]
fault_signal = "hoist_drive_fault"
write = [{ object = "1017:00", size = 2, params = ["swl_kg"] }]
[[frame]]
name = "f"
id = 1
length = 1
field = [{ name = "a", start = 0, bits = 1, kind = "bool", key = "UP", signal = "load_kg" }]
""".replace("QUALITY", ", ".join(f'{{ rule = "{rule}" }}' for rule in QUALITY_RULES))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"assist"', '"master"', "level 'master' is unknown"),
        ('"assist"', '"motion"', "'free_down_mm_s' is missing; write"),
        ("hoist_drive_fault", "hoist_default", "signal 'hoist_default' is unknown"),
        ("1017:00", "0x1017", "is not like 1016:01"),
        ("swl_kg", "swl", "'swl' is no limit"),
        ('{ rule = "vectors" }, ', "", "quality rule 'vectors' is not answered"),
        ('rule = "vectors"', 'rule = "vector"', "not answered"),
        ('"vectors" }', '"vectors" }, { rule = "x" }', "'x' is unknown"),
        ("start = 0", "start = 8", "leaves the 1 bytes"),
        ("start = 0", "start = -1", "leaves the 1 bytes"),
        ("bits = 1", "bits = 2", "cannot be 2 bits of 'bool'"),
        ("load_kg", "load", "signal 'load' is unknown"),
        ('"UP"', '"OVER"', "key 'OVER' is no motion"),
        ("field = [", 'field = [{ name = "b", start = 0, bits = 1 }, ', "overlaps"),
        ("length = 1", "lenght = 1", "did you mean 'length'"),
        ("id = 1", "id = ", "not TOML"),
    ],
)
def test_a_bad_profile_is_refused(old: str, new: str, message: str) -> None:
    parse("good", GOOD)
    assert old in GOOD
    with pytest.raises(ConfigError, match=message):
        parse("bad", GOOD.replace(old, new, 1))


def test_a_frame_that_is_no_pdo_is_not_in_the_eds() -> None:
    profile = load("cia402_hoist")
    no_pdo = replace(profile.frame[0], pdo=0, map=())
    dictionary = eds.load(eds.FOLDER / "hoist.eds", 0x10)
    eds.check(replace(profile, frame=(no_pdo,)), dictionary, 0x10)


def test_unknown_frame_is_named() -> None:
    with pytest.raises(ConfigError, match="has no frame 'x'; it has rpdo1, tpdo1, tpdo2"):
        load("cia402_hoist").frame_named("x")


def test_eds_loader_survives_real_files(tmp_path: Path) -> None:
    text = (eds.FOLDER / "hoist.eds").read_text(encoding="utf-8")
    broken = text.replace("VendorNumber=0", "VendorNumber=").replace(
        "[6040]\nParameterName=", "[6040]\nParameterName=\N{RIGHT DOUBLE QUOTATION MARK} "
    )
    broken = broken.replace("ObjectType=0x7\n", "ObjectType=0x7 # VAR\n")
    path = tmp_path / "vendor.eds"
    path.write_bytes(broken.encode("cp1252"))
    with pytest.raises(ValueError):  # python-canopen alone
        canopen.import_od(str(path), 0x10)
    dictionary = eds.load(path, 0x10)
    eds.check(load("cia402_hoist"), dictionary, 0x10)
    path.write_text("no section", encoding="utf-8")
    with pytest.raises(ConfigError, match="not a usable EDS"):
        eds.load(path, 0x10)


def test_an_object_without_subs_has_only_sub_0() -> None:
    dictionary = eds.load(eds.FOLDER / "hoist.eds", 0x10)
    has = {
        item: eds.has(dictionary, WriteSpec(object=item, size=2)) for item in ("1017:00", "1017:01")
    }
    assert has == {"1017:00": True, "1017:01": False}
