"""Who sees what: each page by a member, by one without the right, by a stranger, by nobody."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.test import Client

from accounts.invitations import invite
from accounts.models import SupportAccess, User, create_api_key
from accounts.roles import Role
from budgets.models import BudgetAdjustment, Period, SpendEntry
from budgets.services import root_of
from campaigns.models import Campaign, Hold
from campaigns.services import brands, budgets, exceptions, schedules, shared_schedules
from portal.urls import urlpatterns
from tests.conftest import ANN, NOBODY, NOON, make_brand, make_campaign

from .conftest import spend

READ = {
    "/",
    "/brands/",
    "/brands/{brand}/",
    "/groups/{group}/",
    "/budgets/{budget}/history/",
    "/campaigns/{campaign}/",
    "/campaigns/{campaign}/history/",
    "/campaigns/{campaign}/schedule/",
    "/schedules/",
    "/schedules/{schedule}/",
    "/spend/",
    "/reports/monthly/",
}
EDIT = {
    "/brands/new/",
    "/brands/{brand}/edit/",
    "/brands/{brand}/remove/",
    "/brands/{brand}/groups/new/",
    "/brands/{brand}/campaigns/new/",
    "/groups/{group}/edit/",
    "/groups/{group}/remove/",
    "/budgets/{budget}/adjust/",
    "/budgets/{budget}/limits/",
    "/campaigns/{campaign}/edit/",
    "/campaigns/{campaign}/remove/",
    "/campaigns/{campaign}/spend/",
    "/campaigns/{campaign}/correct/",
    "/campaigns/{campaign}/schedule/exceptions/new/",
    "/schedules/new/",
    "/schedules/{schedule}/edit/",
    "/schedules/{schedule}/remove/",
    "/schedules/{schedule}/exceptions/new/",
    "/exceptions/{exception}/edit/",
    "/windows/{window}/edit/",
    "/spend/new/",
    "/spend/{entry}/reverse/",
    "/trail/",
}
POST_ONLY = {
    "/budgets/{budget}/adjustments/{adjustment}/withdraw/",
    "/budgets/{budget}/take-back/",
    "/budgets/{budget}/resume/",
    "/campaigns/{campaign}/command/",
    "/campaigns/{campaign}/schedule/add/",
    "/campaigns/{campaign}/schedule/copy/",
    "/campaigns/{campaign}/schedule/choose/",
    "/schedules/{schedule}/add/",
    "/schedules/{schedule}/copy/",
    "/exceptions/{exception}/remove/",
    "/windows/{window}/remove/",
}
OWNERS = {"/people/", "/people/new/", "/people/{person}/", "/people/keys/new/", "/security/"}
OWNERS_POST_ONLY = {
    "/people/{person}/link/",
    "/people/keys/{key}/revoke/",
    "/people/{person}/log-out/",
    "/people/{person}/factors/",
    "/security/support/{access}/end/",
    "/people/invitations/{invitation}/withdraw/",
    "/people/invitations/{invitation}/resend/",
}
# For whoever has the mail, and about one's own sessions: `test_invitations.py`,
# `test_security.py`, `test_support.py`.
DOORS = {
    "/invitations/accept/",
    "/invitations/{token}/",
    "/log-out-everywhere/",
    "/support/enter/{token}/",
    "/support/leave/",
}
EVERY = READ | EDIT | POST_ONLY | OWNERS | OWNERS_POST_ONLY


@pytest.fixture
def ids(brand, campaign) -> dict[str, str]:
    """One of everything at Acme."""
    spend(campaign, "10")
    group = budgets.create_group(brand_id=brand.id, name="Group", now=NOON, by=ANN)
    window = schedules.add_window(
        campaign_id=campaign.id,
        day_of_week=0,
        start_time=NOON.time().replace(hour=9),
        end_time=NOON.time().replace(hour=18),
        now=NOON,
        by=ANN,
    )
    shared = shared_schedules.create_shared_schedule(name="Office", by=ANN)
    exception = exceptions.add_exception(schedule_id=shared.id, day=NOON.date(), now=NOON, by=ANN)
    adjustment = budgets.adjust_budget(
        budget_id=root_of(brand).id,
        amount=Decimal(200),
        period=Period.DAY,
        note="Launch day",
        now=NOON,
        by=ANN,
    )
    key, _ = create_api_key(name="Probe", role=Role.VIEWER)
    invitation, _ = invite(email="ina@acme.example", role=Role.VIEWER, now=NOON, by=ANN)
    access = SupportAccess.objects.create(
        staff_id=NOBODY, staff_label="Pat", reason="To help", begun_at=NOON, ends_at=NOON
    )
    return {
        "access": str(access.id),
        "brand": str(brand.id),
        "campaign": str(campaign.id),
        "group": str(group.id),
        "budget": str(adjustment.budget_id),
        "adjustment": str(adjustment.id),
        "window": str(window.id),
        "schedule": str(shared.id),
        "exception": str(exception.id),
        "entry": str(SpendEntry.objects.get().id),
        "person": str(User.objects.get(email="vic@acme.example").id),
        "key": str(key.id),
        "invitation": str(invitation.id),
    }


def test_the_lists_above_name_every_page():
    assert len(urlpatterns) == len(EVERY | DOORS)


@pytest.mark.parametrize("path", sorted(READ))
def test_a_viewer_reads_every_page(viewer, ids, path):
    page = viewer.get(path.format(**ids))
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]


@pytest.mark.parametrize("path", sorted(READ))
def test_a_viewers_pages_offer_no_command(viewer, ids, path):
    page = viewer.get(path.format(**ids)).content.decode()
    links = [p.format(**ids) for p in EDIT | POST_ONLY | OWNERS | OWNERS_POST_ONLY]
    assert [link for link in links if f'"{link}"' in page] == []


@pytest.mark.parametrize("path", sorted(EDIT | OWNERS))
def test_a_viewer_may_not_open_what_edits(viewer, ids, path):
    assert viewer.get(path.format(**ids)).status_code == 403


@pytest.mark.parametrize("path", sorted(EDIT | POST_ONLY | OWNERS | OWNERS_POST_ONLY))
def test_a_viewers_write_is_refused(viewer, ids, path):
    assert viewer.post(path.format(**ids), {"status": "PAUSED"}).status_code == 403
    assert not Hold.objects.filter(origin="pause").exists()
    assert not BudgetAdjustment.objects.exclude(withdrawn_at=None).exists()


@pytest.mark.parametrize("path", sorted(READ | EDIT))
def test_a_manager_opens_every_page_but_the_owners(manager, ids, path):
    assert manager.get(path.format(**ids)).status_code == 200


@pytest.mark.parametrize("path", sorted(OWNERS))
def test_people_and_keys_are_the_owners(owner, manager, ids, path):
    assert owner.get(path.format(**ids)).status_code == 200
    assert manager.get(path.format(**ids)).status_code == 403


@pytest.mark.parametrize("path", sorted(POST_ONLY | OWNERS_POST_ONLY))
def test_a_command_is_never_a_link(owner, ids, path):
    assert owner.get(path.format(**ids)).status_code == 405


@pytest.mark.parametrize("path", sorted(p for p in EVERY if "{" in p))
def test_another_agencys_ids_are_not_there(stranger, ids, path):
    path = path.format(**ids)
    assert stranger.get(path).status_code in (404, 405)
    assert stranger.post(path, {"status": "PAUSED"}).status_code in (404, 405)


@pytest.mark.parametrize("path", sorted(p for p in EVERY if "{" in p))
def test_ids_that_never_were_are_not_there(owner, ids, path):
    path = path.format(**dict.fromkeys(ids, uuid4()))
    assert owner.get(path).status_code in (404, 405)
    assert owner.post(path, {"status": "PAUSED"}).status_code in (404, 405)


@pytest.mark.parametrize("path", sorted(EVERY - POST_ONLY - OWNERS_POST_ONLY))
def test_nobody_is_led_to_the_log_in_and_back(world, ids, path):
    path = path.format(**ids)
    page = Client(HTTP_HOST="acme.localhost:8000").get(path)
    assert (page.status_code, page["Location"]) == (302, f"/accounts/login/?next={path}")


def test_a_fragments_stranger_is_led_to_the_log_in_with_the_whole_page(world):
    client = Client(HTTP_HOST="acme.localhost:8000")
    page = client.get(
        "/?seen=1",
        headers={"hx-request": "true", "hx-current-url": "http://acme.localhost:8000/?q=x"},
    )
    assert page["HX-Redirect"] == "/accounts/login/?next=/%3Fq%3Dx"


def test_a_session_of_one_agency_is_worth_nothing_at_another(owner):
    page = owner.get("/", headers={"host": "zeta.localhost:8000"})
    assert page["Location"] == "/accounts/login/?next=/"


def test_a_command_needs_the_forms_token(world, log_in, campaign):
    careful = Client(HTTP_HOST="acme.localhost:8000", enforce_csrf_checks=True)
    careful.cookies = log_in("ann@acme.example").cookies
    page = careful.post(f"/campaigns/{campaign.id}/command/", {"status": "PAUSED"})
    assert page.status_code == 403
    assert "Please send it again" in page.content.decode()


NONSENSE = ["%00", "x" * 500, "-1", "0", "99999999999999999999", "٣", "2026-13", "0000-01", "'"]


@pytest.mark.parametrize("value", NONSENSE)
@pytest.mark.parametrize("path", sorted(READ | {"/spend/new/"}))
def test_parameters_that_make_no_sense_are_passed_over(owner, ids, path, value):
    names = ["q", "brand", "campaign", "status", "page", "month", "start_date", "end_date", "open"]
    query = "&".join(f"{name}={value}" for name in names)
    assert owner.get(f"{path.format(**ids)}?{query}&folds=1").status_code == 200


@pytest.mark.parametrize("path", sorted(EDIT | OWNERS | POST_ONLY))
def test_a_form_that_makes_no_sense_is_no_error_of_ours(owner, ids, path):
    names = """name currency time_zone daily_budget monthly_budget start_date end_date platform
        external_id group days start_time end_time day_of_week source targets amount spend_date
        spend_type description key email role expires_on status period note expires_at from_day
        mode stop_at day kind hours_from hours_until shared_schedule""".split()
    for value in ("\0", "NaN", "1e400", "-1", "x" * 600, "9999-12-31", "0001-01-01", "25:61"):
        page = owner.post(path.format(**ids), dict.fromkeys(names, value))
        assert page.status_code in (200, 302, 400, 404), value


def test_names_are_shown_as_text(owner, acme):
    brand = make_brand("<script>alert(1)</script>", daily="1")
    campaign = make_campaign(brand, "<img src=x onerror=alert(1)>", status="PAUSED")
    for path in ("/", f"/brands/{brand.id}/", f"/campaigns/{campaign.id}/", "/reports/monthly/"):
        page = owner.get(path).content.decode()
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_archived_things_are_read_only(owner, brand, campaign):
    spend(campaign, "1")
    brands.remove_brand(brand_id=brand.id, now=NOON, by=ANN)
    assert "Archived" in owner.get(f"/brands/{brand.id}/").content.decode()
    assert owner.get(f"/brands/{brand.id}/edit/").status_code == 404
    assert owner.get(f"/campaigns/{campaign.id}/edit/").status_code == 404
    owner.post(f"/campaigns/{campaign.id}/command/", {"status": "ACTIVE"})
    assert not Campaign.objects.get(id=campaign.id).is_live
