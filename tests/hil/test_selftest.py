"""The bench tests itself: a planted danger must make a scenario fail, and only that counts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hil.scenario.load import FOLDER
from hil.selftest import campaign, child, seeds
from hil.selftest.campaign import End, Outcome
from hil.selftest.seeds import Seed, SeedError
from tests.hil.test_commands import scenario

NIGHTLY = os.environ.get("LIFTCTL_NIGHTLY") == "1"
HANGS = """
hil: 1
id: PUSH-1
title: The empty lift travels while a key is held and stops when it is not
hazards: [H{number}]
rig: lift
steps:
  - press: {{motion: RIGHT, station: hand}}
  - wait: 1 s
  - release: hand
  - wait: 1 s
expect:
  - within: {{that: "still", of: release, limit: 600 ms}}
  - measure: {{name: way, value: x, of: change, from: press, min: 40 mm}}
"""


def pushing(folder: Path) -> Path:
    path = folder / "push.yaml"
    path.write_text(HANGS.format(number=2), "utf-8")
    return path


def test_every_seed_still_fits_the_code_and_names_a_danger() -> None:
    found = seeds.seeded()
    assert {item.group for item in found} == set(seeds.GROUPS)
    assert all(item.danger and item.hazard for item in found)
    assert len({item.id for item in found}) == len(found)


def test_a_stale_seed_is_named(tmp_path: Path) -> None:
    path = tmp_path / "seeded.toml"
    path.write_text(
        '[[seed]]\nid = "old"\ngroup = "plant"\nmodule = "hil/clock.py"\n'
        'before = "nothing like this"\nafter = ""\n'
    )
    with pytest.raises(SeedError, match=r"old: its code is no longer there in hil/clock\.py"):
        seeds.seeded(path)


def test_a_draw_is_the_same_for_the_same_seed() -> None:
    one, again, other = ([item.id for item in seeds.drawn(4, number)] for number in (7, 7, 8))
    assert one == again != other
    assert len(one) == 12


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """One campaign: dangers, broken code, and a module that no scenario imports."""
    chosen = seeds.chosen(seeds.seeded(), ["up-and-down-swapped", "charger-ignored"])
    broken = (
        Seed("raises", "plant", "hil/plants/chain.py", "raise RuntimeError('broken')"),
        Seed("away", "plant", "hil/web.py", ""),
    )
    runs = campaign.scenarios_of([pushing(tmp_path_factory.mktemp("push"))])
    return {item.seed.id: item for item in campaign.campaign(chosen + broken, runs, 2)}


def test_a_danger_is_killed_by_the_scenario_that_fails(outcomes: dict[str, Outcome]) -> None:
    swapped, charger = outcomes["up-and-down-swapped"], outcomes["charger-ignored"]
    assert (swapped.end, swapped.by) == (End.KILLED, "PUSH-1")
    assert charger.end is End.SURVIVED
    told = campaign.figures([swapped, charger])
    assert (told["killed"], told["of"], told["rate"]) == (1, 2, 0.5)
    assert told["survivors"] == ["charger-ignored"]
    assert "kill rate 50 %" in campaign.words(told)


@pytest.mark.parametrize("name", ["raises", "away"])
def test_a_crash_of_the_bench_is_no_kill(outcomes: dict[str, Outcome], name: str) -> None:
    assert outcomes[name].end is End.CRASH
    assert not outcomes[name].good


def test_a_mutant_that_never_ends_is_no_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign, "baseline", lambda files, quick, at_once: None)
    monkeypatch.setattr(campaign, "LIMIT_S", 1)
    spins = Seed("spins", "plant", "hil/plants/chain.py", "while True: pass")
    (found,) = campaign.campaign((spins,), campaign.scenarios_of([scenario(tmp_path)]), 1)
    assert found.end is End.TIMEOUT
    assert "more than 1" in found.why


def test_nothing_is_measured_with_a_pack_that_does_not_pass(tmp_path: Path) -> None:
    runs, seed = campaign.scenarios_of([scenario(tmp_path, "still")]), seeds.seeded()[0]
    with pytest.raises(campaign.Unusable, match="QUICK-1 is FAIL without a mutant"):
        list(campaign.campaign((seed,), runs, 1))


def test_what_is_argued_to_survive_is_told_apart() -> None:
    item = Outcome(Seed("a", "plant", "m", "", survives="nobody can see it"), End.ARGUED)
    told = campaign.figures([item])
    assert (told["of"], told["rate"], told["survivors"]) == (0, None, [])
    assert "survives as argued: a" in campaign.line(item)


def test_how_far_a_campaign_is_and_how_long_it_may_take_is_told() -> None:
    said: list[str] = []
    told = campaign.Progress(2, said.append)
    told(Outcome(Seed("a", "plant", "m", "", danger="it falls"), End.KILLED, "H07"))
    assert said[0] == "2 dangers; first the pack without any of them"
    assert said[1] == "[1/2, 0 min left] killed: a (it falls) by H07"


def test_a_danger_is_asked_of_its_own_hazard_first_and_an_argued_one_of_nothing_else() -> None:
    runs = campaign.scenarios_of([FOLDER / "h19-estop.yaml", FOLDER / "h31-castor-lock-fails.yaml"])
    estop, castors = (str(path) for path in dict.fromkeys(run.path for run in runs))
    seed = Seed("s", "plant", "m", "", hazard="H31")
    assert campaign.ordered(seed, runs, quick=False) == campaign.Asked((castors,), (estop,))
    argued = Seed("s", "plant", "m", "", hazard="H31", survives="why")
    assert campaign.ordered(argued, runs, quick=False) == campaign.Asked((castors,))


def test_the_child_says_what_each_run_came_to(tmp_path: Path) -> None:
    job = {
        "module": "",
        "source": "",
        "likely": [str(scenario(tmp_path))],
        "others": [],
        "root": ".",
        "quick": False,
    }
    said = child.run(job)
    assert [run["verdict"] for run in said["runs"]] == ["PASS", "PASS"]


def test_every_planted_danger_is_killed(outcomes: dict[str, Outcome]) -> None:
    """One of them here; at night all of them by the whole pack."""
    found = [outcomes["up-and-down-swapped"]]
    if NIGHTLY:
        runs = campaign.scenarios_of([FOLDER])
        found = list(campaign.campaign(seeds.seeded(), runs, os.cpu_count() or 1))
    assert not [campaign.line(item) for item in found if not item.good]
