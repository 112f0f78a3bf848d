"""The monthly report, on the page and as a file."""

import csv

import pytest

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


def rows(page) -> list[list[str]]:
    return list(csv.reader(page.content.decode().splitlines()))[1:]


def test_it_tells_spent_limit_over_and_days_held(viewer, told):
    report = viewer.get("/reports/monthly/?month=2026-03&format=csv")
    assert report["Content-Type"] == "text/csv; charset=utf-8"
    assert rows(report) == [
        ["2026-03", "Kaito", "", "JPY", "500", "400", "100", "1"],
        ["2026-03", "Kaito", "'=HYPERLINK(1)", "JPY", "500", "", "", "1"],
        ["2026-03", "Northwind", "", "USD", "100.00", "2000.00", "-1900.00", "1"],
        ["2026-03", "Northwind", "Search", "USD", "100.00", "", "", "1"],
    ]


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
    assert {row[1] for row in rows(page)} == {"Kaito"}


def test_an_archived_brand_stays_in_the_months_in_which_it_spent(viewer, brand, campaign):
    spend(campaign, "40", day=FEBRUARY)
    brands.remove_brand(brand_id=brand.id, now=NOON, by=ANN)
    reported = {
        month: [r.brand.brand.name for r in viewer.get(month).context["reports"]]
        for month in ("/reports/monthly/?month=2026-02", "/reports/monthly/?month=2026-03")
    }
    assert list(reported.values()) == [["Northwind"], []]


@pytest.mark.parametrize("count", [1, 9])
def test_it_takes_the_same_statements_for_any_number(
    viewer, acme, count, django_assert_num_queries
):
    for number in range(count):
        spend(make_campaign(make_brand(f"Brand {number}", daily="5")), "5")
    with django_assert_num_queries(11):
        viewer.get("/reports/monthly/")
