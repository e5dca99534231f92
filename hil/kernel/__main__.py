"""`python -m hil.kernel COMMAND...`: a command inside a fresh kernel, where vcan0 is up.

Exit codes: of the command; 2 when no kernel can run. The smoke check and scenarios in there are
`liftctl hil run --plane socketcan`.
"""

from __future__ import annotations

import argparse
import sys

from hil.kernel.uml import KernelError, run


def main() -> int:
    """See the module's first line."""
    parser = argparse.ArgumentParser(prog="python -m hil.kernel")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    if not given.command:
        parser.error("name a command to run in there")
    try:
        finished = run(given.command)
    except KernelError as error:
        sys.stderr.write(f"kernel: {error}\n")
        return 2
    sys.stdout.write(finished.output)
    return finished.code


if __name__ == "__main__":
    sys.exit(main())
