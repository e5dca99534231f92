"""docs/safety/ is what the table, the hazard list and the tests say, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from liftctl.safetycase import hazards
from liftctl.safetycase.book import FOLDER, PAGES, write
from liftctl.safetycase.case import pins, soup
from liftctl.safetycase.check import stops_lowering
from safety.table import ROWS

# What a process has loaded once all its modules are there: one JSON list of distributions.
LOADED = """
import importlib, importlib.metadata, json, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for item in pkgutil.iter_modules(package.__path__):
    importlib.import_module(f"{package.__name__}.{item.name}")
known = importlib.metadata.packages_distributions()
tops = {name.partition(".")[0] for name in sys.modules}
print(json.dumps(sorted({owner for top in tops for owner in known.get(top, ())})))
"""
PROCESSES = ("gate", "guard", "controller", "recorder", "panel", "desk")


@cache
def made(name: str) -> str:
    """A page as it would be written now."""
    return PAGES[name]()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_sources_say(name: str) -> None:
    assert (FOLDER / name).read_text("utf-8") == made(name), f"{name} is old; run make docs"


def test_nothing_else_is_in_the_folder() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(PAGES)


def test_writing_removes_a_page_that_is_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "old.md").write_text("old")
    monkeypatch.setattr("liftctl.safetycase.book.PAGES", {"new.md": lambda: "new"})
    write(tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"new.md": "new"}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_on_its_pages(name: str) -> None:
    row = ROWS[name]
    assert f"| `{name}` | {row.hazard} |" in made("rows.md")
    part = made("hazards.md").partition(f"\n## {row.hazard}. ")[2].partition("\n## ")[0]
    assert f"| `{name}` |" in part
    assert (f"| `{name}` |" in made("lowering.md")) == stops_lowering(row)


def test_what_is_not_covered_is_on_two_pages() -> None:
    for hazard in hazards.load().hazards.values():
        if hazard.gaps:
            assert hazard.gaps in made("hazards.md")
            assert hazard.gaps in made("anomalies.md")


def test_every_locked_library_is_on_the_list_once() -> None:
    listed = [name for entry in soup()["library"] for name in entry["names"]]
    assert sorted(listed) == sorted(pins())


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_loads_what_the_list_says(process: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, f"liftctl.{process}"],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    loaded = {name.replace("_", "-") for name in json.loads(done.stdout)} & set(pins())
    listed = {
        name for entry in soup()["library"] if process in entry["processes"]
        for name in entry["names"]
    }  # fmt: skip
    assert loaded == listed
