"""A batch of 1,000 rows through gunicorn, against a bare `COPY` of the same rows.

The table of the COPY has the ledger's columns and indexes. Aim: at least 1/6 of its rows a second,
though every row is read, checked, counted once, added to the totals above it and decided on. Then
where the rest of the time goes, measured around the product's own functions in this process.
"""

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Any
from unittest import mock

from benchmarks.bench import ready_platform
from benchmarks.serving import PORT, Poster, encoded, gunicorn, own_address
from benchmarks.world import Spender, batches, make_world

ROUNDS = 60
PATH = "/api/spends/batch/"


def main() -> None:
    own_address()
    with ready_platform("benchmarks.settings"):
        from tenants.contexts import tenant_context
        from tenants.queries import agency_by_slug

        key, some = make_world()
        agency = agency_by_slug("bench")
        assert agency is not None
        rows = batches(some)
        with gunicorn(), tenant_context(agency):
            make_table()
            poster, ours, bare = Poster(key), [], []
            # Turn by turn, so that both meet the same noise; the first turns warm up.
            for number in range(ROUNDS + 4):
                batch = next(rows)
                took = poster.post(PATH, encoded({"source": "google", "rows": batch}))
                copied = copy(some, batch)
                if number >= 4:
                    ours.append(took)
                    bare.append(copied)
        batch_ms, copy_ms = statistics.median(ours) * 1000, statistics.median(bare) * 1000
        print(f"batch of {len(some)}: {batch_ms:.1f} ms, bare COPY: {copy_ms:.1f} ms")
        print(f"rows a second to COPY's: ratio 1/{batch_ms / copy_ms:.1f} (aim 1/6)")
        print_shares(key, rows)


def make_table() -> None:
    from benchmarks.world import execute_as_owner

    execute_as_owner("CREATE TABLE bare_entry (LIKE budgets_spendentry INCLUDING ALL)")


def copy(some: list[Spender], batch: list[dict[str, Any]]) -> float:
    """Copy the rows as the ledger would store them; return the seconds until the commit."""
    from django.db import connection, transaction

    from kernel import clock
    from kernel.ids import uuid7

    spenders = {str(spender.campaign_id): spender for spender in some}
    now = clock.read()
    entries = [
        {
            "id": uuid7(),
            "budget_id": spenders[row["campaign"]].budget_id,
            "brand_id": spenders[row["campaign"]].brand_id,
            "day": row["spend_date"],
            "amount": row["amount"],
            "spend_type": "DAILY",
            "kind": "spend",
            "source": "google",
            "corrects_source": "",
            "key": row["external_id"],
            "description": row["description"],
            "reverses_id": None,
            "recorded_at": now,
            "recorded_by_kind": "key",
            "recorded_by_id": "",
            "recorded_by_label": "API key bench",
        }
        for row in batch
    ]
    names = ", ".join(entries[0])
    values = [tuple(entry.values()) for entry in entries]
    start = time.perf_counter()
    with (
        transaction.atomic(),
        connection.cursor() as cursor,
        cursor.copy(f"COPY bare_entry ({names}) FROM STDIN") as to,
    ):
        for value in values:
            to.write_row(value)
    return time.perf_counter() - start


def print_shares(key: str, rows: Iterator[list[dict[str, Any]]]) -> None:
    """Print where a batch's time goes: each step without the steps inside it."""
    from django.test import Client

    # It sets up the garbage collector as the workers have it.
    import_module("config.wsgi")
    client = Client(HTTP_HOST=f"bench.localhost:{PORT}", HTTP_AUTHORIZATION=f"Api-Key {key}")
    spent: dict[str, float] = defaultdict(float)
    wholes: list[float] = []
    with measured(spent) as step:
        for number in range(ROUNDS // 2 + 2):
            if number == 2:
                spent.clear()
                wholes.clear()
            body = encoded({"source": "google", "rows": next(rows)})
            start = time.perf_counter()
            answer = step(
                "request and answer", lambda body=body: client.post(PATH, body, "application/json")
            )
            wholes.append(time.perf_counter() - start)
            assert answer.status_code == 201, answer.content
    print(f"one batch in this process: {statistics.median(wholes) * 1000:.1f} ms, of which")
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"  {name}: {seconds / sum(wholes):.0%}")


@contextmanager
def measured(spent: dict[str, float]) -> Iterator[Callable[..., Any]]:
    """Measure the steps of a batch into `spent`, as long as the context stands."""
    from api.parsers import StrictJSONParser
    from api.resources import batches as api
    from budgets import ledger, sources, totals
    from campaigns import crossings, enforcement, judgement
    from campaigns.services import spend

    steps: dict[str, list[tuple[Any, str]]] = {
        "parse": [(StrictJSONParser, "parse")],
        "validate": [(api.Batch, "__init__"), (spend, "_bad_rows")],
        "lock": [(sources, "claim"), (spend, "lock_brands_of"), (spend, "find_spenders")],
        "insert": [(ledger, "append")],
        "totals": [(totals, "raise_totals")],
        "facts": [(crossings, "_turned_budgets"), (judgement, "campaign_facts")],
        "decide": [(spend, "enforce_after_spend"), (enforcement, "judge")],
        "holds": [(enforcement, "apply"), (enforcement, "_remember_checks")],
        "rest of the service": [(api, "record_spends")],
    }
    inner = [0.0]

    def step(name: str, call: Callable[[], Any]) -> Any:
        inner.append(0.0)
        start = time.perf_counter()
        try:
            return call()
        finally:
            took = time.perf_counter() - start
            spent[name] += took - inner.pop()
            inner[-1] += took

    with ExitStack() as stack:
        for name, places in steps.items():
            for place, attribute in places:
                stack.enter_context(
                    mock.patch.object(place, attribute, _timed(step, name, place, attribute))
                )
        yield step


def _timed(step: Callable[..., Any], name: str, place: Any, attribute: str) -> Callable[..., Any]:
    original = getattr(place, attribute)

    def timed(*args: Any, **kwargs: Any) -> Any:
        return step(name, lambda: original(*args, **kwargs))

    return timed


if __name__ == "__main__":
    main()
