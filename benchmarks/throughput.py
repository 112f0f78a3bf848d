"""Spends from 8 clients at once, through gunicorn as `./run` starts it, against the plain view.

Aims: our single posts at no less than 0.6 times the plain view's rate, though they lock, count a
key once, decide and keep the history; our batches at no less than 30 times its rows a second.
"""

import statistics
from collections.abc import Callable, Iterator
from random import Random

from benchmarks.bench import ready_platform
from benchmarks.serving import Poster, encoded, gunicorn, own_address, rate
from benchmarks.world import Spender, batches, make_world

CLIENTS = 8
ROUNDS = 9
POSTS = 240
BATCHES = 16


def main() -> None:
    own_address()
    with ready_platform("benchmarks.settings"):
        from benchmarks.plain_view import make_tables
        from tenants.contexts import tenant_context
        from tenants.queries import agency_by_slug

        key, some = make_world()
        agency = agency_by_slug("bench")
        assert agency is not None
        with tenant_context(agency):
            make_tables(some)
        with gunicorn():
            posters = [Poster(key) for _ in range(CLIENTS)]
            single, many = singles(some), batch_bodies(some)
            runs: dict[str, Callable[[], float]] = {
                "plain": lambda: rate(posters, "/api/plain/", lambda: next(single), POSTS),
                "single": lambda: rate(posters, "/api/spends/", lambda: next(single), POSTS),
                "batch": lambda: (
                    rate(posters, "/api/spends/batch/", lambda: next(many), BATCHES) * len(some)
                ),
            }
            rates: dict[str, list[float]] = {name: [] for name in runs}
            # Turn by turn, so that all meet the same noise; the first turn warms up.
            for number in range(ROUNDS + 1):
                for name, run in runs.items():
                    rows_a_second = run()
                    if number:
                        rates[name].append(rows_a_second)
    for name, found in rates.items():
        print(f"{name}: {statistics.median(found):.0f} rows a second")
    print(f"single posts to plain view: ratio {ratio(rates, 'single'):.2f} (aim 0.6)")
    print(f"rows of batches to plain view: ratio {ratio(rates, 'batch'):.1f} (aim 30)")


def ratio(rates: dict[str, list[float]], name: str) -> float:
    """Return the ratio of the medians: one turn alone meets whatever else the machine does."""
    return statistics.median(rates[name]) / statistics.median(rates["plain"])


def singles(some: list[Spender]) -> Iterator[bytes]:
    """Yield bodies that both views take, for a campaign drawn anew each time."""
    random = Random(2)
    while True:
        spender = random.choice(some)
        yield encoded(
            {
                "campaign": str(spender.campaign_id),
                "amount": "0.01",
                "spend_date": spender.day.isoformat(),
                "description": "an hour of a day",
            }
        )


def batch_bodies(some: list[Spender]) -> Iterator[bytes]:
    for rows in batches(some):
        yield encoded({"source": "google", "rows": rows})


if __name__ == "__main__":
    main()
