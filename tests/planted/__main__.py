"""`python -m tests.planted`: plants each bug in turn, and prints which test caught it."""

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from .mutations import MUTATIONS, CanNotPlant, Mutation
from .planting import CanNotJudge, judge


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time (2)")
    parser.add_argument("-k", default="", help="only those whose meaning contains these words")
    return parser.parse_args()


def told(mutation: Mutation) -> tuple[bool, str]:
    """Return whether a bug was caught, and a line about it."""
    try:
        verdict = judge(mutation)
    except (CanNotPlant, CanNotJudge) as error:
        return False, f"ERROR   {mutation.means}: {error}"
    if verdict.caught_by is None:
        return False, f"MISSED  {mutation.means} ({mutation.path})"
    return True, f"caught  {mutation.means}\n        by {verdict.caught_by}"


def main() -> int:
    """Return 0 if every bug was caught."""
    asked = arguments()
    chosen = [mutation for mutation in MUTATIONS if asked.k in mutation.means]
    started = time.monotonic()
    with ThreadPoolExecutor(asked.jobs) as pool:
        clean = pool.submit(judge, None)
        verdicts = pool.map(told, chosen)
        # If the tests fail by themselves, they have caught nothing.
        if (failed := clean.result().caught_by) is not None:
            pool.shutdown(cancel_futures=True)
            print(f"{failed} fails without a planted bug")
            return 1
        caught = 0
        for is_caught, line in verdicts:
            print(line, flush=True)
            caught += is_caught
    took = time.monotonic() - started
    print(f"caught {caught} of {len(chosen)} in {took:.0f} s")
    return 0 if caught == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
