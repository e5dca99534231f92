"""Residents and slings from FHIR R4.

Role: a Bundle (JSON) or one resource a line (NDJSON). Process: the CLI. Must never: take half of a
resource, or fail on one it does not know (that is left out, and said).

Patient -> identifier, label. Device -> sling. ServiceRequest -> assessment of its subject.
Observation (LOINC 29463-7, body weight) -> weight. What R4 has no element for stands in extensions
`urn:liftctl:...`. docs/register.md has the table.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from config.plans import ResidentSpec, SlingSpec
from config.schema import ConfigError, build
from liftctl.register.merge import Found, ImportFault

URN = "urn:liftctl:"
WEIGHT = "29463-7"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
KNOWN = ("Patient", "Device", "ServiceRequest", "Observation")
DATE_CHARS = 10
# extension name -> (field of the assessment, value[x])
ASSESSED = {
    "carers": ("carers", "valueInteger"),
    "limit": ("limit_kg", "valueQuantity"),
    "one-carer-until": ("one_carer_until", "valueDate"),
    "sling-model": ("sling_model", "valueString"),
    "sling-size": ("sling_size", "valueString"),
    "sling-swl": ("sling_swl_kg", "valueQuantity"),
    "mobility-class": ("mobility_class", "valueString"),
}


class Unfit(Exception):
    """This resource cannot be taken; the text says why."""


@dataclass(slots=True)
class Resources:
    """What a file holds, by type and id; `left_out` says what was not taken, and why."""

    by_type: dict[str, dict[str, tuple[str, dict[str, Any]]]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def of(self, kind: str) -> dict[str, tuple[str, dict[str, Any]]]:
        return self.by_type.setdefault(kind, {})

    def referred(self, reference: Any, kind: str) -> dict[str, Any]:
        """The resource a reference names; Unfit when it is not in the file."""
        found = self.of(kind).get(_name(reference))
        if found is None:
            said = reference.get("reference") if isinstance(reference, dict) else reference
            raise Unfit(f"refers to {said or 'no ' + kind}, which is not in the file")
        return found[1]


def _name(reference: Any) -> str:
    """The id in `Patient/ID`, `urn:uuid:ID` or an address."""
    text = str(reference.get("reference", "")) if isinstance(reference, dict) else ""
    return text.removeprefix("urn:uuid:").rpartition("/")[2]


def read(text: str) -> tuple[list[Found], list[str]]:
    """Residents and slings, and what was left out; ImportFault when a known resource is unfit."""
    resources, problems, found = _collect(text), list[str](), list[Found]()
    for where, device in resources.of("Device").values():
        _attempt(found, problems, where, partial(_sling, device))
    assessed = set[str]()
    for where, request in resources.of("ServiceRequest").values():
        if request.get("status") != "active":
            resources.left_out.append(f"{where}: status {request.get('status')}")
            continue
        assessed.add(_name(request.get("subject")))
        _attempt(found, problems, where, partial(_resident, resources, request))
    for name, (where, _) in resources.of("Patient").items():
        if name not in assessed:
            resources.left_out.append(f"{where}: no ServiceRequest says what was assessed")
    if problems:
        raise ImportFault(problems)
    return found, resources.left_out


def _attempt(
    found: list[Found],
    problems: list[str],
    where: str,
    make: Callable[[], ResidentSpec | SlingSpec],
) -> None:
    try:
        found.append(Found(where, make()))
    except (Unfit, ConfigError) as error:
        problems.append(f"{where}: {error}")
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        problems.append(f"{where}: not as FHIR R4 writes it ({error!r})")


# --- collecting ----------------------------------------------------------------------------------


def _collect(text: str) -> Resources:
    found = Resources()
    for where, raw in _raw(text):
        kind = raw.get("resourceType") if isinstance(raw, dict) else None
        if kind not in KNOWN:
            found.left_out.append(f"{where}: {kind or 'no resource'} is not used")
        else:
            found.of(kind)[str(raw.get("id") or where)] = (f"{where} ({kind})", raw)
    return found


def _raw(text: str) -> Iterator[tuple[str, Any]]:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        yield from _lines(text)
        return
    if isinstance(whole, dict) and whole.get("resourceType") == "Bundle":
        entries = whole.get("entry")
        for number, entry in enumerate(entries if isinstance(entries, list) else (), 1):
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if isinstance(resource, dict) and not resource.get("id"):
                resource = {**resource, "id": _name({"reference": entry.get("fullUrl", "")})}
            yield f"entry {number}", resource
    else:
        yield "resource 1", whole


def _lines(text: str) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield f"line {number}", json.loads(line)
            except (ValueError, RecursionError) as error:
                raise ImportFault(
                    [f"line {number}: not JSON ({error}); export it again"]
                ) from error


# --- single resources ----------------------------------------------------------------------------


def _extensions(resource: dict[str, Any]) -> dict[str, Any]:
    told = resource.get("extension") or ()
    return {item["url"].removeprefix(URN): item for item in told if item["url"].startswith(URN)}


def _kg(quantity: dict[str, Any]) -> float:
    unit = quantity.get("code") or quantity.get("unit")
    if unit != "kg":
        raise Unfit(f"{quantity.get('value')} {unit} is not in kg")
    return float(quantity["value"])


def _date(text: str) -> str:
    return str(text or "")[:DATE_CHARS]


def _value(extension: dict[str, Any], name: str) -> Any:
    value = extension[name]
    return _kg(value) if name == "valueQuantity" else value


def _identifier(patient: dict[str, Any]) -> str:
    values = [str(item["value"]) for item in patient.get("identifier") or () if item.get("value")]
    if not values:
        raise Unfit("its Patient has no identifier; the care record's own number is needed")
    return values[0]


def _label(patient: dict[str, Any]) -> str:
    for name in patient.get("name") or ():
        parts = [*name.get("given", ()), name.get("family", "")]
        text = str(name.get("text") or " ".join(part for part in parts if part))
        if text:
            return text
    return ""


def _resident(resources: Resources, request: dict[str, Any]) -> ResidentSpec:
    patient = resources.referred(request.get("subject"), "Patient")
    told: dict[str, Any] = {
        "identifier": _identifier(patient),
        "label": _label(patient),
        "assessor": str((request.get("requester") or {}).get("display", "")),
        "assessed": _date(request.get("authoredOn", "")),
        "expires": _date((request.get("occurrencePeriod") or {}).get("end", "")),
        "notes": " ".join(str(item["text"]) for item in request.get("note") or ()),
    }
    extensions = _extensions(request)
    for name, (key, kind) in ASSESSED.items():
        if name in extensions:
            told[key] = _value(extensions[name], kind)
    for name in ("carers", "limit"):
        if ASSESSED[name][0] not in told:
            raise Unfit(f"the extension {URN}{name} is missing; add it")
    devices = [item for item in request.get("supportingInfo") or ()
               if "Device/" in str(item.get("reference"))]  # fmt: skip
    if devices:
        told["sling"] = str(resources.referred(devices[0], "Device")["serialNumber"])
    weight = _weight(resources, patient)
    told |= {"token": "", "weight_kg": weight}
    found: ResidentSpec = build(ResidentSpec, told, "assessment")
    return found


def _weight(resources: Resources, patient: dict[str, Any]) -> float:
    """The newest body weight of this patient, 0 when there is none."""
    weights = [
        (str(item.get("effectiveDateTime", "")), _kg(item["valueQuantity"]))
        for _, item in resources.of("Observation").values()
        if any(code.get("code") == WEIGHT for code in item["code"].get("coding", ()))
        and _name(item["subject"]) == str(patient.get("id"))
    ]
    return max(weights, default=("", 0.0))[1]


def _sling(device: dict[str, Any]) -> SlingSpec:
    extensions = _extensions(device)
    size, swl = "", 0.0
    for item in device.get("property") or ():
        name = str((item.get("type") or {}).get("text", ""))
        if name == "size":
            size = str(item["valueCode"][0]["text"])
        elif name == "safe working load":
            swl = _kg(item["valueQuantity"][0])
    if not device.get("serialNumber"):
        raise Unfit("serialNumber is missing; write what stands on the sling's label")
    if not swl:
        raise Unfit("the property 'safe working load' is missing; add it in kg")
    dates = {
        name: _date(extensions[url]["valueDate"])
        for name, url in (("inspected", "inspected"), ("inspect_by", "inspect-by"))
        if url in extensions
    }
    told = {
        "serial": device["serialNumber"],
        "model": device.get("modelNumber", ""),
        "size": size,
        "swl_kg": swl,
        "withdrawn": device.get("status", "active") != "active",
        **dates,
    }
    found: SlingSpec = build(SlingSpec, told, "sling")
    return found
