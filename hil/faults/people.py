"""Faults at the buttons and of the page in front of the finger (L8, and the page's part of L9).

Role: keys that stick or bounce, pages that hang, links that die. Must never: count as a person's
will: what a stuck key asks for nobody asked for.
"""

from __future__ import annotations

from typing import Any

from hil.faults.kind import Args, Kind, Param, Proof, Running

PANELS = ("panel:1", "panel:2")


def _key_stuck(args: Args) -> Running:
    """Keys of the hand control are down without a finger."""
    keys = [key.lower() for key in args["keys"].split("+")]

    def proof(plane: Any) -> Proof:
        down = plane.now["plant"]["hand"]
        return {"hand": down} if down == sorted(keys) else None

    return Running(
        lambda plane: plane.command({"do": "hand", "keys": keys}),
        proof,
        lambda plane: plane.command({"do": "hand", "keys": []}),
        lambda plane: {"hand": []} if not plane.now["plant"]["hand"] else None,
    )


def _bounce(args: Args) -> Running:
    """A finger that trembles: the arrow is pressed and released again and again."""
    count = [0]
    station, motion, half_ns = args["station"], args["motion"], args["every"] // 2

    def tremble(plane: Any) -> None:
        if count[0] >= 2 * int(args["times"]):
            return
        if count[0] % 2:
            plane.release(station)
        else:
            plane.press(station, motion)
        count[0] += 1
        plane.at(half_ns, lambda: tremble(plane))

    def proof(_plane: Any) -> Proof:
        return {"edges": count[0]} if count[0] >= 3 else None

    return Running(tremble, proof, lambda plane: count.__setitem__(0, 1 << 30), proof)


def _page_hangs(args: Args) -> Running:
    """The browser hangs: it neither sees nor says anything, its link stays up."""

    def hang(plane: Any, on: bool) -> None:
        plane.page(args["station"]).frozen = on

    def proof(plane: Any) -> Proof:
        unsaid = plane.page(args["station"]).unsaid
        return {"beats_not_sent": unsaid} if unsaid >= 2 else None

    return Running(lambda plane: hang(plane, True), proof, lambda plane: hang(plane, False), proof)


def _link_dies(args: Args) -> Running:
    """The browser's socket closes; the panel process sees it."""

    def gone(plane: Any) -> Proof:
        return None if plane.page(args["station"]).alive else {"socket": "closed"}

    return Running(
        lambda plane: plane.page(args["station"]).leave(),
        gone,
        lambda plane: plane.page(args["station"]).come_back(),
        lambda plane: {"socket": "open"},
    )


STATION = {"station": Param("word", "panel:1", PANELS)}
KINDS = (
    Kind("L8.key_stuck", "keys of the hand control are down without a finger", _key_stuck,
         {"keys": Param("word")}),
    Kind("L8.bounce", "a button bounces", _bounce,
         {**STATION, "station": Param("word", "panel:1", (*PANELS, "hand")),
          "motion": Param("word"), "every": Param("time", "60 ms"), "times": Param("count", "5")}),
    Kind("L9.page_hangs", "the panel's page hangs with the finger on it", _page_hangs, STATION),
    Kind("L9.link_dies", "the link of a panel's page dies", _link_dies, STATION),
)  # fmt: skip
