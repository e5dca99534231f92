"""Every file of docs/safety/, by name.

Role: the list of pages, and writing them; tests compare them with what is in the folder. Process:
none of the service's. Must never: leave a file that no page makes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from liftctl.safetycase import case, pages, playable
from liftctl.safetycase.pages import ROOT

FOLDER = ROOT / "docs" / "safety"
PAGES: dict[str, Callable[[], str]] = {
    "README.md": case.readme_page,
    "hazards.md": case.hazards_page,
    "lowering.md": case.lowering_page,
    "hardware.md": case.hardware_page,
    "budget.md": pages.budget_page,
    "rows.md": pages.rows_page,
    "bounds.md": pages.bounds_page,
    "soup.md": case.soup_page,
    "anomalies.md": case.anomalies_page,
    "table.html": playable.table_page,
}


def write(folder: Path = FOLDER) -> None:
    """Write every page, and remove what is none."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.name not in PAGES:
            path.unlink()
    for name, make in PAGES.items():
        (folder / name).write_text(make(), encoding="utf-8")
