"""No accepted configuration latches over-speed or runaway in fault-free use: that would forbid
lowering too (H1, H7, rule 4).

Each number at both its bounds, the others as delivered; and a sample of pairs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import fields
from itertools import combinations, product
from random import Random

import pytest

from config.schema import ConfigError, DeviceSpec
from drivers.canopen import eds
from drivers.registry import build
from safety.bounds import Params, bound_of, violations
from safety.stopping import too_far
from safety.types import Axis
from tests.kernel.corners import used

ACTUATOR = DeviceSpec(name="s", profile="thomson_electrak_hd_canopen", on="chair", node=0x13)
JUDGED = (
    *("runaway_ms", "overspeed_ratio", "overspeed_ms", "wrong_way_ms"),
    *("still_mm_s", "overspeed_margin_mm_s", "overspeed_max_mm_s"),
)
LONG = os.environ.get("LIFTCTL_NIGHTLY") == "1"
OWN = {Axis.HOIST: "hoist_", Axis.TRAVERSE: "traverse_", Axis.STANDER: "stand_"}
NUMBERS = {
    axis: [
        item.name
        for item in fields(Params)
        if LONG or item.name in JUDGED or (item.name.startswith(own) and "mm_s" in item.name)
    ]
    for axis, own in OWN.items()
}
PAIRS = 300 if LONG else 4


def corners(axis: Axis, count: int) -> Iterator[dict[str, float]]:
    """Values of `count` numbers at once, each at one of its bounds."""
    for names in combinations(NUMBERS[axis], count):
        ends = [(bound_of(name).minimum, bound_of(name).maximum) for name in names]
        for values in product(*ends):
            yield dict(zip(names, values, strict=True))


@pytest.fixture(scope="module")
def loaded() -> Iterator[None]:
    """The actuator's EDS is read once."""
    read = eds.load(eds.FOLDER / "electrak_hd.eds", ACTUATOR.node)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(eds, "load", lambda _path, _node: read)
        yield


def accepted(axis: Axis, params: Params) -> bool:
    """As far as numbers decide."""
    kind = "chair" if axis is Axis.STANDER else "lift"
    if violations(params) or too_far(kind, params):
        return False
    if kind == "chair":
        try:
            build(ACTUATOR, params)
        except ConfigError:
            return False
    return True


@pytest.mark.no_cover
@pytest.mark.parametrize("axis", OWN)
def test_no_accepted_number_at_its_bound_latches_in_fault_free_use(
    axis: Axis, loaded: None
) -> None:
    pairs = list(corners(axis, 2))
    tried = 0
    for values in (*corners(axis, 1), *Random(7).sample(pairs, PAIRS)):
        params = Params(**values)
        if accepted(axis, params):
            tried += 1
            assert not used(axis, params), values
    assert tried > len(NUMBERS[axis])


@pytest.mark.parametrize(
    ("axis", "values", "latched"),
    [
        (Axis.HOIST, {"overspeed_max_mm_s": 60.0}, "hoist_overspeed"),
        (
            Axis.STANDER,
            {"stand_accel_mm_s2": 10.0, "stand_margin_mm_s": 2.0},
            "stand_overspeed",
        ),
        (Axis.STANDER, {"stand_decel_mm_s2": 200.0, "stand_mm_s": 20.0}, "stand_runaway"),
        (Axis.STANDER, {"overspeed_ms": 20.0, "stand_margin_mm_s": 0.5}, "stand_overspeed"),
    ],
)
def test_what_would_latch_is_not_accepted(
    axis: Axis, values: dict[str, float], latched: str, loaded: None
) -> None:
    params = Params(**values)
    assert latched in used(axis, params)
    assert not accepted(axis, params)
