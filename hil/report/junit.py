"""JUnit XML for a CI server; hazards, clauses and the timeline's hash are properties.

Role: each run is a test case. Must never: turn an inconclusive run into a pass; CI servers know
failure, error and skipped, and inconclusive is a failure with its own type.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree as Tree

from hil.timeline import Result, Verdict

TAGS = {
    Verdict.FAIL: "failure",
    Verdict.INCONCLUSIVE: "failure",
    Verdict.ERROR: "error",
    Verdict.NOT_APPLICABLE: "skipped",
}


def text(results: Iterable[Result]) -> bytes:
    """The whole file."""
    kept = tuple(results)
    root = Tree.Element("testsuites")
    for plane in dict.fromkeys(item.plane for item in kept):
        here = [item for item in kept if item.plane == plane]
        counts = {tag: sum(TAGS.get(i.verdict) == tag for i in here) for tag in TAGS.values()}
        suite = Tree.SubElement(
            root, "testsuite", name=f"hil.{plane}", tests=str(len(here)),
            failures=str(counts["failure"]), errors=str(counts["error"]),
            skipped=str(counts["skipped"]),
        )  # fmt: skip
        for item in here:
            _case(suite, item)
    Tree.indent(root)
    written: bytes = Tree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _case(suite: Tree.Element, item: Result) -> None:
    given = ", ".join(f"{name}={value}" for name, value in item.parameters.items())
    name = f"{item.id} {item.title}" + (f" [{given}]" if given else "")
    source = item.source or "bench"
    case = Tree.SubElement(
        suite, "testcase", classname=Path(source).stem, name=name, time=f"{item.simulated_s:.3f}"
    )
    properties = Tree.SubElement(case, "properties")
    told = [("verdict", item.verdict.value), ("seed", str(item.seed))]
    told += [("hazard", hazard) for hazard in item.hazards]
    told += [("clause", clause) for clause in item.clauses]
    told += [("timeline_sha256", item.timeline_hash)] if item.timeline_hash else []
    for key, value in told:
        Tree.SubElement(properties, "property", name=key, value=value)
    if tag := TAGS.get(item.verdict):
        reason = "; ".join(item.reasons) or item.verdict.value
        found = Tree.SubElement(case, tag, message=reason)
        if tag != "skipped":
            found.set("type", item.verdict.value)
        found.text = "\n".join(item.reasons)
