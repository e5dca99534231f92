"""Two contacts that are compared come together (H5, H11): half a pair is refused at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from config.profiles import Profile, load
from config.schema import ConfigError
from config.schema import load as load_site
from liftctl import accept
from tests.gate.room import SITES

SITE = load_site(SITES / "demo-lift.toml")


def with_signals(*signals: str) -> Profile:
    """The lift's I/O module with contacts in the place of its first keys."""
    profile = load("cia401_lift_io")
    first, *rest = profile.frame
    fields = list(first.field)
    for n, signal in enumerate(signals):
        fields[8 + n] = replace(fields[8 + n], signal=signal, key="")
    return replace(profile, frame=(replace(first, field=tuple(fields)), *rest))


@pytest.mark.parametrize(("signals", "said"), [
    (("rail_gate_a_closed", "rail_gate_b_closed"), ""),
    (("rail_gate_a_closed",), "'rail_gate_a_closed' and 'rail_gate_b_closed' are compared"),
    (("load_right_kg",), "'load_left_kg' and 'load_right_kg' are compared"),
    ((), ""),
])  # fmt: skip
def test_half_a_pair_is_refused(
    signals: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = with_signals(*signals)

    def known(name: str) -> Any:
        return made if name == "cia401_lift_io" else load(name)

    monkeypatch.setattr(accept, "load_profile", known)
    if not said:
        accept.check(SITE)
        return
    with pytest.raises(ConfigError, match=said):
        accept.check(SITE)
