"""`python -m tests.zones`: every zone of the tz database, over every change of its clock."""

import sys

from tests.zones.proof import LONG, Proof

MISMATCHES_SHOWN_MAX = 20


def main() -> int:
    """Compare, print what was compared, and return 1 where something differs."""
    proof = Proof(LONG)
    for line in proof.lines():
        print(line, flush=True)
    for mismatch in proof.wrong[:MISMATCHES_SHOWN_MAX]:
        print(f"  {mismatch}")
    return 1 if proof.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
