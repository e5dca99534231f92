"""Boot a User-Mode-Linux kernel, run one command in it, take its output and exit code.

Process: the bench. The guest's root is the host's, read-only, so that interpreter and project are
the same; it has vcan0, kernel slcan and nothing else. No privilege, no image, no network.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hil.orphan import ends_with_parent

PACKAGES = "user-mode-linux iproute2 kmod"
_INIT = Path(__file__).with_name("init.sh")
_ROOT = Path(__file__).resolve().parents[2]
_TOO_SMALL = "set fp regs failed"  # see hil.kernel.fxsave
_NO_AVX = (
    "glibc.cpu.hwcaps=-XSAVE,-XSAVEC,-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,"
    "-AVX_Fast_Unaligned_Load,-ERMS,-FSRM,-RTM"
)
_MARK = re.compile(r"^HIL-MARK (\w+) ([0-9.]+)\s*$", re.MULTILINE)
_EXIT = re.compile(r"^HIL-EXIT (\d+)\s*$", re.MULTILINE)
_FAIL = re.compile(r"^HIL-FAIL (.*?)\s*$", re.MULTILINE)


class KernelError(Exception):
    """No such kernel can run here; the message names the remedy."""


@dataclass(frozen=True, slots=True)
class Finished:
    """`marks`: guest seconds at which it had got somewhere; `wall_s` is the host's."""

    code: int
    output: str
    wall_s: float
    marks: dict[str, float] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


def has_can() -> bool:
    """Whether this machine's own kernel has CAN sockets."""
    return Path("/proc/net/can").is_dir()


def find_kernel() -> Path:
    """The installed kernel; raises KernelError naming the packages that are missing."""
    found = shutil.which("linux.uml")
    for tool, path in (("ip", "/usr/sbin:/sbin:/usr/bin:/bin"), ("insmod", "/usr/sbin:/sbin")):
        if found and shutil.which(tool, path=path) is None:
            found = None
    if found is None:
        raise KernelError(
            f"no User-Mode-Linux kernel with its tools; as root: apt-get install {PACKAGES}"
        )
    if not list(Path("/usr/lib/uml/modules").glob("*/kernel/net/can/can.ko")):
        raise KernelError("this User-Mode-Linux has no CAN modules; use Debian's user-mode-linux")
    return Path(found)


def run(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    files: Mapping[str, bytes] | None = None,
    timeout_s: float = 120.0,
    memory_mb: int = 384,
) -> Finished:
    """Run the command in a fresh kernel, in the project's folder.

    `files` are laid into the guest's $HIL_OUT; what the command leaves there comes back. Raises
    KernelError when the kernel cannot be found, does not boot or does not end in time.
    """
    kernel = find_kernel()
    with tempfile.TemporaryDirectory(prefix="liftctl-kernel-") as folder:
        shared = Path(folder) / "out"
        shared.mkdir()
        for name, data in (files or {}).items():
            (shared / name).write_bytes(data)
        (shared / "command.sh").write_text(_script(command, environment or {}), encoding="utf-8")
        finished = _boot([str(kernel)], Path(folder), timeout_s, memory_mb)
        if _TOO_SMALL in finished.output:
            around = [sys.executable, "-m", "hil.kernel.fxsave", str(kernel)]
            finished = _boot(around, Path(folder), timeout_s, memory_mb)
        left = {p.name: p.read_bytes() for p in shared.iterdir() if p.is_file()}
    left.pop("command.sh", None)
    return _judged(finished, left)


def _script(command: Sequence[str], environment: Mapping[str, str]) -> str:
    settings = {
        "OPENSSL_ia32cap": "0x0:0x0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
    } | dict(environment)
    lines = [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
    return "\n".join([*lines, f"cd {shlex.quote(str(_ROOT))}", shlex.join(command), ""])


def _boot(prefix: list[str], folder: Path, timeout_s: float, memory_mb: int) -> Finished:
    arguments = [
        f"mem={memory_mb}M", "root=none", "rootfstype=hostfs", "rootflags=/", "ro", "init=/bin/sh",
        f"hil_dir={folder / 'out'}", "con=null", "con0=fd:0,fd:1", "quiet", "panic=1",
        f"uml_dir={folder}/", f"GLIBC_TUNABLES={_NO_AVX}", "--", str(_INIT),
    ]  # fmt: skip
    environment = os.environ | {"HOME": str(folder), "TMPDIR": _memory()}
    began = time.monotonic()
    process = subprocess.Popen(
        [*prefix, *arguments],
        cwd=_ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        preexec_fn=ends_with_parent,  # noqa: PLW1509
    )
    try:
        output, _ = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        output = _ended(process)
        raise KernelError(
            f"the kernel did not end within {timeout_s:g} s; its last words: {_tail(output)}"
        ) from error
    except BaseException:
        _ended(process)
        raise
    found = _EXIT.search(output)
    marks = {name: float(at) for name, at in _MARK.findall(output)}
    code = int(found[1]) if found else -1
    return Finished(code, output, time.monotonic() - began, marks)


def _ended(process: subprocess.Popen[str]) -> str:
    """With all its helpers; what it had said."""
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.communicate()[0]


def _memory() -> str:
    """Where the guest's memory file may lie: it is mapped executable."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()  # noqa: S108


def _judged(finished: Finished, files: dict[str, bytes]) -> Finished:
    if finished.code < 0:
        raise KernelError(f"the kernel did not boot: {_tail(finished.output)}")
    if missing := _FAIL.findall(finished.output):
        raise KernelError(f"the kernel came up without: {', '.join(missing)}")
    begun = finished.output.rfind("HIL-MARK vcan0")
    text = finished.output[finished.output.index("\n", begun) + 1 :]
    end = _EXIT.search(text)
    said = text[: end.start()] if end else text
    return Finished(
        finished.code, said.replace("\r\n", "\n"), finished.wall_s, finished.marks, files
    )


def _tail(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return " | ".join(lines[-4:]) or "nothing"
