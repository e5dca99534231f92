"""Why an order was refused: stable codes, and the sentence with the remedy.

Role: the one table of refusals of the remote protocol. Process: support, centre. Must never: lose a
code: the texts of `config/languages/` and what a centre has stored name them.
"""

from __future__ import annotations

REASONS = {
    "LC-REM-SIZE": "the document is larger than a site takes; send less",
    "LC-REM-FORM": "the document is not in the closed list of this version",
    "LC-REM-KEY": "signed by a key this site does not trust; enrol it on site",
    "LC-REM-SIGNATURE": "the signature does not belong to the document; it was changed or forged",
    "LC-REM-ROLE": "the key that signed has another role; the right person has to sign",
    "LC-REM-OTHER": "the document is for another controller",
    "LC-REM-EXPIRED": "the document has expired; sign a new one",
    "LC-REM-EARLY": "the document is from the future; check the clocks of site and signer",
    "LC-REM-LONG": "the document is valid for too long; sign one that expires sooner",
    "LC-REM-REPLAY": "this document was here before; sign a new one",
    "LC-REM-VERSION": "the version is not newer than the newest seen; count up, also to go back",
    "LC-REM-BASE": "made for another configuration than the one in force; look at it again",
    "LC-REM-KEYS": "this is not changed from afar; do it on site",
    "LC-REM-SAME": "it changes nothing",
    "LC-REM-RANGE": "a number is outside its bounds",
    "LC-REM-STOP": "a stopping distance would be above its limit",
    "LC-REM-CHECK": "the configuration would not be accepted on site either",
    "LC-REM-TWO": "numbers that touch safety need two people: one proposes, another approves",
    "LC-REM-FALLBACK": "the last accepted configuration runs; repair the site's file on site first",
    "LC-REM-BUSY": "an earlier proposal was confirmed on site; wait for the end of its trial",
    "LC-REM-GRANT": "the room has not granted this, or the grant is over",
    "LC-REM-RECORDER": "it cannot be recorded now; nothing is done that is not in the ledger",
    "LC-REM-REFUSED": "somebody on site said no",
    "LC-REM-IDLE": "only while nothing moves, nobody hangs and no transfer runs",
    "LC-REM-NAME": "say who you are; it is recorded",
    "LC-REM-GATE": "the gate did not take it; the last good configuration is back",
    "LC-REM-DISK": "it could not be written; nothing was changed",
    "LC-REM-UNHEALTHY": "nobody on site found it good in time; the last good one is back",
    "LC-REM-STEP": "this is not asked now, or not any more; look at what is shown",
    "LC-REM-MANY": "more orders than a site takes; it takes one a minute now",
}
"""Code -> sentence. The part after a colon is added where a field or a number has to be named."""


class Refusal(Exception):
    """An order that is not followed. `code` is in REASONS."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        self.text = f"{REASONS[code]}: {detail}" if detail else REASONS[code]
        super().__init__(self.text)
