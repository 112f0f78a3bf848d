"""The monthly report, on the page and as a file."""

import csv
from datetime import UTC, date, datetime

import pytest
import time_machine

from campaigns.services import brands
from tests.conftest import ANN, NOON, make_brand, make_campaign

from .conftest import spend

FEBRUARY = NOON.date().replace(month=2)


@pytest.fixture
def told(brand, campaign):
    """Northwind spent 100 of 2,000 USD in March; 40 in February. Kaito spent 500 JPY in March."""
    spend(campaign, "100")
    spend(campaign, "40", day=FEBRUARY)
    kaito = make_brand("Kaito", currency="JPY", monthly="400")
    spend(make_campaign(kaito, "=HYPERLINK(1)"), "500")
    return kaito


def rows(page) -> list[dict[str, str]]:
    return list(csv.DictReader(page.content.decode().splitlines()))


def test_the_file_tells_spent_limit_over_and_days_held(viewer, told):
    report = viewer.get("/reports/monthly/?month=2026-03&format=csv")
    assert report["Content-Type"] == "text/csv; charset=utf-8"
    assert report["Content-Disposition"] == 'attachment; filename="report-2026-03.csv"'
    columns = ("brand_name", "campaign_name", "currency", "spent", "limit", "over", "under")
    assert [[row[column] for column in (*columns, "days_held")] for row in rows(report)] == [
        ["Kaito", "", "JPY", "500", "400", "100", "0", "1"],
        ["Kaito", "'=HYPERLINK(1)", "JPY", "500", "", "", "", "1"],
        ["Northwind", "", "USD", "100.00", "2000.00", "0.00", "1900.00", "1"],
        ["Northwind", "Search", "USD", "100.00", "", "", "", "1"],
    ]


def test_the_file_is_the_one_that_the_api_exports(viewer, told):
    file = viewer.get("/reports/monthly/?month=2026-03&format=csv")
    exported = viewer.get("/api/reports/monthly/?month=2026-03&format=csv")
    assert file.content == exported.getvalue()


def test_the_page_shows_the_same_figures(viewer, told):
    page = viewer.get("/reports/monthly/?month=2026-03").content.decode()
    assert "1,900.00 under" in page
    assert "100 over" in page


def test_totals_are_told_by_currency(viewer, told):
    totals = viewer.get("/reports/monthly/?month=2026-03").context["totals"]
    assert totals == [("JPY", 500), ("USD", 100)]


def test_one_goes_back_a_month_but_not_ahead_of_the_running_one(viewer, told):
    march = viewer.get("/reports/monthly/").content.decode()
    assert "?month=2026-02" in march
    assert "?month=2026-04" not in march
    february = viewer.get("/reports/monthly/?month=2026-02")
    assert "?month=2026-03" in february.content.decode()
    assert dict(february.context["totals"])["USD"] == 40


def test_it_can_be_of_one_brand(viewer, told):
    page = viewer.get(f"/reports/monthly/?brand={told.id}&format=csv")
    assert {row["brand_name"] for row in rows(page)} == {"Kaito"}


def test_an_archived_brand_stays_in_the_months_in_which_it_spent(viewer, brand, campaign):
    spend(campaign, "40", day=FEBRUARY)
    brands.remove_brand(brand_id=brand.id, now=NOON, by=ANN)
    for month, shown in (("2026-02", ["Northwind"]), ("2026-03", [])):
        page = viewer.get(f"/reports/monthly/?month={month}")
        file = viewer.get(f"/reports/monthly/?month={month}&format=csv")
        assert [r.brand.brand.name for r in page.context["reports"]] == shown
        assert {row["brand_name"] for row in rows(file)} == set(shown)
    assert "Every brand is archived" in page.content.decode()


@pytest.mark.parametrize(
    ("zones", "month", "after"),
    [
        ([], date(2026, 4, 1), None),
        (["UTC"], date(2026, 4, 1), None),
        (["America/New_York"], date(2026, 3, 1), None),
        (["America/New_York", "UTC"], date(2026, 3, 1), date(2026, 4, 1)),
    ],
)
def test_it_begins_with_the_earliest_month_that_runs_at_a_brand(log_in, acme, zones, month, after):
    for zone in zones:
        make_brand(zone, time_zone=zone)
    with time_machine.travel(datetime(2026, 4, 1, 2, tzinfo=UTC), tick=False):
        page = log_in("vic@acme.example").get("/reports/monthly/")
    shown = page.context
    assert (shown["month"], shown["month_after"], shown["is_running"]) == (month, after, True)


@pytest.mark.parametrize("count", [1, 9])
def test_it_takes_the_same_statements_for_any_number(
    viewer, acme, count, django_assert_num_queries
):
    for number in range(count):
        spend(make_campaign(make_brand(f"Brand {number}", daily="5")), "5")
    with django_assert_num_queries(12):
        viewer.get("/reports/monthly/")
