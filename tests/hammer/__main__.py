"""`python -m tests.hammer`: 32 writers on 1 brand and then on 50, a minute each, on own servers."""

import argparse
import sys

from benchmarks.bench import ready_platform


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.hammer", description=__doc__)
    parser.add_argument("--writers", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=60, help="for each number of brands")
    parser.add_argument("--brands", default="1,50", help="numbers of brands, with commas")
    parser.add_argument("--seed", type=int, default=1, help="decides what the writers choose")
    return parser.parse_args()


def main() -> int:
    """Return 0 if every run was right."""
    asked = arguments()
    is_right = True
    with ready_platform():
        from tenants.services import create_agency

        from .run import hammer

        for brands_count in map(int, asked.brands.split(",")):
            agency = create_agency(name="Hammer", slug=f"hammer-{brands_count}")
            result = hammer(
                agency,
                writers_count=asked.writers,
                brands_count=brands_count,
                seconds=asked.seconds,
                seed=asked.seed,
            )
            print(*result.lines(), sep="\n", flush=True)
            is_right &= result.is_right
    print("all right" if is_right else "WRONG")
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
