"""What only a browser can tell: that pages refresh themselves, obey the CSP, and can be read."""

import re
from collections.abc import Iterator
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Browser, expect

from accounts.models import User
from accounts.roles import Role
from budgets.models import Period, SpendEntry
from budgets.services import root_of
from campaigns.models import Campaign, Status
from campaigns.services import budgets, campaigns, schedules, shared_schedules
from campaigns.services.schedules import NewWindow
from campaigns.services.spend import NewSpend, record_spend
from dayparting.models import ScheduleException
from kernel import clock
from tenants.contexts import owner_context, tenant_context
from tenants.models import Agency
from tests.conftest import ANN, PASSWORD, make_brand, make_campaign
from tests.crash.world import noon_zone

from .browsing import Visit, committed_agency, running_browser, running_server

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("clean_cache")]

SCRIPTS = Path(__file__).parent / "scripts"


@pytest.fixture(scope="module")
def browser(django_db_setup: None) -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def port(browser: Browser) -> Iterator[int]:
    with running_server() as port:
        yield port


@pytest.fixture(scope="module")
def agency(port: int, django_db_blocker: Any) -> Iterator[Agency]:
    """An agency of this module's own, with Ann; each test's brands go with the test."""
    with django_db_blocker.unblock(), committed_agency(f"own-{port}") as agency:
        User.objects.create_user("ann@own.example", PASSWORD, role=Role.OWNER, name="Ann")
        yield agency


@pytest.fixture
def campaign(agency: Agency) -> Iterator[Campaign]:
    now = clock.read()
    brand = make_brand("Northwind", daily="100", monthly="2000", time_zone=noon_zone(now), now=now)
    yield make_campaign(brand, "Search", now=now)
    with owner_context(), tenant_context(agency), connection.cursor() as cursor:
        cursor.execute("TRUNCATE budgets_brand, dayparting_schedule CASCADE")


@pytest.fixture
def visit(browser, port, agency, campaign, settings) -> Iterator[Visit]:
    """Ann's tab, logged in."""
    settings.PACELINE_PORT_SUFFIX = f":{port}"
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    visit = Visit(context.new_page(), f"http://{agency.slug}.localhost:{port}")
    visit.log_in("ann@own.example")
    yield visit
    context.close()


def spend(campaign: Campaign, amount: int) -> None:
    now = clock.read()
    day = campaign.brand.calendar.today(now)
    record_spend(spend=NewSpend(campaign.id, Decimal(amount), day), now=now, by=ANN)


def refresh(visit: Visit) -> None:
    """Refresh now, as the page itself does every few seconds."""
    visit.page.wait_for_function("window.htmx !== undefined")
    visit.page.evaluate("htmx.trigger('#live', 'refresh')")


def test_a_spend_shows_without_a_reload(visit, campaign):
    page = visit.page
    row = page.get_by_role("row").filter(has_text="Search")
    expect(row).to_contain_text("Running")
    page.evaluate("window.stays = true")
    spend(campaign, 100)
    sentence = re.compile(
        r"Paused since \d\d:\d\d: daily budget of Northwind spent, 100\.00 of 100\.00 USD\."
        rf" Resumes 00:00 {re.escape(campaign.brand.time_zone)}\."
    )
    expect(row).to_contain_text(sentence)
    expect(page.get_by_role("region", name="Needs attention")).to_contain_text(sentence)
    assert page.evaluate("window.stays") is True
    assert visit.complaints == []


def test_a_refresh_keeps_folds_focus_and_scroll(visit, campaign):
    now, page = clock.read(), visit.page
    for number in range(40):
        make_campaign(
            campaign.brand, f"Late {number:02}", start_date=now.date() + timedelta(days=9)
        )
    visit.go("/")
    fold = page.locator("#planned")
    fold.locator("summary").click()
    link = page.get_by_role("link", name="Search", exact=True)
    link.focus()
    focused = page.evaluate("document.activeElement.id")
    page.evaluate("window.scrollTo(0, 700)")
    spend(campaign, 10)
    refresh(visit)
    row = page.get_by_role("row").filter(has=link)
    expect(row).to_contain_text("10.00")
    assert page.evaluate("document.activeElement.id") == focused
    assert page.evaluate("window.scrollY") == 700
    expect(fold).to_have_attribute("open", "")


def test_a_fold_that_was_closed_stays_closed(visit, campaign):
    page = visit.page
    fold = page.locator(f"#brand-{campaign.brand_id}")
    fold.locator("summary").click()
    spend(campaign, 10)
    refresh(visit)
    expect(page.locator(".brand-head")).to_contain_text("10.00")
    assert fold.get_attribute("open") is None
    fold.locator("summary").click()
    expect(page.get_by_role("row").filter(has_text="Search")).to_be_visible()


def test_pause_and_resume(visit, campaign):
    page = visit.page
    page.get_by_role("button", name="Pause Search").click()
    expect(page.get_by_role("status").first).to_contain_text("is paused until somebody resumes it")
    campaign.refresh_from_db()
    assert campaign.status == Status.PAUSED
    page.get_by_role("link", name="Search", exact=True).last.click()
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#live")).to_contain_text("Nothing holds it.")
    campaign.refresh_from_db()
    assert campaign.status == Status.ACTIVE


def test_nothing_is_asked_while_nobody_looks(visit):
    page = visit.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    page.wait_for_timeout(9_000)
    assert [url for url in asked if "seen=" in url] == []
    with page.expect_response(lambda response: "seen=" in response.url):
        page.evaluate(
            "Object.defineProperty(document, 'hidden', {value: false, configurable: true});"
            "document.dispatchEvent(new Event('visibilitychange'))"
        )


def test_it_says_when_it_could_not_refresh(visit):
    page = visit.page
    page.route("**/*seen=*", lambda route: route.abort())
    refresh(visit)
    expect(page.locator("#pulse")).to_contain_text("Not refreshed")
    page.unroute("**/*seen=*")
    refresh(visit)
    expect(page.locator("#pulse")).to_have_text("Live")


def test_one_who_was_logged_out_is_led_to_the_log_in(visit):
    visit.page.context.clear_cookies()
    refresh(visit)
    visit.page.wait_for_url("**/accounts/login/?next=/")


def test_the_search_filters_as_one_types(visit, campaign):
    make_campaign(campaign.brand, "Video", now=clock.read())
    visit.go("/")
    page = visit.page
    page.get_by_role("searchbox").fill("vid")
    expect(page.get_by_role("link", name="Search", exact=True)).to_have_count(0)
    expect(page.get_by_role("link", name="Video")).to_have_count(1)
    assert "q=vid" in page.url
    page.reload()
    expect(page.get_by_role("searchbox")).to_have_value("vid")


def test_the_landing_page_leads_to_the_agency(visit, port, agency):
    page = visit.page
    page.goto(f"http://localhost:{port}/")
    page.get_by_label("Your agency's address").fill(agency.slug)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("heading", name="Dashboard").wait_for()
    assert visit.complaints == []


def paths(campaign: Campaign) -> list[str]:
    """Every page that can be opened, with something on it to see."""
    now = clock.read()
    brand = campaign.brand
    root = root_of(brand)
    group = budgets.create_group(
        brand_id=brand.id, name="Video", daily_budget=Decimal(10), stop_at=90, now=now, by=ANN
    )
    tomorrow = brand.calendar.today(now) + timedelta(days=1)
    for budget in (root, group):
        budgets.adjust_budget(
            budget_id=budget.id,
            amount=Decimal(5),
            period=Period.DAY,
            note="Launch day",
            now=now,
            by=ANN,
        )
        budgets.update_budget(
            budget_id=budget.id,
            changes={"mode": "alert_only", "daily_budget": Decimal(80), "from_day": tomorrow},
            now=now,
            by=ANN,
        )
    local = brand.calendar.local(now)
    new = [NewWindow(local.weekday(), time(0), local.time())]
    (window,) = schedules.change_windows(campaign_id=campaign.id, add=new, now=now, by=ANN)
    office = shared_schedules.create_shared_schedule(name="Office hours", windows=new, by=ANN)
    for whose in (campaign.schedule_id, office.id):
        ScheduleException.objects.create(schedule_id=whose, day=tomorrow, note="Holiday")
    # More than its budget, which only alerts.
    spend(campaign, 110)
    other = make_campaign(brand, "Other", status="PAUSED", shared_schedule=office.id, now=now)
    closed = ScheduleException.objects.get(schedule=office)
    campaigns.command(campaign_ids=[other.id], status="INACTIVE", now=now, by=ANN)
    one = f"/campaigns/{campaign.id}"
    return [
        *("/", "/?status=paused", "/?q=nothing", "/brands/", "/brands/new/"),
        *(f"/brands/{brand.id}/{page}" for page in ("", "edit/", "remove/", "groups/new/")),
        f"/brands/{brand.id}/campaigns/new/",
        *(f"/groups/{group.id}/{page}" for page in ("", "edit/", "remove/")),
        *(f"/budgets/{root.id}/{page}" for page in ("adjust/", "history/")),
        *(f"{one}/{page}" for page in ("", "edit/", "history/", "remove/", "schedule/")),
        *(f"{one}/{page}" for page in ("spend/", "correct/")),
        *(f"/campaigns/{other.id}/{page}" for page in ("", "schedule/")),
        *(f"/windows/{window.id}/edit/", f"{one}/schedule/exceptions/new/"),
        *(f"/schedules/{page}" for page in ("", "new/", f"{office.id}/")),
        *(f"/schedules/{office.id}/{page}/" for page in ("edit", "remove", "exceptions/new")),
        f"/exceptions/{closed.id}/edit/",
        *("/spend/", "/spend/new/", f"/spend/{SpendEntry.objects.get().id}/reverse/"),
        *("/reports/monthly/", "/trail/", "/people/", "/people/new/", "/people/keys/new/"),
        "/security/",
        f"/people/{User.objects.get().id}/",
        *(
            f"/accounts/{page}"
            for page in ("password/change/", "email/", "logout/", "signup/", "2fa/")
        ),
    ]


def test_a_budget_is_adjusted_and_the_adjustment_withdrawn(visit, campaign):
    page = visit.page
    spend(campaign, 100)
    visit.go(f"/brands/{campaign.brand_id}/")
    page.get_by_role("link", name="Adjust for today or this month").click()
    page.get_by_label("Amount (USD)").fill("50")
    page.get_by_label("Note").fill("Launch day")
    page.get_by_role("button", name="Adjust").click()
    expect(page.get_by_role("status").first).to_contain_text("is given +50.00 USD for today")
    row = page.get_by_role("row").filter(has_text="Search")
    expect(row).to_contain_text("Running")
    page.get_by_role("button", name="Withdraw").click()
    expect(row).to_contain_text("Paused since")
    assert visit.complaints == []


def test_a_schedule_is_made_chosen_and_closed_for_a_day(visit, campaign):
    page = visit.page
    page.get_by_role("link", name="Schedules").click()
    page.get_by_role("link", name="New schedule").click()
    page.get_by_label("Name").fill("Office hours")
    page.get_by_role("button", name="Create the schedule").click()
    add = page.get_by_role("region", name="Add a window")
    for weekday in ("Monday", "Sunday"):
        add.get_by_label(weekday).check()
    add.get_by_label("From").fill("09:00")
    add.get_by_label("Until").fill("18:00")
    page.get_by_role("button", name="Add to these days").click()
    expect(page.get_by_role("status").first).to_have_text("09:00–18:00 added on Monday, Sunday.")
    page.get_by_role("link", name="Add an exception").click()
    page.get_by_label("Day", exact=True).fill(f"{campaign.brand.calendar.today(clock.read())}")
    page.get_by_label("Other hours than usual").check()
    page.get_by_label("from").first.fill("10:00")
    page.get_by_role("button", name="Add the exception").click()
    expect(page.get_by_text("Hours have a beginning and an end.")).to_be_visible()
    expect(page.get_by_label("from").first).to_have_value("10:00")
    page.get_by_label("until").first.fill("00:00")
    page.get_by_label("from").nth(1).fill("00:00")
    page.get_by_label("until").nth(1).fill("10:00")
    page.get_by_role("button", name="Add the exception").click()
    expect(page.get_by_text("00:00–10:00, 10:00–00:00")).to_be_visible()
    visit.go(f"/campaigns/{campaign.id}/schedule/")
    page.get_by_label("It runs by").select_option("Office hours")
    page.get_by_role("button", name="Use these hours").click()
    visit.go(f"/campaigns/{campaign.id}/")
    days = page.get_by_role("table", name="When it may run")
    # All of today, by its exception.
    expect(days.get_by_role("row").nth(1)).to_contain_text("all day · exception")
    expect(days.get_by_role("row")).to_have_count(8)
    expect(page.locator(".state")).to_contain_text("Running")
    assert visit.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_breaks_the_policy_and_every_page_can_be_read(visit, campaign, scheme):
    page = visit.page
    page.emulate_media(color_scheme=scheme)
    checks = (SCRIPTS / "readable.js").read_text()
    found = []
    for path in paths(campaign):
        visit.go(path)
        found += [f"{path}: {fault}" for fault in page.evaluate(checks)]
        page.set_viewport_size({"width": 390, "height": 844})
        if page.evaluate("document.documentElement.scrollWidth") > 390:
            found.append(f"{path}: wider than a telephone")
        page.set_viewport_size({"width": 1440, "height": 900})
    assert found == []
    assert visit.complaints == []


def test_the_dashboard_is_used_by_keyboard_alone(visit, campaign):
    page = visit.page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="New brand")).to_be_focused()
    page.locator("#menu").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Log out")).to_be_hidden()
    expect(page.locator("#menu")).to_be_focused()
