"""What only a browser can tell: that the admin's pages obey the content security policy."""

from collections.abc import Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser, expect

from accounts.models import User, create_api_key
from accounts.roles import Role
from backoffice.sites import agency_site, platform_site
from budgets.models import Brand, Budget, SpendEntry
from campaigns.models import Campaign
from kernel import clock
from tenants.contexts import platform_context
from tests.backoffice.conftest import page
from tests.conftest import make_brand, make_campaign
from tests.crash.world import noon_zone
from tests.portal.browsing import Visit, running_browser, running_server

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("clean_cache")]

BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def monday_noon():
    """Not here: the browser's clock is the real one."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture
def port(own_agency) -> Iterator[int]:
    with running_server() as port:
        yield port


@pytest.fixture
def campaign(own_agency) -> Campaign:
    now = clock.read()
    brand = make_brand("Northwind", daily="100", time_zone=noon_zone(now), now=now)
    campaign = make_campaign(brand, now=now)
    create_api_key(name="Probe", role=Role.VIEWER)
    return campaign


@pytest.fixture
def ann(browser, port, own_agency, campaign) -> Iterator[Visit]:
    """The owner's tab, logged in."""
    owner = User.objects.create_user("ann@own.example", role=Role.OWNER, name="Ann")
    host = f"{own_agency.slug}.localhost"
    yield from _visit(browser, port, host, owner)


@pytest.fixture
def pat(browser, port) -> Iterator[Visit]:
    """The platform's staff, logged in."""
    with platform_context():
        staff = User.objects.create_superuser("pat@paceline.example")
        yield from _visit(browser, port, "localhost", staff)
        staff.delete()


def _visit(browser: Browser, port: int, host: str, user: User) -> Iterator[Visit]:
    client = Client(HTTP_HOST=host)
    client.force_login(user, BACKEND)
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_cookies(
        [
            {"name": name, "value": morsel.value, "url": f"http://{host}:{port}"}
            for name, morsel in client.cookies.items()
        ]
    )
    yield Visit(context.new_page(), f"http://{host}:{port}")
    context.close()


def test_every_list_and_form_of_an_agencys_admin_obeys_the_policy(ann, campaign):
    ann.go("/admin/")
    for model, admin in agency_site._registry.items():
        ann.go(page(model, "changelist"))
        first = ann.page.locator("#result_list tbody th a, #result_list tbody td a").first
        if first.count():
            first.click()
        if getattr(admin, "can_add", False) and getattr(admin, "edit_right", None):
            ann.go(page(model, "add"))
    ann.go(page(Campaign, "delete", campaign.pk))
    ann.go(page(Budget, "history", campaign.budget_id))
    assert ann.complaints == []


def test_every_list_and_form_of_the_platforms_admin_obeys_the_policy(pat):
    pat.go("/admin/")
    for model in platform_site._registry:
        pat.go(page(model, "changelist", site=platform_site))
        first = pat.page.locator("#result_list tbody th a").first
        if first.count():
            first.click()
    pat.go("/admin/tenants/agency/add/")
    pat.go("/admin/django_celery_beat/periodictask/add/")
    pat.go("/admin/password_change/")
    assert pat.complaints == []


def test_a_spend_is_recorded_by_typing_and_choosing(ann, campaign):
    ann.go(page(SpendEntry, "add"))
    ann.page.locator(".field-campaign .select2-selection").click()
    ann.page.keyboard.type("north")
    ann.page.get_by_text("Northwind / Search").click()
    ann.page.locator("#id_amount").fill("85")
    ann.page.locator("#id_spend_date").fill(str(campaign.brand.calendar.today(clock.read())))
    ann.page.get_by_role("button", name="Save", exact=True).click()
    expect(ann.page.locator(".bar-amber")).to_be_visible()
    expect(ann.page.locator("#result_list")).to_contain_text("85.00 of 100.00 USD")
    assert ann.complaints == []


def test_a_campaign_is_paused_from_the_list(ann, campaign):
    ann.go(page(Campaign, "changelist"))
    ann.page.locator("input.action-select").check()
    ann.page.locator("select[name=action]").select_option(label="Pause")
    ann.page.get_by_role("button", name="Go").click()
    expect(ann.page.locator(".messagelist")).to_have_text("Northwind / Search paused.")
    expect(ann.page.locator(".chip-held")).to_have_text("Paused")


def test_the_colours_follow_the_dark_mode(ann, campaign):
    ann.page.emulate_media(color_scheme="dark")
    ann.go(page(Brand, "changelist"))
    dark = ann.page.evaluate("getComputedStyle(document.body).backgroundColor")
    ann.page.emulate_media(color_scheme="light")
    light = ann.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (dark, light) == ("rgb(15, 22, 26)", "rgb(255, 255, 255)")
