"""The checker counts what is lost, doubled and wrong, in journals and ledgers made by hand."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.crash.checker import Findings, Line, check
from tests.crash.expected import expected
from tests.crash.journal import Call, Heard, Journal, Kind, read_journals
from tests.crash.world import Agency, Campaign, Limits, Owner, World

TODAY = date(2026, 3, 2)
SEARCH = Campaign("search", "acme", ("search", "northwind"), TODAY)
SOCIAL = Campaign("social", "acme", ("social", "northwind"), TODAY)
WORLD = World(
    {"acme": Agency("acme", "agency_1", "key")},
    (SEARCH, SOCIAL),
    {
        "search": Owner("acme", "/api/campaigns/search/", Limits(daily=Decimal(50))),
        "social": Owner("acme", "/api/campaigns/social/", Limits()),
        "northwind": Owner("acme", "/api/brands/northwind/", Limits(monthly=Decimal(500))),
    },
)
RUNNING = {"search": "ACTIVE", "social": "ACTIVE"}


def spend(token: str, amount: str = "10.00", kind: Kind = Kind.SINGLE) -> Call:
    """A call that wants one row in the ledger."""
    body = {
        "campaign": "search",
        "amount": amount,
        "spend_date": str(TODAY),
        "spend_type": "DAILY",
        "description": token,
    }
    return Call(token, kind, "acme", "POST", "/api/spends/", body)


def line(token: str, amount: str = "10.00", **fields: Any) -> Line:
    """The entry of such a call."""
    known: dict[str, Any] = {
        "id": f"entry of {token}",
        "source": "live",
        "campaign": "search",
        "day": TODAY,
        "amount": Decimal(amount),
        "spend_type": "DAILY",
        "kind": "spend",
        "description": token,
        "reverses": None,
    }
    return Line(**known | fields)


def accepted(call: Call) -> Heard:
    """A call that was answered 201."""
    return Heard(call, [201], f"entry of {call.id}")


def statement(place: str, as_of: str, amount: str, **fields: Any) -> Heard:
    """What a source said of a campaign's day as of an hour."""
    body = {
        "source": "report",
        "as_of": f"2026-03-02T{as_of}:00+00:00",
        "rows": [{"campaign": place, "amount": amount, "spend_date": str(TODAY)}],
    }
    path = "/api/spends/batch/"
    call = Call(f"{place} {as_of}", Kind.RESTATEMENT, "acme", "POST", path, body | fields)
    return Heard(call, [201])


def restated(amount: str, campaign: str = "search") -> Line:
    """An entry with which a statement changed a figure."""
    return line("", amount, kind="restated", source="report", campaign=campaign)


def counted(
    journal: list[Heard], lines: list[Line], statuses: dict[str, str] = RUNNING
) -> dict[str, int]:
    """What the checker counts, without the zeros."""
    findings: Findings = check(expected(journal, WORLD), lines, statuses)
    return {name: count for name, count in findings.counts.items() if count}


def test_nothing_is_found_where_all_is_as_promised():
    journal = [accepted(spend("a")), accepted(spend("b"))]
    assert counted(journal, [line("a"), line("b")]) == {}


def test_a_row_that_was_answered_for_and_is_not_there_is_lost():
    journal = [accepted(spend("a")), accepted(spend("b"))]
    assert counted(journal, [line("b")]) == {"lost": 1}


def test_a_row_that_is_there_twice_is_doubled():
    assert counted([accepted(spend("a"))], [line("a"), line("a")]) == {"doubled": 1}


def test_each_row_of_a_batch_is_looked_for():
    rows = [spend("a/0").body, spend("a/1").body, spend("a/2").body]
    call = Call("a", Kind.BATCH, "acme", "POST", "/api/spends/batch/", {"rows": rows})
    lines = [line("a/0"), line("a/2"), line("a/2")]
    assert counted([accepted(call)], lines) == {"lost": 1, "doubled": 1}


def test_a_call_that_was_answered_only_at_its_second_attempt_counts_once():
    heard = Heard(spend("a"), [0, 200], "entry of a")
    assert counted([heard], [line("a")]) == {}
    assert counted([heard], []) == {"lost": 1}


@pytest.mark.parametrize(
    ("heard", "lines"),
    [
        (Heard(spend("a", kind=Kind.CONFLICT), [409]), [line("a")]),
        (accepted(spend("a")), [line("a", "11.00")]),
        (accepted(spend("a")), [line("a"), line("b")]),
        (Heard(spend("a"), [400]), []),
        (Heard(spend("a", kind=Kind.CONFLICT), [200]), [line("a")]),
        (Heard(spend("a"), [201, 409], "entry of a"), [line("a")]),
    ],
    ids=[
        "refused and stored",
        "another amount",
        "asked for by nobody",
        "refused for nothing",
        "accepted against the ledger",
        "accepted, then refused",
    ],
)
def test_what_is_neither_lost_nor_doubled_is_wrong(heard, lines):
    assert counted([heard], lines) == {"wrong": 1}


@pytest.mark.parametrize(("count", "found"), [(0, {"lost": 1}), (1, {}), (2, {"doubled": 1})])
def test_a_reversal_counts_once(count, found):
    reverse = Call("r", Kind.REVERSAL, "acme", "DELETE", "/api/spends/entry of a/")
    again = Call("s", Kind.REVERSAL, "acme", "DELETE", "/api/spends/entry of a/")
    journal = [accepted(spend("a")), Heard(reverse, [200]), Heard(again, [200])]
    back = line("Reverses a", "-10.00", kind="reversal", reverses="entry of a")
    assert counted(journal, [line("a"), *[back] * count]) == found


@pytest.mark.parametrize(
    ("amounts", "found"),
    [
        (["30.00", "-5.00"], {}),
        ([], {"lost": 1}),
        (["30.00"], {"lost": 1}),
        (["30.00", "-5.00", "-5.00"], {"doubled": 1}),
    ],
    ids=["the last word", "no word", "an earlier word", "a difference twice"],
)
def test_the_last_word_by_its_instant_is_what_the_entries_add_up_to(amounts, found):
    # The last to arrive is the oldest.
    journal = [
        statement("search", "10:00", "30.00"),
        statement("search", "12:00", "25.00"),
        statement("search", "09:00", "99.00"),
    ]
    assert counted(journal, [restated(amount) for amount in amounts]) == found


def test_what_a_complete_statement_does_not_list_is_nothing():
    campaigns = ["search", "social"]
    complete = {"from": str(TODAY), "to": str(TODAY), "campaigns": campaigns}
    journal = [
        statement("social", "10:00", "30.00"),
        statement("search", "12:00", "20.00", complete=complete),
        statement("social", "11:00", "40.00"),
    ]
    taken_back = [restated("30.00", "social"), restated("-30.00", "social"), restated("20.00")]
    assert counted(journal, taken_back) == {}
    late_counted = [*taken_back, restated("40.00", "social")]
    assert counted(journal, late_counted) == {"lost": 1}


@pytest.mark.parametrize(
    ("amount", "status", "found"),
    [
        ("49.99", "ACTIVE", {}),
        ("49.99", "PAUSED", {"wrongly held": 1}),
        ("50.00", "ACTIVE", {"wrongly running": 1}),
        ("50.00", "PAUSED", {}),
    ],
)
def test_a_campaign_runs_exactly_below_its_limit(amount, status, found):
    journal = [accepted(spend("a", amount))]
    assert counted(journal, [line("a", amount)], RUNNING | {"search": status}) == found


def test_a_limit_of_the_brand_holds_all_of_its_campaigns():
    call = Call(
        "l",
        Kind.LIMIT,
        "acme",
        "PATCH",
        "/api/brands/northwind/",
        {"daily_budget": "10.00", "monthly_budget": None},
    )
    journal = [accepted(spend("a")), accepted(call)]
    assert counted(journal, [line("a")]) == {"wrongly running": 2}


@pytest.mark.parametrize(("status", "found"), [("PAUSED", {"wrongly held": 1}), ("ACTIVE", {})])
def test_the_last_command_stands(status, found):
    commands = [
        Call(word, Kind.PAUSE, "acme", "PATCH", "/api/campaigns/search/", {"status": word})
        for word in ("PAUSED", "ACTIVE")
    ]
    assert counted(list(map(accepted, commands)), [], RUNNING | {"search": status}) == found


def test_a_call_without_an_answer_is_named_and_promises_nothing():
    promised = expected([Heard(spend("a"), [0, 500])], WORLD)
    assert (promised.unanswered, promised.rows) == (["a"], {})


def test_a_first_attempt_that_is_still_running_is_no_answer():
    keyed = Call("a", Kind.KEYED, "acme", "POST", "/api/spends/", {}, idempotency_key="a")
    assert not Heard(keyed, [0, 409]).is_answered


@pytest.fixture
def journal(tmp_path: Path) -> Callable[[], list[Heard]]:
    """Return a function that reads a journal in which one call was sent and not answered, then
    sent again and answered, and another was sent when everything ended."""
    path = tmp_path / "client-00"
    journal = Journal(path)
    journal.sends(spend("a"))
    journal.hears(spend("a"), 0, "")
    journal.sends(spend("a"))
    journal.hears(spend("a"), 201, "entry of a")
    journal.sends(spend("b"))
    journal.close()
    return lambda: read_journals([path])


def test_a_journal_tells_every_attempt(journal):
    assert journal() == [
        Heard(spend("a"), [0, 201], "entry of a"),
        Heard(spend("b"), [0], ""),
    ]
