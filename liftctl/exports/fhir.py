"""FHIR R4 resources: Device, DeviceMetric, Procedure.

Role: from a site and its transfers to JSON, pure. Process: CLI, centre. Must never: name a
resident unless asked; the subject of a procedure is then a logical reference to the random token.

Source: HL7 FHIR R4 (4.0.1), the three resources' own pages. Codes of our own stand under CODES: the
standard's code systems have none that says exactly this, and a nearly right code is a wrong one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from config.profiles import load as load_profile
from config.schema import DeviceSpec, Site

Resource = dict[str, Any]
CODES = "urn:liftctl:codes"
UCUM = "http://unitsofmeasure.org"
STATUS = {
    "completed": "completed",
    "fallback2": "completed",
    "aborted": "stopped",
    "fault": "stopped",
    "emergency": "stopped",
    "interrupted": "unknown",
}
# Ending of a signal's name -> UCUM code.
UNITS = {
    "kg": "kg", "mm": "mm", "mm_s": "mm/s", "pct": "%", "deg": "deg", "rpm": "{rpm}", "a": "A",
    "v": "V", "c": "Cel", "ms": "ms",
}  # fmt: skip


def _id(*parts: str) -> str:
    """A FHIR id (at most 64 of [A-Za-z0-9.-]) that is the same every time."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _concept(code: str, text: str = "") -> dict[str, Any]:
    return {"coding": [{"system": CODES, "code": code}], "text": text or code}


def _reference(kind: str, *parts: str) -> dict[str, str]:
    return {"reference": f"{kind}/{_id(*parts)}"}


def devices(site: Site) -> Iterator[Resource]:
    """The lift or chair, and each of its parts."""
    safety = f"swl {site.limits.swl_kg:g} kg" if site.kind == "lift" else ""
    yield {
        "resourceType": "Device",
        "id": _id(site.name),
        "identifier": [{"system": "urn:liftctl:site", "value": site.name}],
        "status": "active",
        "type": _concept(f"device-{site.kind}", "ceiling lift" if safety else "standing chair"),
        "property": [
            {"type": _concept("config-hash"), "valueCode": [_concept(site.hash)]},
            *([{"type": _concept("safe-working-load"), "valueQuantity": [_quantity(
                site.limits.swl_kg, "kg")]}] if safety else []),
        ],
    }  # fmt: skip
    for spec in site.device:
        yield {
            "resourceType": "Device",
            "id": _id(site.name, spec.name),
            "identifier": [{"system": "urn:liftctl:device", "value": f"{site.name}/{spec.name}"}],
            "status": "active",
            "type": _concept(f"part-{spec.profile}", load_profile(spec.profile).title),
            "parent": _reference("Device", site.name),
        }


def _quantity(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def metrics(site: Site) -> Iterator[Resource]:
    """What each device measures."""
    for spec in site.device:
        for signal in sorted(_signals(spec)):
            unit = _unit(signal)
            yield {
                "resourceType": "DeviceMetric",
                "id": _id(site.name, spec.name, signal),
                "identifier": [
                    {"system": "urn:liftctl:signal", "value": f"{site.name}/{spec.name}/{signal}"}
                ],
                "type": _concept(f"signal-{signal}", signal),
                **({"unit": {"coding": [{"system": UCUM, "code": unit}]}} if unit else {}),
                "source": _reference("Device", site.name, spec.name),
                "parent": _reference("Device", site.name),
                "category": "measurement",
                "calibration": [{"type": "unspecified", "state": "unspecified"}],
            }


def _signals(spec: DeviceSpec) -> set[str]:
    return {
        field.signal
        for frame in load_profile(spec.profile).frame
        for field in frame.field
        if field.signal
    }


def _unit(signal: str) -> str:
    ends = sorted((end for end in UNITS if signal.endswith(f"_{end}")), key=len)
    return UNITS[ends[-1]] if ends else ""


def procedures(
    site: Site, records: Iterable[Mapping[str, Any]], residents: bool = False
) -> Iterator[Resource]:
    """One per closed transfer. Without `residents` the subject says that it is not exported."""
    for record in records:
        token = str(record.get("resident") or "")
        subject: dict[str, Any] = {"type": "Patient", "display": "not exported"}
        if residents and token:
            subject = {"type": "Patient", "identifier": {"system": "urn:liftctl:resident",
                                                         "value": token}}  # fmt: skip
        outcome = str(record.get("outcome") or "")
        resource: Resource = {
            "resourceType": "Procedure",
            "id": _id(site.name, str(record.get("id"))),
            "identifier": [{"system": "urn:liftctl:transfer", "value": str(record.get("id"))}],
            "status": STATUS.get(outcome, "unknown"),
            "code": _concept(f"transfer-{record.get('kind') or 'unknown'}"),
            "subject": subject,
            "usedReference": [_reference("Device", site.name)],
            "outcome": _concept(f"outcome-{outcome or 'unknown'}"),
        }
        if period := _period(record):
            resource["performedPeriod"] = period
        if record.get("reason") and resource["status"] == "stopped":
            resource["statusReason"] = _concept(f"reason-{record['reason']}")
        if extensions := list(_measured(record)):
            resource["extension"] = extensions
        yield resource


def _period(record: Mapping[str, Any]) -> dict[str, str]:
    found = {"start": record.get("started_utc"), "end": record.get("ended_utc")}
    return {name: str(value) for name, value in found.items() if value}


def _measured(record: Mapping[str, Any]) -> Iterator[Resource]:
    for name, unit in (("staff_s", "s"), ("elapsed_s", "s"), ("peak_load_kg", "kg")):
        value = record.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield {"url": f"urn:liftctl:{name}", "valueQuantity": _quantity(float(value), unit)}
    carers = record.get("carers_actual", record.get("carers_planned"))
    if isinstance(carers, int) and not isinstance(carers, bool):
        yield {"url": "urn:liftctl:carers", "valueInteger": carers}


def resources(
    site: Site, records: Iterable[Mapping[str, Any]], residents: bool = False
) -> Iterator[Resource]:
    """All three kinds, referenced ones first."""
    yield from devices(site)
    yield from metrics(site)
    yield from procedures(site, records, residents)


def ndjson(found: Iterable[Resource]) -> Iterator[str]:
    """One resource per line (FHIR bulk data)."""
    for resource in found:
        yield json.dumps(resource, ensure_ascii=False, separators=(",", ":")) + "\n"


def bundle(found: Iterable[Resource]) -> Resource:
    """A transaction: each resource put under its own id, so that a repetition changes nothing."""
    entries = [
        {
            "fullUrl": f"urn:liftctl:{item['resourceType']}:{item['id']}",
            "resource": item,
            "request": {"method": "PUT", "url": f"{item['resourceType']}/{item['id']}"},
        }
        for item in found
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}
