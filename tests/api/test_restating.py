"""What a source reports for a day replaces what it said of it, in either direction."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from budgets.models import SourceFigure, SpendEntry
from campaigns.audit import audit
from campaigns.models import Campaign
from campaigns.services import campaigns
from kernel import clock
from tests.conftest import ANN, make_brand, make_campaign

PATH = "/api/spends/batch/"
DAY = "2026-03-01"
MORNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def client(acme, api):
    return api("manager")


@pytest.fixture
def campaign(acme):
    return make_campaign(make_brand())


@pytest.fixture(autouse=True)
def the_books_agree(acme):
    yield
    assert audit().violations == []


def row(campaign, amount, /, **fields):
    return {"campaign": str(campaign.id), "amount": amount, "spend_date": DAY} | fields


def report(client, rows, *, hours=0, source="google", **fields):
    as_of = (MORNING + timedelta(hours=hours)).isoformat()
    body = {"mode": "restate", "source": source, "as_of": as_of, "rows": rows} | fields
    return client.post(PATH, json.dumps(body), content_type="application/json")


def spent():
    return {f"{entry.amount.normalize():f}" for entry in SpendEntry.objects.all()}


def total():
    return sum(entry.amount for entry in SpendEntry.objects.all())


def test_the_difference_to_what_was_said_is_appended(client, campaign):
    first = report(client, [row(campaign, "100")])
    assert (first.status_code, first.json()["recorded"]) == (201, 1)
    second = report(client, [row(campaign, "80.5")], hours=1)
    assert second.json()["restated"] == [
        {
            "campaign": str(campaign.id),
            "spend_date": DAY,
            "spend_type": "DAILY",
            "before": "100",
            "after": "80.5",
        }
    ]
    assert spent() == {"100", "-19.5"}


def test_an_older_statement_is_stale_and_the_same_is_known(client, campaign):
    report(client, [row(campaign, "100")], hours=2)
    older = report(client, [row(campaign, "50")], hours=1)
    assert (older.status_code, older.json()["stale"]) == (200, 1)
    again = report(client, [row(campaign, "100")], hours=2)
    assert (again.status_code, again.json()["duplicates"]) == (200, 1)
    assert total() == 100


def test_the_same_instant_with_another_amount_is_a_conflict(client, campaign):
    report(client, [row(campaign, "100")])
    answer = report(client, [row(campaign, "101")])
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "amount")
    assert total() == 100


def test_what_a_complete_statement_does_not_list_is_nothing(client, campaign):
    other = make_campaign(campaign.brand, "Other")
    report(client, [row(campaign, "100"), row(other, "60")])
    complete = {"from": DAY, "to": DAY, "campaigns": "all"}
    answer = report(client, [row(campaign, "100")], hours=1, complete=complete)
    assert [change["after"] for change in answer.json()["restated"]] == ["0"]
    assert total() == 100
    late = report(client, [row(other, "60")], hours=0.5)
    assert late.json()["stale"] == 1
    assert total() == 100


def test_a_complete_statement_is_of_what_was_never_reported_too(client, campaign):
    other = make_campaign(campaign.brand, "Other")
    complete = {"from": DAY, "to": DAY, "campaigns": "all"}
    report(client, [row(campaign, "100")], hours=1, complete=complete)
    assert report(client, [row(other, "60")]).json()["stale"] == 1
    assert total() == 100


def test_a_complete_statement_covers_the_campaigns_that_it_names(client, campaign):
    other = make_campaign(campaign.brand, "Other")
    report(client, [row(campaign, "100"), row(other, "10")])
    complete = {"from": DAY, "to": DAY, "campaigns": [str(other.id)]}
    report(client, [], hours=1, complete=complete, confirm_decrease=True)
    assert total() == 100


def test_a_truncated_download_frees_nothing(client, campaign):
    others = [make_campaign(campaign.brand, f"C{n}") for n in range(3)]
    report(client, [row(c, "10") for c in (campaign, *others)])
    complete = {"from": DAY, "to": DAY, "campaigns": "all"}
    answer = report(client, [row(campaign, "10")], hours=1, complete=complete)
    assert (answer.status_code, list(answer.json())) == (409, ["confirm_decrease"])
    assert total() == 40
    sure = {"complete": complete, "confirm_decrease": True}
    assert report(client, [row(campaign, "10")], hours=1, **sure).status_code == 201
    assert total() == 10


def test_a_correction_of_a_source_is_replaced_by_its_next_statement(client, campaign):
    report(client, [row(campaign, "100")])
    correction = row(
        campaign, "-30", correction=True, description="a refund", corrects_source="google"
    )
    answer = client.post("/api/spends/", json.dumps(correction), content_type="application/json")
    assert (answer.status_code, total()) == (201, 70)
    restated = report(client, [row(campaign, "75")], hours=1).json()["restated"]
    assert [(change["before"], change["after"]) for change in restated] == [("70", "75")]
    assert total() == 75


def test_what_people_corrected_is_nothing_where_a_complete_statement_does_not_list_it(
    client, campaign
):
    correction = row(
        campaign, "-30", correction=True, description="a refund", corrects_source="google"
    )
    client.post("/api/spends/", json.dumps(correction), content_type="application/json")
    complete = {"from": DAY, "to": DAY, "campaigns": "all"}
    restated = report(client, [], complete=complete).json()["restated"]
    assert [(change["before"], change["after"]) for change in restated] == [("-30", "0")]
    assert total() == 0


def test_two_sources_do_not_restate_the_same_day_unless_it_is_said(client, campaign):
    report(client, [row(campaign, "100")])
    answer = report(client, [row(campaign, "5")], source="meta")
    assert answer.status_code == 409
    assert "'google'" in answer.json()["errors"][0]["message"]
    assert report(client, [row(campaign, "5")], source="meta", additional=True).status_code == 201
    assert total() == 105


def test_a_source_appends_or_restates_for_life(client, campaign):
    report(client, [row(campaign, "100")])
    appended = row(campaign, "5", source="google")
    answer = client.post("/api/spends/", json.dumps(appended), content_type="application/json")
    assert (answer.status_code, list(answer.json())) == (409, ["source"])
    client.post("/api/spends/", json.dumps(row(campaign, "5")), content_type="application/json")
    answer = report(client, [row(campaign, "5")], source="api")
    assert (answer.status_code, list(answer.json())) == (409, ["source"])


def test_a_restatement_over_the_limit_holds_and_one_below_it_releases(client, campaign):
    campaigns.update_campaign(
        campaign_id=campaign.id, changes={"daily_budget": Decimal(50)}, now=clock.read(), by=ANN
    )
    today = clock.read().date().isoformat()
    answer = report(client, [row(campaign, "50", spend_date=today)])
    assert answer.json()["held"] == [str(campaign.id)]
    answer = report(client, [row(campaign, "49.99", spend_date=today)], hours=1)
    assert answer.json()["released"] == [str(campaign.id)]
    assert Campaign.objects.get().status == "ACTIVE"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"rows": [{"as_of": "2026-03-01T10:00:00"}]}, (0, "as_of")),
        ({"rows": [{"external_id": "x"}]}, (0, "external_id")),
        ({"rows": [{"amount": "x"}]}, (0, "amount")),
        ({"rows": [{"amount": "-1"}]}, (0, "amount")),
        ({"rows": [{}, {}]}, (1, "spend_date")),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_stored(client, campaign, fields, named):
    rows = [row(campaign, "1") | changes for changes in fields["rows"]]
    answer = report(client, rows)
    assert answer.status_code == 422
    assert (answer.json()["errors"][0]["row"], answer.json()["errors"][0]["field"]) == named
    assert not SourceFigure.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"complete": {"from": DAY, "to": "2026-02-01", "campaigns": "all"}},
        {"complete": {"from": DAY, "to": DAY, "campaigns": "some"}},
        {"complete": {"from": DAY, "to": DAY}},
        {"complete": 5},
        {"as_of": "yesterday"},
        {"mode": "guess"},
        {"mode": "append"},
    ],
)
def test_a_malformed_statement_is_400(client, campaign, fields):
    assert report(client, [], **fields).status_code == 400


def test_it_needs_an_instant(client, campaign):
    body = {"mode": "restate", "source": "google", "rows": [row(campaign, "1")]}
    answer = client.post(PATH, json.dumps(body), content_type="application/json")
    assert answer.json()["errors"][0]["field"] == "as_of"


def test_a_stranger_restates_nothing(acme, api, campaign):
    answer = report(api("owner", "zeta"), [row(campaign, "5")])
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "campaign")
