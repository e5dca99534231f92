"""Scenarios, faults and words in plain language, English and Danish.

Role: text for people. Must never: run anything.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

from hil.faults.catalogue import KINDS, LEVELS
from hil.planes import PLANES
from hil.scenario.grammar import EXPECT, STEPS
from hil.scenario.load import load
from hil.scenario.model import Doing, Scenario
from hil.scenario.words import WORDS

MOTION = {
    "en": {"UP": "up", "DOWN": "down", "LEFT": "to the left", "RIGHT": "to the right",
           "STAND": "stand up", "SIT": "sit down"},
    "da": {"UP": "op", "DOWN": "ned", "LEFT": "til venstre", "RIGHT": "til højre",
           "STAND": "rejs", "SIT": "sid"},
}  # fmt: skip
SITUATION = {
    "en": {
        "booting": "the device has just been switched on",
        "ready": "the device is ready, nobody hangs or stands",
        "hooked": "a person lies in the sling, hooked on",
        "tension_pause": "the sling is tight, the lift waits for the loops to be confirmed",
        "hanging": "a person hangs in the lift",
        "over_chair": "a person hangs above the chair",
        "seated": "a person sits, ready to stand up",
        "standing": "a person stands partly up",
    },
    "da": {
        "booting": "udstyret er lige tændt",
        "ready": "udstyret er klar, ingen hænger eller står",
        "hooked": "en person ligger i sejlet, der er hægtet på",
        "tension_pause": "sejlet er stramt, liften venter på at stropperne bekræftes",
        "hanging": "en person hænger i liften",
        "over_chair": "en person hænger over stolen",
        "seated": "en person sidder og er klar til at rejse sig",
        "standing": "en person står delvist op",
    },
}
STEP = {
    "en": {
        "press": "somebody presses {motion} ({station})",
        "release": "the finger lifts ({station})",
        "hold": "somebody holds {motion} for {for} ({station})",
        "stop": "somebody presses STOP ({station})",
        "reset": "somebody presses reset ({station})",
        "step": "the carer does the step '{action}'",
        "technician": "a technician releases '{row}'",
        "act": "in the room: {do}",
        "wait": "{for} pass",
        "until": "wait until {that}, at most {within}",
        "mark": "(moment '{as}')",
        "fault": "fault {id}: {what}",
        "clear": "the fault '{as}' is taken away",
        "probe": "every arrow is pressed anew: only these may move: {moves}",
    },
    "da": {
        "press": "nogen trykker {motion} ({station})",
        "release": "fingeren slipper ({station})",
        "hold": "nogen holder {motion} i {for} ({station})",
        "stop": "nogen trykker STOP ({station})",
        "reset": "nogen trykker nulstil ({station})",
        "step": "plejeren udfører trinnet '{action}'",
        "technician": "en tekniker frigiver '{row}'",
        "act": "i rummet: {do}",
        "wait": "der går {for}",
        "until": "vent til {that}, højst {within}",
        "mark": "(øjeblikket '{as}')",
        "fault": "fejl {id}: {what}",
        "clear": "fejlen '{as}' fjernes",
        "probe": "hver pil trykkes på ny: kun disse må bevæge: {moves}",
    },
}
WORD = {
    "en": {"given": "Given", "then": "Then", "expect": "It must be so", "hazards": "Hazards"},
    "da": {"given": "Givet", "then": "Så", "expect": "Det skal gælde", "hazards": "Farer"},
}


def scenario(path: Path, language: str = "en") -> str:
    """One file in plain language; ScenarioError."""
    found = load(path)
    first, word = found[0], WORD.get(language, WORD["en"])
    title = first.titel if language == "da" and first.titel else first.title
    lines = [f"{first.id}: {title}", f"{word['hazards']}: {', '.join(first.hazards)}"]
    lines.append(f"{word['given']}: {_situation(first, language)}, {first.mass_kg:g} kg")
    lines += [f"{word['then']}: {_step(doing, language)}" for doing in first.steps]
    lines.append(f"{word['expect']}:")
    lines += [f"  - {doing.text}" for doing in first.expect]
    if len(found) > 1:
        lines.append(f"({len(found)} x: {', '.join(first.parameters)})")
    return "\n".join(lines)


def _situation(first: Scenario, language: str) -> str:
    table = SITUATION.get(language, SITUATION["en"])
    return table[first.start["situation"]]


def _step(doing: Doing, language: str) -> str:
    words = MOTION.get(language, MOTION["en"])
    shown: dict[str, Any] = {"station": "panel:1", "as": "", "motion": "", **doing.args}
    for key in ("for", "within", "after"):
        if key in shown:
            shown[key] = f"{shown[key] / 1e9:g} s"
    if shown.get("motion") in words:
        shown["motion"] = words[shown["motion"]]
    if "that" in shown:
        shown["that"] = shown["that"].text
    if "moves" in shown:
        shown["moves"] = ", ".join(words[m] for m in shown["moves"]) or "-"
    if doing.verb == "fault" and shown["id"] in KINDS:
        given = doing.args.get("with", {})
        told = ", ".join(f"{key} {value}" for key, value in given.items())
        shown["what"] = KINDS[shown["id"]].what + (f" ({told})" if told else "")
    return STEP.get(language, STEP["en"])[doing.verb].format_map(shown)


def listing(scenarios: list[Scenario]) -> list[dict[str, Any]]:
    """One row for each file."""
    found = []
    for path, group in groupby(scenarios, key=lambda item: item.path):
        runs = list(group)
        first = runs[0]
        found.append(
            {
                "id": first.id,
                "title": first.title,
                "hazards": list(first.hazards),
                "planes": list(first.planes),
                "runs": len(runs),
                "source": str(path),
            }
        )
    return found


def faults() -> str:
    """The catalogue, by level, with the planes that can do each."""
    lines = []
    for level, name in LEVELS.items():
        lines.append(f"{level} {name}")
        for kind in KINDS.values():
            if kind.id.partition(".")[0] == level:
                planes = " ".join(plane for plane in PLANES if plane in kind.planes)
                args = ", ".join(kind.params)
                lines.append(f"  {kind.id:20} {kind.what}  [{args}]  ({planes})")
    return "\n".join(lines)


def words() -> str:
    """What a condition may ask about."""
    return "\n".join(f"{name:16} {word.kind:8} {word.what}" for name, word in WORDS.items())


def grammar() -> str:
    """Steps and expectations with their arguments."""
    lines = ["steps:"]
    for title, table in (("", STEPS), ("expect:", EXPECT)):
        lines += [title] if title else []
        for name, verb in table.items():
            args = ", ".join(f"{key}{'*' if arg.must else ''}" for key, arg in verb.args.items())
            lines.append(f"  {name:11} {verb.what}: {args}")
    return "\n".join(lines)
