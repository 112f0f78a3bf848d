"""The monthly report: spent against limit, over or under, and days held."""

import csv
import io
from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest

from campaigns.services.spend import NewSpend, record_spend
from tests.conftest import ANN, NOON, make_brand, make_campaign


@pytest.fixture
def campaign(acme):
    campaign = make_campaign(make_brand(monthly="100"), "Search", monthly="200")
    for day, amount in ((date(2026, 2, 27), "40"), (date(2026, 3, 1), "150.5")):
        spend = NewSpend(campaign.id, Decimal(amount), day)
        record_spend(spend=spend, now=NOON, by=ANN)
    return campaign


def test_it_tells_each_brand_and_its_campaigns(viewer, campaign):
    shown = viewer.get("reports/monthly/", month="2026-03", brand="").json()
    assert shown["month"] == "2026-03"
    brand = {"brand": str(campaign.brand_id), "brand_name": "Northwind", "currency": "USD"}
    assert shown["results"] == [
        {
            **brand,
            "campaign": None,
            "campaign_name": "",
            "spent": "150.50",
            "limit": "100.00",
            "adjustments": "0.00",
            "daily_adjustments": "0.00",
            "over": "50.50",
            "under": "0.00",
            "days_held": 1,
        },
        {
            **brand,
            "campaign": str(campaign.id),
            "campaign_name": "Search",
            "spent": "150.50",
            "limit": "200.00",
            "adjustments": "0.00",
            "daily_adjustments": "0.00",
            "over": "0.00",
            "under": "49.50",
            "days_held": 1,
        },
    ]


def test_a_month_is_told_by_its_own_days(viewer, campaign):
    shown = viewer.get("reports/monthly/", month="2026-02").json()["results"]
    assert [line["spent"] for line in shown] == ["40.00", "40.00"]


def test_it_is_of_the_running_month_unless_told_otherwise(viewer, campaign):
    assert viewer.get("reports/monthly/").json()["month"] == "2026-03"


def test_it_is_of_one_brand_on_demand(viewer, campaign):
    contoso = make_brand("Contoso")
    shown = viewer.get("reports/monthly/", brand=contoso.id).json()["results"]
    assert [line["brand_name"] for line in shown] == ["Contoso"]
    assert shown[0]["limit"] is shown[0]["over"] is shown[0]["under"] is None


def test_a_brand_that_is_not_there_is_404(viewer):
    answer = viewer.get("reports/monthly/", brand=uuid4())
    assert (answer.status_code, list(answer.json())) == (404, ["brand"])


def test_the_brand_of_another_agency_is_404(stranger, campaign):
    assert stranger.get("reports/monthly/", brand=campaign.brand_id).status_code == 404


@pytest.mark.parametrize(
    "month", ["2026", "2026-3", "2026-13", "2026-00", "0001-01", "9999-12", "x", "2026-03-01"]
)
def test_a_month_that_is_none_is_400(viewer, month):
    answer = viewer.get("reports/monthly/", month=month)
    assert (answer.status_code, list(answer.json())) == (400, ["month"])


def test_an_archived_brand_is_told_for_the_months_in_which_it_spent(manager, campaign):
    manager.delete(f"brands/{campaign.brand_id}/")
    assert len(manager.get("reports/monthly/", month="2026-03").json()["results"]) == 2
    assert manager.get("reports/monthly/", month="2026-01").json()["results"] == []


@pytest.mark.parametrize("ask", ["format", "accept"])
def test_it_is_exported_as_csv(viewer, campaign, ask):
    if ask == "format":
        answer = viewer.get("reports/monthly/", month="2026-03", format="csv")
    else:
        address = "/api/reports/monthly/?month=2026-03"
        answer = viewer.client.get(address, headers={"Accept": "text/csv"})
    assert answer["Content-Disposition"] == 'attachment; filename="report-2026-03.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    assert [(row["campaign_name"], row["over"]) for row in rows] == [
        ("", "50.50"),
        ("Search", "0.00"),
    ]
