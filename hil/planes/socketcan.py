"""The plane `socketcan`: scenarios through the CAN of a real kernel, and the smoke check.

Role: decides whose kernel: the machine's own where it has CAN and the interface is virtual, then
the real processes run on it in real time; else a kernel that the bench boots, in virtual time.
Must never: run scenarios on an interface with a wire behind it (that is the plane `hardware`), or
call a smoke passed that never saw bus-off.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from hil.faces.python_can import Where
from hil.judge.ward import SITES, WardUnderTest
from hil.kernel.smoke import Smoke, available, own_kernel_smoke, smoke
from hil.kernel.uml import has_can
from hil.planes import Runner, Unavailable
from hil.planes.wards import Processes
from hil.timeline import Result, Timeline, Verdict

DEFAULT = "socketcan:vcan0"
SITE = Path(__file__).resolve().parents[2] / "config" / "sites"


def channel_of(adapter: str) -> str:
    """The interface; Unavailable when another kind of adapter was named."""
    where = Where.parse(adapter or DEFAULT)
    if where.interface != "socketcan":
        raise Unavailable(f"{where}: this plane is the kernel's CAN; use --plane hardware for it")
    return where.channel


def own(channel: str) -> bool:
    """Whether this machine's kernel has CAN and this interface; Unavailable when it is a wire."""
    if not has_can() or not Path("/sys/class/net", channel).exists():
        return False
    if (kind := _kind(channel)) not in ("vcan", "vxcan"):
        raise Unavailable(
            f"{channel} is {kind or 'of a kind that ip cannot tell'}, not vcan: there may be a "
            "wire behind it; use --plane hardware"
        )
    return True


def _kind(channel: str) -> str:
    words = ["ip", "-json", "-details", "link", "show", "dev", channel]
    try:
        told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        return str(json.loads(told)[0]["linkinfo"]["info_kind"])
    except (OSError, subprocess.SubprocessError, ValueError, LookupError):
        return ""


def runner(adapter: str, frames: bool) -> Runner:
    """Of the machine's own kernel, or of one that is booted; KernelError when there is neither."""
    channel = channel_of(adapter)
    if own(channel):
        return OnVcan(channel)
    from hil.kernel.scenarios import Booted

    return Booted(frames)


class OnVcan(Processes):
    """The real processes, gate and guard on kernel sockets, the simulated devices bridged to it."""

    name = "socketcan"

    def __init__(self, channel: str) -> None:
        super().__init__()
        self.channel = channel

    def ward(self, rig: str) -> WardUnderTest:
        """Its site's motion bus is the kernel's interface."""
        ward = WardUnderTest(rooms=(rig,), adapters={rig: ("socketcan", self.channel, 500_000)})
        text = (SITE / f"{SITES[rig]}.toml").read_text("utf-8")
        ward.sites[rig] = ward.root / "site.toml"
        ward.sites[rig].write_text(
            text.replace(f'port = "vbus:{rig}"', f'port = "socketcan:{self.channel}"'), "utf-8"
        )
        return ward


def smokes(adapter: str) -> list[tuple[str, Smoke]]:
    """(whose kernel, what came of it): the machine's own where it can, a booted one for the rest;
    KernelError when there is neither.
    """
    channel = channel_of(adapter)
    found = [("own", own_kernel_smoke(channel))] if own(channel) else []
    if not found or not available():
        found.append(("booted", smoke()))
    return found


def result(kernel: str, found: Smoke, every: list[Smoke]) -> tuple[Result, Timeline]:
    """A smoke as a run of the report; it is inconclusive if no kernel was thrown off its bus."""
    line = Timeline()
    for step in found.steps:
        line.add(step.at_ms * 1_000_000, "meta", "mark", name=step.name, said=step.facts)
    reasons = [found.why] if found.why else []
    verdict = Verdict.PASS if found.passed else Verdict.FAIL
    if found.passed and not any("bus-off" in item.needed for item in every):
        verdict, reasons = Verdict.INCONCLUSIVE, [f"bus-off was not tried: {available()}"]
    first = {"name": "boot to first frame", "value": float(found.first_frame_ms), "unit": "ms"}
    told = Result(
        id=f"SMOKE-{kernel}-kernel", title=f"Gate and room through the CAN of the {kernel} kernel",
        verdict=verdict, hazards=("H23",), plane="socketcan", reasons=tuple(reasons),
        measurements=(first | {"min": None, "max": None, "passed": True},) * found.passed,
        timeline_hash=line.hash(), simulated_s=found.wall_s,
    )  # fmt: skip
    return told, line
