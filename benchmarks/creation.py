"""Making an agency, against django-tenants' plain migrations of its schema.

Aim: a median of at most a third. The first agency under a set of migrations is migrated here too.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial

from benchmarks.bench import ready_platform

ROUNDS = 15


def main() -> None:
    with ready_platform():
        from tenants.services import create_agency

        first = took(lambda: create_agency(name="First", slug="first"))
        print(f"the first, which is migrated and recorded: {first * 1000:.0f} ms")
        ours, plain = [], []
        # Turn by turn, so that both meet the same noise.
        for number in range(ROUNDS):
            slug = f"own-{number}"
            ours.append(took(partial(create_agency, name=slug, slug=slug)))
            plain.append(took(partial(plainly_made, number)))
    medians = statistics.median(ours), statistics.median(plain)
    print(f"ours: {medians[0] * 1000:.0f} ms, plain: {medians[1] * 1000:.0f} ms (medians)")
    print(f"ratio {medians[0] / medians[1]:.2f} (aim 0.33)")


def plainly_made(number: int) -> None:
    """Make a row, a schema and its tables as django-tenants does."""
    from django.core.management import call_command
    from django.db import connection
    from django_tenants.management.commands.migrate_schemas import MigrateSchemasCommand

    from tenants.services import begin_agency, make_ready

    agency = begin_agency(name=f"Plain {number}", slug=f"plain-{number}")
    call_command(MigrateSchemasCommand(), tenant=True, schema_name=agency.schema_name, verbosity=0)
    connection.set_schema_to_public()  # type: ignore[attr-defined]
    make_ready(agency)


def took(call: Callable[[], object]) -> float:
    """Return the seconds that one call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
