"""result.json: every run and what the pack covers, by a published schema.

Role: what a machine reads. Must never: hold a field the schema does not know.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from hil.coverage.pack import Coverage
from hil.timeline import Result, Verdict

FORMAT = 1
SCHEMA = Path(__file__).parent / "result.schema.json"


def document(results: Iterable[Result], coverage: Coverage) -> dict[str, Any]:
    """The whole file as plain values."""
    kept = tuple(results)
    counts = Counter(item.verdict for item in kept)
    return {
        "format": FORMAT,
        "verdicts": {verdict.value: counts[verdict] for verdict in Verdict},
        "scenarios": [json.loads(json.dumps(item.to_json())) for item in kept],
        "coverage": coverage.figures(),
        "hazards": {
            line.name: {"scenarios": list(line.scenarios), "worst": line.worst}
            for line in coverage.hazards
        },
    }


@cache
def schema() -> dict[str, Any]:
    """The schema of result.json."""
    found: dict[str, Any] = json.loads(SCHEMA.read_text("utf-8"))
    return found
