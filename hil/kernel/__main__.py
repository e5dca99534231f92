"""`python -m hil.kernel smoke`, or `python -m hil.kernel run COMMAND...` inside a fresh kernel.

Exit codes: of the command; for smoke 0 only if all of it held, 1 if not; 2 when no kernel can run.
"""

from __future__ import annotations

import argparse
import sys

from hil.kernel.smoke import smoke, tell
from hil.kernel.uml import KernelError, run


def main() -> int:
    """See the module's first line."""
    parser = argparse.ArgumentParser(prog="python -m hil.kernel")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("smoke", help="frame, gate and room, bus-off and recovery on real sockets")
    inside = verbs.add_parser("run", help="a command in the guest; vcan0 is up there")
    inside.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    try:
        if given.verb == "smoke":
            found = smoke()
            tell(found, lambda line: sys.stdout.write(line + "\n"))
            return 0 if found.passed else 1
        if not given.command:
            parser.error("run needs a command")
        finished = run(given.command)
    except KernelError as error:
        sys.stderr.write(f"kernel: {error}\n")
        return 2
    sys.stdout.write(finished.output)
    return finished.code


if __name__ == "__main__":
    sys.exit(main())
