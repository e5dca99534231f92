"""The register as a FHIR R4 Bundle that `fhir.read` takes back.

Role: writing only. Process: the CLI. Must never: give a token (with it records can be told whose
they are).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from config.plans import Register, ResidentSpec, SlingSpec
from liftctl.register.fhir import ASSESSED, LOINC, UCUM, URN, WEIGHT


def write(register: Register) -> str:
    """A Bundle (collection) that `read` takes back."""
    slings = {item.serial: f"sling-{n}" for n, item in enumerate(register.sling, 1)}
    resources = [_device(slings[item.serial], item) for item in register.sling]
    for number, item in enumerate(register.resident, 1):
        resources += _assessment(f"resident-{number}", item, slings)
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": _told(item)} for item in resources],
    }
    return json.dumps(bundle, ensure_ascii=False, indent=1) + "\n"


def _told(resource: dict[str, Any]) -> dict[str, Any]:
    """FHIR knows no empty element."""
    return {name: value for name, value in resource.items() if value not in ("", [], {}, None)}


def _quantity(kg: float) -> dict[str, Any]:
    return {"value": kg, "unit": "kg", "system": UCUM, "code": "kg"}


def _extension(name: str, kind: str, value: Any) -> dict[str, Any]:
    return {"url": URN + name, kind: _quantity(value) if kind == "valueQuantity" else value}


def _device(name: str, item: SlingSpec) -> dict[str, Any]:
    dates = (("inspected", item.inspected), ("inspect-by", item.inspect_by))
    swl = {"type": {"text": "safe working load"}, "valueQuantity": [_quantity(item.swl_kg)]}
    size = {"type": {"text": "size"}, "valueCode": [{"text": item.size}]}
    return {
        "resourceType": "Device",
        "id": name,
        "extension": [_extension(url, "valueDate", text) for url, text in dates if text],
        "status": "inactive" if item.withdrawn else "active",
        "serialNumber": item.serial,
        "modelNumber": item.model,
        "type": {"text": "sling"},
        "property": [swl, *([size] if item.size else [])],
    }


def _assessment(name: str, item: ResidentSpec, slings: dict[str, str]) -> Iterator[dict[str, Any]]:
    subject = {"reference": f"Patient/{name}"}
    yield {
        "resourceType": "Patient",
        "id": name,
        "identifier": [{"value": item.identifier}],
        "name": [{"text": item.label}],
    }
    extensions = [_extension(url, kind, getattr(item, key))
                  for url, (key, kind) in ASSESSED.items() if getattr(item, key)]  # fmt: skip
    yield {
        "resourceType": "ServiceRequest",
        "id": f"assessment-{name}",
        "extension": extensions,
        "status": "active",
        "intent": "plan",
        "code": {"text": "assisted transfer with a lift"},
        "subject": subject,
        "occurrencePeriod": _told({"end": item.expires}),
        "authoredOn": item.assessed,
        "requester": _told({"display": item.assessor}),
        "supportingInfo": [{"reference": f"Device/{slings[item.sling]}"}]
        if item.sling in slings
        else [],
        "note": [{"text": item.notes}] if item.notes else [],
    }
    if item.weight_kg:
        yield {
            "resourceType": "Observation",
            "id": f"weight-{name}",
            "status": "final",
            "code": {"coding": [{"system": LOINC, "code": WEIGHT}]},
            "subject": subject,
            "valueQuantity": _quantity(item.weight_kg),
        }
