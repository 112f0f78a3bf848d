"""What is cheap to send is cheap to answer: limits come before the work; answers have an end."""

import json

import pytest

from api import rows
from api.parsers import FIELDS_IN_ALL_MAX, FIELDS_MAX
from api.resources.batches import ERRORS_SHOWN_MAX
from budgets.models import SpendEntry
from kernel.tables import BLANK_LINES_MAX
from tests.conftest import make_brand, make_campaign

BATCH = "/api/spends/batch/"


@pytest.fixture
def looked_at(monkeypatch):
    """How many rows were read."""
    seen = []
    read = rows.RowReader.read

    def noted(self, row):
        seen.append(row)
        return read(self, row)

    monkeypatch.setattr(rows.RowReader, "read", noted)
    return seen


def test_an_object_of_very_many_fields_is_refused_whole(acme, api):
    body = json.dumps({f"field{number}": 1 for number in range(200_000)})
    for path in ("/api/brands/", "/api/spends/", BATCH):
        answer = api("manager").generic("POST", path, body, "application/json")
        assert answer.status_code == 400
        assert f"more than {FIELDS_IN_ALL_MAX:,} fields" in answer.json()["detail"]
        assert len(answer.content) < 500


def test_an_object_of_more_fields_than_any_has_is_refused(acme, api):
    body = {f"field{number}": 1 for number in range(FIELDS_MAX + 1)}
    answer = api("manager").post("/api/spends/", body, "application/json")
    assert answer.status_code == 400
    assert f"more than {FIELDS_MAX} fields" in answer.json()["detail"]


def test_the_largest_batch_that_means_something_is_read(acme, api):
    campaign = str(make_campaign(make_brand()).id)
    row = {
        "campaign": campaign, "amount": "1", "spend_date": "2026-03-01", "spend_type": "DAILY",
        "description": "d", "currency": "USD", "as_of": "2026-03-02T08:00:00Z",
        "correction": False, "additional": True,
    }  # fmt: skip
    rows_ = [row | {"external_id": f"k{number}"} for number in range(10_000)]
    body = {"mode": "restate", "source": "s", "rows": rows_}
    answer = api("manager").post(BATCH, body, "application/json")
    # Each of the rows is looked at: all are about one place.
    assert answer.status_code == 422
    assert "fields" not in json.dumps(answer.json())


def test_as_many_fields_as_are_allowed_are_each_named(acme, api):
    body = {f"field{number}": 1 for number in range(FIELDS_MAX)}
    answer = api("manager").post("/api/spends/", body, "application/json")
    assert answer.status_code == 400
    assert set(body) <= set(answer.json())


@pytest.mark.parametrize("unknown", [1, 50, 150])
def test_a_batch_is_read_up_to_its_hundredth_error(acme, api, looked_at, unknown):
    campaign = str(make_campaign(make_brand()).id)
    good = {"campaign": campaign, "amount": "1", "spend_date": "2026-03-01"}
    bad = good | {f"field{number}": 1 for number in range(unknown)}
    answer = api("manager").post(BATCH, {"rows": [good, *[bad] * 500]}, "application/json")
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == ERRORS_SHOWN_MAX
    assert answer.json()["detail"] == "These are the first 100 errors; there may be more."
    assert len(looked_at) == 1 + -(-ERRORS_SHOWN_MAX // unknown)
    assert len(answer.content) < 20_000
    assert not SpendEntry.objects.exists()


def test_fewer_errors_are_all_there_are(acme, api):
    campaign = str(make_campaign(make_brand()).id)
    good = {"campaign": campaign, "amount": "1", "spend_date": "2026-03-01"}
    rows_ = [good] * 50 + [good | {"amount": "x"}] * 99
    answer = api("manager").post(BATCH, {"rows": rows_}, "application/json")
    assert (len(answer.json()["errors"]), "detail" in answer.json()) == (99, False)


def test_errors_that_only_the_service_finds_have_an_end_too(acme, api):
    campaign = str(make_campaign(make_brand()).id)
    late = {"campaign": campaign, "amount": "1", "spend_date": "2199-03-01"}
    answer = api("manager").post(BATCH, {"rows": [late] * 500}, "application/json")
    assert answer.status_code == 422
    assert (len(answer.json()["errors"]), "detail" in answer.json()) == (ERRORS_SHOWN_MAX, True)


def test_millions_of_blank_lines_are_not_read_to_their_end(acme, api):
    campaign = str(make_campaign(make_brand()).id)
    head, row = "campaign,amount,spend_date\n", f"{campaign},1,2026-03-01\n"
    blank = "\n" * (BLANK_LINES_MAX + 1)
    for body in (head + row + blank, blank + head + row, head + blank + row):
        answer = api("manager").generic("POST", BATCH, body, "text/csv")
        assert answer.status_code == 400
        assert "blank lines" in json.dumps(answer.json())
    some = head + "\n" * 1000 + row + "\n" * 1000
    assert api("manager").generic("POST", BATCH, some, "text/csv").status_code == 201
