"""`python -m tests.simulate --agencies 20 --days 40`: a month and a half over the real services.

It starts PostgreSQL and Valkey unless DATABASE_URL and REDIS_URL name others, and makes a database
of its own there, which it drops in the end.
"""

import argparse
import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import psycopg

from tests.servers import end_in_order_when_terminated, servers

# Two month ends lie in the forty days from it, and the spring of Europe and both Americas.
START = "2026-02-26T12:00"
MISMATCHES_SHOWN_MAX = 20


def main() -> int:
    """Simulate, print the figures, and return 1 where something differs from the model."""
    end_in_order_when_terminated()
    arguments = _arguments()
    with servers() as variables:
        os.environ.update(variables)
        with own_database(os.environ["DATABASE_URL"]) as url:
            os.environ.update({"DATABASE_URL": url, "LOG_LEVEL": "ERROR"})
            return _simulate(arguments)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulate", description=__doc__)
    parser.add_argument("--agencies", type=int, default=20)
    parser.add_argument("--days", type=int, default=40)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--start", default=START, help="an instant of UTC")
    return parser.parse_args()


@contextmanager
def own_database(url: str) -> Iterator[str]:
    """Make an empty database beside the one that the URL names; yield its URL, and drop it."""
    name = f"simulate_{secrets.token_hex(6)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlsplit(url)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _simulate(arguments: argparse.Namespace) -> int:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
    connection.set_schema_to_public()  # type: ignore[attr-defined]
    from tests.simulate.simulation import Simulation

    began = time.monotonic()
    start = datetime.fromisoformat(arguments.start).replace(tzinfo=UTC)
    print(
        f"seed {arguments.seed}: {arguments.agencies} agencies, {arguments.days} days from {start}"
    )
    simulation = Simulation(agencies=arguments.agencies, start=start, seed=arguments.seed)
    for day in simulation.run(start + timedelta(days=arguments.days)):
        figures = simulation.figures
        print(
            f"  {day:%Y-%m-%d}: {figures.steps} steps, mismatches {len(figures.wrong)}", flush=True
        )
        if figures.wrong:
            break
    figures = simulation.close()
    for sentence in figures.wrong[:MISMATCHES_SHOWN_MAX]:
        print(f"  {sentence}")
    print(
        f"seed {arguments.seed}: {figures.steps} steps, {figures.sweeps} sweeps,"
        f" {figures.decisions} decisions, {figures.changes} changes of status,"
        f" mismatches {len(figures.wrong)} ({time.monotonic() - began:.0f} s)"
    )
    return 1 if figures.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
