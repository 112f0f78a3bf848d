"""An entry in one sentence: who did what, from what to what."""

from decimal import Decimal
from uuid import UUID

import pytest

from budgets.models import Brand
from campaigns.services.campaigns import remove_campaign
from campaigns.tracked import TRACKED
from campaigns.trail_words import Kind, Names, sentence
from campaigns.trail_words import told as all_told
from tests.conftest import ANN, NOON, make_brand, make_campaign
from trail.models import Entry

NORTHWIND = UUID("00000000-0000-7000-8000-000000000001")
OFFICE = "00000000-0000-7000-8000-000000000002"
NAMES = Names(
    {NORTHWIND: Brand(name="Northwind", currency="USD")},
    {str(NORTHWIND): "Northwind", OFFICE: "Office hours"},
)


def tell(kind, before, after, *, name="Spring sale", **fields):
    label = "insert" if before is None else "delete" if after is None else "update"
    entry = Entry(
        kind=kind,
        pgh_label=label,
        name=name,
        before=before,
        after=after,
        by_label="Olivia Grant",
        **fields,
    )
    return sentence(entry, NAMES)


def test_a_date_that_was_moved():
    said = tell("campaign", {"end_date": "2026-11-30"}, {"end_date": "2026-12-15"})
    assert said == ("Olivia Grant changed campaign Spring sale: end date 30 Nov 2026 → 15 Dec 2026")


@pytest.mark.parametrize(
    ("kind", "before", "after", "told"),
    [
        ("campaign", {"is_live": True}, {"is_live": False}, "t switched off campaign Spring sale"),
        ("campaign", {"end_date": None}, {"end_date": "2026-12-15"}, "end date none → 15 Dec 2026"),
        (
            "campaign",
            {"shared_schedule_id": None},
            {"shared_schedule_id": OFFICE},
            "shared schedule none → Office hours",
        ),
        (
            "campaign",
            {"shared_schedule_id": str(UUID(int=9))},
            {"shared_schedule_id": None},
            "shared schedule one that is gone → none",
        ),
        ("budget", {"mode": ""}, {"mode": "alert_only"}, "as the budget above → only tell"),
        ("budget", {"stop_at": 100}, {"stop_at": 95}, "stops at 100 % → 95 %"),
        ("user", {"role": "viewer"}, {"role": "client_viewer"}, "role Viewer → Client viewer"),
        ("user", {"brand_ids": None}, {"brand_ids": [str(NORTHWIND)]}, "all brands → Northwind"),
        ("user", {"password": "***"}, {"password": "***"}, "person Spring sale: password changed"),
        ("window", {"end_time": "17:00:00"}, {"end_time": "18:00:00"}, "end 17:00 → 18:00"),
        ("window", {"day_of_week": 0}, {"day_of_week": 1}, "day Monday → Tuesday"),
        (
            "agency",
            {"is_active": True},
            {"is_active": False},
            "agency Spring sale: active yes → no",
        ),
        (
            "brand",
            {"archived_at": None},
            {"archived_at": "2026-03-02T12:00:00+00:00"},
            "Olivia Grant archived brand Spring sale",
        ),
    ],
)
def test_a_change_is_told_from_what_to_what(kind, before, after, told):
    assert tell(kind, before, after).endswith(told)


def test_a_limit_is_told_in_the_currency_of_its_brand():
    before, after = {"daily_limit": Decimal("1.000000")}, {"daily_limit": Decimal("1234.500000")}
    said = tell("limit", before, after, brand_id=NORTHWIND)
    assert said.endswith("the limits of Spring sale: daily budget 1.00 USD → 1,234.50 USD")
    said = tell("limit", before, {"daily_limit": None}, brand_id=UUID(int=9))
    assert said.endswith("daily budget 1 → no limit")


def test_a_new_limit_is_told_whole_and_what_it_keeps_is_not():
    row = {"from_day": "2026-03-02", "daily_limit": Decimal(1), "monthly_limit": Decimal(9)}
    said = tell("limit", None, {**row, "sets_monthly": False}, brand_id=NORTHWIND)
    assert said == (
        "Olivia Grant created the limits of Spring sale: from 2 Mar 2026, daily budget 1.00 USD"
    )


def test_a_window_and_an_exception_are_told_by_their_hours():
    window = {"day_of_week": 1, "start_time": "09:00:00", "end_time": "17:30:00", "is_active": True}
    assert tell("window", window, None) == (
        "Olivia Grant deleted a window of Spring sale: Tuesday 09:00–17:30"
    )
    day = {"day": "2026-12-24", "starts": [], "ends": [], "note": "Christmas"}
    assert tell("exception", None, day).endswith(": 24 Dec 2026, closed, Christmas")
    hours = {"starts": ["09:00:00"], "ends": ["12:00:00"], "note": ""}
    assert tell("exception", None, {**day, **hours}).endswith(": 24 Dec 2026, 09:00–12:00")


def test_what_has_a_verb_of_its_own_needs_no_more_words():
    at = "2026-03-02T12:00:00+00:00"
    said = tell("key", {"revoked_at": None}, {"revoked_at": at}, name="Loader")
    assert said == "Olivia Grant revoked API key Loader"
    said = tell("adjustment", {"withdrawn_at": None}, {"withdrawn_at": at})
    assert said == "Olivia Grant withdrew an adjustment of Spring sale"


def test_a_new_row_is_told_without_what_goes_without_saying():
    row = {"id": "x", "name": "Nora", "email": "nora@a.example", "role": "owner", "is_active": True}
    said = tell("user", None, {**row, "brand_ids": None}, name="Nora")
    assert said == "Olivia Grant created person Nora: e-mail nora@a.example, role Owner"


def test_a_shared_schedule_is_told_from_a_campaigns_own():
    assert tell("schedule", None, {"name": "Office hours"}, name="Office hours").endswith(
        "created shared schedule Office hours"
    )
    assert tell("schedule", None, {"name": ""}, name="").endswith("of a campaign that is gone")


def test_the_parts_of_a_new_campaign_go_by_its_name(acme):
    make_campaign(make_brand("Northwind"), "Spring sale", daily="5")
    deeds = [one.deed.partition(":")[0] for one in all_told(Entry.objects.order_by("pgh_id"))][-4:]
    assert deeds == [
        "created the budget of Spring sale",
        "created the schedule of Spring sale",
        "created campaign Spring sale",
        "created the limits of Spring sale",
    ]


def test_the_parts_of_a_deleted_campaign_go_by_its_name_too(acme):
    campaign = make_campaign(make_brand("Northwind"), "Spring sale", daily="5")
    remove_campaign(campaign_id=campaign.id, now=NOON, by=ANN)
    deeds = {
        one.deed.partition(":")[0] for one in all_told(Entry.objects.filter(pgh_label="delete"))
    }
    assert deeds == {
        "deleted the budget of Spring sale",
        "deleted the schedule of Spring sale",
        "deleted campaign Spring sale",
        "deleted the limits of Spring sale",
    }


def test_each_kind_that_is_tracked_has_a_name():
    assert {tracked.kind for tracked in TRACKED} | {"agency"} == set(Kind.values)
