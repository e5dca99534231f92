"""Faults of processes and of the computer they run on (L9).

Role: death, freezing, late turns, full disks, slow or lost messages. Must never: change what a
process decides.
"""

from __future__ import annotations

from typing import Any

from hil.faults.kind import EVERYWHERE, Args, Kind, Param, Proof, Running

PROCESSES = ("gate", "guard", "controller", "recorder", "panel")
TURNING = ("gate", "guard", "controller", "recorder")
FROZEN_NS = 100_000_000


def _kill(args: Args) -> Running:
    name, back = args["process"], bool(args["restart"])
    return Running(
        lambda plane: plane.kill(name, back),
        lambda plane: plane.dead(name),
        lambda plane: None if plane.dead(name) is None else plane.restart(name),
        lambda plane: {"running": name} if plane.dead(name) is None else None,
    )


def _freeze(args: Args) -> Running:
    name = args["process"]
    return Running(
        lambda plane: plane.freeze(name),
        lambda plane: plane.silent(name, FROZEN_NS),
        lambda plane: plane.thaw(name),
        lambda plane: {"turns": name} if plane.silent(name, FROZEN_NS) is None else None,
    )


def _late(args: Args) -> Running:
    """One turn comes late: a busy computer, a garbage collection."""
    name, by_ns = args["process"], args["by"]

    def start(plane: Any) -> None:
        plane.peers[name].late_ns = by_ns

    def proof(plane: Any) -> Proof:
        gap_ns: int = plane.peers[name].longest_ns
        return {"gap_ms": gap_ns / 1e6} if gap_ns >= by_ns else None

    return Running(start, proof, lambda plane: None, proof)


def _disk_full(_args: Args) -> Running:
    def healthy(plane: Any, value: bool) -> None:
        plane.recorder.healthy = value

    def told(wanted: bool) -> Any:
        def proof(plane: Any) -> Proof:
            return {"recorder_says_healthy": wanted} if plane.recorder.told is wanted else None

        return proof

    return Running(
        lambda plane: healthy(plane, False), told(False),
        lambda plane: healthy(plane, True), told(True),
    )  # fmt: skip


def _messages_lost(args: Args) -> Running:
    way = (args["sender"], args["receiver"])
    before: list[int] = []

    def start(plane: Any) -> None:
        before.append(plane.post.lost)
        plane.post.cut.add(way)

    def proof(plane: Any) -> Proof:
        lost = plane.post.lost - before[0]
        return {"messages": lost} if lost >= 3 else None

    return Running(start, proof, lambda plane: plane.post.cut.discard(way),
                   lambda plane: {"messages": plane.post.lost - before[0]})  # fmt: skip


def _messages_late(args: Args) -> Running:
    way = (args["sender"], args["receiver"])

    def start(plane: Any) -> None:
        plane.post.delay_ns[way] = args["by"]

    def proof(plane: Any) -> Proof:
        late = plane.post.delayed.get(way, 0)
        return {"messages": late} if late >= 3 else None

    return Running(start, proof, lambda plane: plane.post.delay_ns.pop(way), proof)


SENDERS = (*PROCESSES[:-1], "panel:1", "panel:2")
WAY = {"sender": Param("word", None, SENDERS), "receiver": Param("word", None, PROCESSES)}
KINDS = (
    Kind("L9.kill", "a process dies; the supervisor starts it again", _kill,
         {"process": Param("word", None, PROCESSES), "restart": Param("bool", True)}, EVERYWHERE),
    Kind("L9.freeze", "a process is stopped (SIGSTOP) and goes on later", _freeze,
         {"process": Param("word", None, TURNING)}, EVERYWHERE),
    Kind("L9.late", "one turn of a process comes late", _late,
         {"process": Param("word", "gate", TURNING), "by": Param("time")}),
    Kind("L9.disk_full", "the recorder cannot write", _disk_full),
    Kind("L9.messages_lost", "messages between two processes are lost", _messages_lost, WAY),
    Kind("L9.messages_late", "messages between two processes come late", _messages_late,
         {**WAY, "by": Param("time")}),
)  # fmt: skip
