"""A full disk: the recorder says why, no transfer begins, lowering stays possible."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.page import Broken
from tests.process.room import Room, lift_room
from tests.process.truth import wait

pytestmark = pytest.mark.process
SIZE = "96m"  # the gate's ring takes 32, the recorder wants 16 left
LOST = "recorder_lost"
REASONS = (os.strerror(errno.ENOSPC), os.strerror(errno.EFBIG), "disk")


class Disk:
    """A small file system; where mounting is forbidden, a file size limit on the recorder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
        try:
            self.mounted = subprocess.run(command, check=False).returncode == 0
        except FileNotFoundError:
            self.mounted = False

    def fill(self, recorder: int) -> None:
        """Nothing more can be written."""
        if not self.mounted:
            resource.prlimit(recorder, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            return
        with (self.folder / "filler").open("wb", buffering=0) as filler:
            for size in (1 << 16, 1 << 12):
                with contextlib.suppress(OSError):
                    while filler.write(b"x" * size):
                        pass

    def free(self, recorder: int) -> None:
        """Somebody cleaned up."""
        if self.mounted:
            (self.folder / "filler").unlink()
        else:
            whole = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.prlimit(recorder, resource.RLIMIT_FSIZE, whole)

    def close(self) -> None:
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Room, Disk]]:
    disk = Disk(tmp_path / "small")
    try:
        with lift_room(env={"LIFTCTL_DATA": str(disk.folder)}) as room:
            yield room, disk
    finally:
        disk.close()


def says_why(room: Room) -> bool:
    """A line of the recorder with the system's own reason."""
    lines = (room.ward.root / "log").read_text(encoding="utf-8").splitlines()
    return any("recorder" in line and any(why in line for why in REASONS) for line in lines)


def test_a_full_disk_keeps_lowering_possible_and_says_so(place: tuple[Room, Disk]) -> None:
    room, disk = place
    room.ready()
    recorder = room.pid("recorder")
    disk.fill(recorder)
    wait(lambda: says_why(room), f"the recorder to say why; {room.ward.tail()}", 30)
    room.page.until(lambda s: LOST in s["motions"]["UP"]["rows"], "the row to be active", 30)
    with pytest.raises(Broken, match="LC-RECORDER-LOST"):
        room.begin()
    room.page.press("UP")
    room.stays(0.5, "UP without a ledger")
    room.page.release()
    start = room.height
    room.page.hold("DOWN", lambda _: room.height <= start - 30, "DOWN with a full disk")
    room.standstill("letting go")
    disk.free(recorder)
    room.page.until(lambda s: LOST not in s["motions"]["UP"]["rows"], "the recorder to recover", 30)
    room.begin()
    room.page.until(lambda s: room.page.step_name == "checking", "a durable record")
