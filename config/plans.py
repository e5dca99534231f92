"""The plan's data: residents' assessments and slings.

Role: their types and what makes one unusable; read from a site file or from the register beside the
ledger. Process: controller, CLI. Must never: let one carer be the default.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

MOST_KG = 500.0
MAX_CARERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentSpec:
    """A resident's assessment: what was found, by whom, and until when it holds.

    One carer is an entitlement that ends with `one_carer_until` and with `expires`, whichever comes
    first. Dates are ISO. "" and 0: not on record. `token` is random and means nothing elsewhere.
    """

    token: str
    label: str
    limit_kg: float
    one_carer_until: str = ""
    carers: int = 2
    sling: str = ""  # serial of the resident's sling, as scanned
    sling_swl_kg: float = 500.0  # where the sling itself is not on record
    sling_model: str = ""
    sling_size: str = ""
    weight_kg: float = 0.0
    mobility_class: str = ""  # a word of the site's own scale, such as A to E
    notes: str = ""
    assessor: str = ""
    assessed: str = ""
    expires: str = ""
    identifier: str = ""  # the care record's own number; never leaves the register


@dataclass(frozen=True, slots=True, kw_only=True)
class SlingSpec:
    """A sling and its inspections. Past `inspect_by`, or withdrawn, it begins no transfer (H36)."""

    serial: str
    model: str = ""
    size: str = ""
    swl_kg: float
    inspected: str = ""
    inspect_by: str = ""
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """Everything the plan of a transfer is made from, as one file beside the ledger holds it."""

    resident: tuple[ResidentSpec, ...] = ()
    sling: tuple[SlingSpec, ...] = ()


def is_date(text: str) -> bool:
    """YYYY-MM-DD and a day there is."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def faults(residents: Sequence[ResidentSpec], slings: Sequence[SlingSpec]) -> Iterator[str]:
    """Sentences, each naming the field and the remedy; none when all can be used."""
    for name, given in (
        ("token", [item.token for item in residents]),
        ("identifier", [item.identifier for item in residents if item.identifier]),
        ("serial", [item.serial for item in slings]),
    ):
        twice = sorted({value for value in given if given.count(value) > 1})
        yield from (f"{name} '{value}' is used twice; keep one" for value in twice)
    for resident in residents:
        where = f"resident {resident.identifier or resident.token}"
        yield from (f"{where}: {sentence}" for sentence in resident_faults(resident))
    for sling in slings:
        yield from (f"sling {sling.serial}: {sentence}" for sentence in sling_faults(sling))


def resident_faults(item: ResidentSpec) -> Iterator[str]:
    """What is wrong with one assessment."""
    if not item.label:
        yield "label is empty; write what the panel shall show"
    if not 1 <= item.carers <= MAX_CARERS:
        yield f"carers {item.carers} is not 1 to {MAX_CARERS}; write how many are needed"
    yield from _weights(limit_kg=item.limit_kg, sling_swl_kg=item.sling_swl_kg)
    if not 0 <= item.weight_kg <= MOST_KG:
        yield f"weight_kg {item.weight_kg:g} is outside 0 to {MOST_KG:g}; 0 is not on record"
    yield from _dates(
        one_carer_until=item.one_carer_until, assessed=item.assessed, expires=item.expires
    )
    if item.expires and item.expires < item.assessed:
        yield f"expires {item.expires} is before assessed {item.assessed}; correct one"


def sling_faults(item: SlingSpec) -> Iterator[str]:
    """What is wrong with one sling."""
    if not item.serial:
        yield "serial is empty; write what stands on its label"
    yield from _weights(swl_kg=item.swl_kg)
    yield from _dates(inspected=item.inspected, inspect_by=item.inspect_by)
    if item.inspect_by and item.inspect_by < item.inspected:
        yield f"inspect_by {item.inspect_by} is before inspected {item.inspected}; correct one"


def _weights(**given: float) -> Iterator[str]:
    for name, value in given.items():
        if not 0 < value <= MOST_KG:
            yield f"{name} {value:g} is outside 0 to {MOST_KG:g}; write kilograms"


def _dates(**given: str) -> Iterator[str]:
    for name, value in given.items():
        if value and not is_date(value):
            yield f"{name} '{value}' is no date; write YYYY-MM-DD"
