"""Every field a scenario may have: one table, from which the JSON Schema and the checks are made.

Role: the grammar. Must never: know a plane or a fault (`hil/faults` has the list of those).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hil.planes import PLANES

RIGS = {"lift": ("UP", "DOWN", "LEFT", "RIGHT"), "chair": ("STAND", "SIT")}
MOTIONS = tuple(motion for motions in RIGS.values() for motion in motions)
SITUATIONS = {
    "lift": ("booting", "ready", "hooked", "tension_pause", "hanging", "over_chair"),
    "chair": ("booting", "ready", "seated", "standing"),
}
QUANTITIES = ("time", "length", "speed", "mass", "share")


@dataclass(frozen=True, slots=True)
class Arg:
    """One argument: its kind, and whether it must be there."""

    kind: str
    must: bool = False


@dataclass(frozen=True, slots=True)
class Verb:
    """`main` is the argument a bare value stands for: `wait: 1 s`."""

    main: str
    args: dict[str, Arg]
    what: str


T, C, W, L = Arg("time"), Arg("condition"), Arg("word"), Arg("words")
must = {name: Arg(name, True) for name in ("time", "condition", "word", "motion", "words")}
STEPS: dict[str, Verb] = {
    "press": Verb("motion", {"motion": must["motion"], "station": W, "as": W}, "a finger down"),
    "release": Verb("station", {"station": W, "as": W}, "the finger lifts"),
    "hold": Verb(
        "motion",
        {"motion": must["motion"], "for": must["time"], "station": W, "as": W},
        "press, wait, release",
    ),
    "stop": Verb("station", {"station": W, "as": W}, "the STOP button"),
    "reset": Verb("station", {"station": W, "as": W}, "the reset button"),
    "step": Verb(
        "action", {"action": must["word"], "args": Arg("mapping"), "refused": W}, "a workflow step"
    ),
    "technician": Verb("row", {"row": must["word"], "by": W, "as": W}, "release of a latch"),
    "act": Verb("do", {"do": must["word"], "with": Arg("mapping"), "as": W}, "hands in the room"),
    "wait": Verb("for", {"for": must["time"]}, "let time pass"),
    "until": Verb(
        "that", {"that": must["condition"], "within": must["time"], "as": W}, "wait for it"
    ),
    "mark": Verb("as", {"as": must["word"]}, "name this moment"),
    "fault": Verb(
        "id",
        {
            "id": must["word"],
            "with": Arg("mapping"),
            "as": W,
            "for": T,
            "after": T,
            "when": C,
            "prove_within": T,
        },
        "inject a fault",
    ),
    "clear": Verb("as", {"as": must["word"]}, "take a fault away"),
    "probe": Verb(
        "moves",
        {"moves": must["words"], "station": W, "for": T},
        "press every arrow, look at the plant",
    ),
}
EXPECT: dict[str, Verb] = {
    "within": Verb(
        "that",
        {"that": must["condition"], "limit": must["time"], "of": W, "stays": T},
        "true soon enough",
    ),
    "always": Verb(
        "that", {"that": must["condition"], "from": W, "to": W, "after": T}, "true all along"
    ),
    "never": Verb(
        "that", {"that": must["condition"], "from": W, "to": W, "after": T}, "at no time true"
    ),
    "until": Verb(
        "that",
        {"that": must["condition"], "until": must["condition"], "from": W},
        "true until then",
    ),
    "measure": Verb(
        "value",
        {
            "name": must["word"],
            "value": Arg("measured", True),
            "of": Arg("aggregate"),
            "from": W,
            "to": W,
            "max": Arg("quantity"),
            "min": Arg("quantity"),
        },
        "a figure with limits",
    ),
    "allowed": Verb(
        "free", {"free": L, "slow": L, "of": W, "after": T}, "the motions the gate still offers"
    ),
    "alarm": Verb(
        "row",
        {"row": must["word"], "priority": W, "of": W, "limit": T},
        "an alarm signal for the carer",
    ),
    "ledger": Verb(
        "entry",
        {"entry": must["word"], "with": Arg("mapping"), "of": W, "limit": T},
        "an entry of the ledger",
    ),
    "no_restart": Verb("of", {"of": W}, "nothing moves again without a fresh press"),
    "no_alarm": Verb("from", {"from": W, "to": W, "but": L}, "no alarm that nobody needs"),
}
START = {
    "situation": must["word"],
    "height": Arg("length"),
    "stroke": Arg("length"),
    "resident": W,
    "carers": Arg("count"),
    "args": Arg("mapping"),
}
TOP: dict[str, Arg] = {
    "hil": Arg("version", True),
    "id": must["word"],
    "title": Arg("text", True),
    "titel": Arg("text"),
    "hazards": Arg("hazards", True),
    "clauses": Arg("texts"),
    "rig": Arg("rig", True),
    "planes": Arg("planes"),
    "site": Arg("mapping"),
    "fallback": Arg("flag"),
    "mass": Arg("mass"),
    "seed": Arg("count"),
    "today": W,
    "start": Arg("start"),
    "parameters": Arg("parameters"),
    "combine": Arg("combine"),
    "steps": Arg("steps", True),
    "expect": Arg("expects", True),
    "oracle": Arg("oracle"),
    "cover": Arg("mapping"),
}
TEXT = {"type": "string", "minLength": 1}
SCALAR = {"type": ["string", "number", "boolean"]}
SIMPLE: dict[str, dict[str, Any]] = {
    "word": {"type": ["string", "integer"]},
    "text": TEXT,
    "texts": {"type": "array", "items": TEXT},
    "words": {"type": "array", "items": {"type": "string"}},
    "mapping": {"type": "object"},
    "condition": TEXT,
    "measured": TEXT,
    "quantity": {"type": ["string", "number"]},
    "aggregate": {"enum": ["max", "min", "change", "path", "last"]},
    "count": {"type": ["integer", "string"]},
    "motion": TEXT,
    "version": {"const": 1},
    "flag": {"type": "boolean"},
    "hazards": {"type": "array", "items": {"type": "string", "pattern": r"^H\d+$"}, "minItems": 1},
    "rig": {"enum": sorted(RIGS)},
    "planes": {"type": "array", "items": {"enum": list(PLANES)}, "minItems": 1},
    "combine": {"enum": ["all", "each", "pairs"]},
    **{name: {"type": ["string", "number"]} for name in QUANTITIES},
}


def schema() -> dict[str, Any]:
    """The JSON Schema of a scenario file (draft 2020-12)."""
    made = dict(SIMPLE)
    made["start"] = _object(START)
    made["steps"] = {"type": "array", "items": _one_of(STEPS), "minItems": 1}
    made["expects"] = {"type": "array", "items": _one_of(EXPECT)}
    made["parameters"] = {"type": "object", "additionalProperties": _vary()}
    made["oracle"] = {
        "type": "object",
        "properties": {"except": {"type": "array", "items": TEXT}, "why": TEXT},
        "required": ["except", "why"],
        "additionalProperties": False,
    }
    found = _object(TOP, made)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}


def _object(args: dict[str, Arg], kinds: dict[str, Any] = SIMPLE) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: kinds[arg.kind] for name, arg in args.items()},
        "required": [name for name, arg in args.items() if arg.must],
        "additionalProperties": False,
    }


def _one_of(verbs: dict[str, Verb]) -> dict[str, Any]:
    """One key: the verb; its value: the main argument, or a mapping of all."""
    properties = {
        name: {"if": {"type": "object"}, "then": _object(verb.args), "else": _bare(verb)}
        for name, verb in verbs.items()
    }
    return {
        "type": "object",
        "properties": properties,
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }


def _bare(verb: Verb) -> dict[str, Any]:
    alone = [name for name, arg in verb.args.items() if arg.must] in ([], [verb.main])
    if not alone:
        wanted = ", ".join(name for name, arg in verb.args.items() if arg.must)
        return {"type": "object", "description": f"wants {wanted}"}
    kind = verb.args[verb.main].kind
    return (
        {"anyOf": [SIMPLE[kind], {"type": "null"}]}
        if not verb.args[verb.main].must
        else SIMPLE[kind]
    )


def _vary() -> dict[str, Any]:
    listed = {"vary": {"type": "array", "items": SCALAR, "minItems": 1}}
    drawn = {
        "uniform": {"type": "array", "items": SCALAR, "minItems": 2, "maxItems": 2},
        "n": {"type": "integer", "minimum": 1, "maximum": 1000},
    }
    return {
        "if": {"type": "object"},
        "then": {
            "properties": {**listed, **drawn},
            "additionalProperties": False,
            "oneOf": [{"required": ["vary"]}, {"required": ["uniform", "n"]}],
        },
        "else": SCALAR,
    }
