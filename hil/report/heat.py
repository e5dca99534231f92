"""The interlock matrix as a heat map, inline SVG.

Role: one line for each row of the table, one block for each motion, in it four phases; upper half
the row true, lower half unknown; the deeper, the more modes were met. Must never: show a cell the
table does not have.
"""

from __future__ import annotations

from collections import defaultdict
from html import escape

from hil.coverage.matrix import Matrix, Mode, Phase
from safety.evaluate import MOTIONS_OF
from safety.table import FOR_KIND

CELL_W, CELL_H, LEFT, TOP, GAP = 26.0, 7.0, 196.0, 40.0, 10.0
LINE = 2 * CELL_H + 3
SHORT = {Phase.BEFORE: "bef", Phase.DURING: "dur", Phase.RELEASE: "rel", Phase.REARM: "arm"}


def svg(matrix: Matrix, kind: str) -> str:
    """The map of one kind of device; empty when no cell of the matrix belongs to it."""
    motions = [str(motion.name) for motion in MOTIONS_OF[kind]]
    there = {(cell.interlock, cell.motion) for cell in matrix.all if cell.motion in motions}
    rows = [row.id for row in FOR_KIND[kind] if _exists(row.id, there)]
    if not rows:
        return ""
    counted = _counted(matrix)
    parts = [_head(motions)]
    for n, name in enumerate(rows):
        y = TOP + n * LINE
        label = f'<text class="l" x="0" y="{y + 12:.0f}">{escape(name)}</text>'
        parts.append(label)
        for half, interlock in enumerate((name, f"{name}?")):
            for m, motion in enumerate(motions):
                if (interlock, motion) in there:
                    parts += _block(counted, interlock, motion, _x(m), y + half * CELL_H)
    width, height = _x(len(motions)) - GAP, TOP + len(rows) * LINE
    label = f"interlock matrix, {kind}"
    return (
        f'<svg class="heat" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        f'aria-label="{label}">{"".join(parts)}</svg>'
    )


def _exists(name: str, there: set[tuple[str, str]]) -> bool:
    return any(interlock.rstrip("?") == name for interlock, _ in there)


def _counted(matrix: Matrix) -> dict[tuple[str, str, Phase], dict[Mode, int]]:
    found: dict[tuple[str, str, Phase], dict[Mode, int]] = defaultdict(dict)
    for cell, runs in matrix.hit.items():
        found[cell.interlock, cell.motion, cell.phase][cell.mode] = len(runs)
    return found


def _x(motion: int) -> float:
    return LEFT + motion * (len(Phase) * CELL_W + GAP)


def _head(motions: list[str]) -> str:
    parts = []
    for m, motion in enumerate(motions):
        middle = _x(m) + 2 * CELL_W
        parts.append(
            f'<text class="h" x="{middle:.0f}" y="14" text-anchor="middle">{motion}</text>'
        )
        for n, phase in enumerate(Phase):
            x = _x(m) + (n + 0.5) * CELL_W
            parts.append(
                f'<text class="n" x="{x:.0f}" y="30" text-anchor="middle">{SHORT[phase]}'
                f"<title>{phase}</title></text>"
            )
    return "".join(parts)


def _block(
    counted: dict[tuple[str, str, Phase], dict[Mode, int]],
    interlock: str,
    motion: str,
    x: float,
    y: float,
) -> list[str]:
    found = []
    for n, phase in enumerate(Phase):
        modes = counted.get((interlock, motion, phase), {})
        told = ", ".join(f"{mode}: {modes[mode]} runs" for mode in Mode if mode in modes)
        title = f"{interlock}, {motion}, {phase}: {told or 'not met'}"
        found.append(
            f'<rect class="c{len(modes)}" x="{x + n * CELL_W:.0f}" y="{y:.0f}" '
            f'width="{CELL_W - 1.5}" height="{CELL_H - 1}"><title>{escape(title)}</title></rect>'
        )
    return found


def missed(matrix: Matrix, kind: str) -> list[str]:
    """Rows of this kind that no run met in any cell, in table order."""
    motions = {str(motion.name) for motion in MOTIONS_OF[kind]}
    seen = {cell.interlock.rstrip("?") for cell in matrix.hit if cell.motion in motions}
    every = {cell.interlock.rstrip("?") for cell in matrix.all if cell.motion in motions}
    return [row.id for row in FOR_KIND[kind] if row.id in every - seen]
