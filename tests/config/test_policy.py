"""No page of any route has a script, a style or a handler inside it, so that none is needed."""

from datetime import time
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import Client
from django.urls import URLPattern

from accounts.models import User, create_api_key
from accounts.roles import Role
from budgets.models import Period, SpendEntry
from budgets.services import root_of
from campaigns.services import budgets, schedules
from campaigns.services.schedules import NewWindow
from kernel import clock
from tenants.contexts import platform_context
from tests.config.routes import ValueOf, addresses, first_row
from tests.config.test_answers import unguarded
from tests.conftest import ANN, NOBODY, make_brand, make_campaign
from tests.portal.conftest import spend

pytestmark = pytest.mark.usefixtures("clean_cache")

ACME, PLATFORM = "acme.localhost:8000", "localhost:8000"
_DATA = ("application/json", "text/html", "text/template")


class Inline(HTMLParser):
    """Finds what only a weak policy would let run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "style" or (tag == "script" and not self._is_allowed(named)):
            self.found.append(f"<{tag}>")
        if tag in ("object", "embed", "applet", "base", "iframe", "frame"):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            seen = "".join((value or "").split()).lower()
            if name.startswith("on") or name in ("style", "srcdoc"):
                self.found.append(f"{tag} {name}={value}")
            if name.startswith("hx-on") or seen.startswith(("javascript:", "data:text/html")):
                self.found.append(f"{tag} {name}={value}")
            if name in ("src", "action", "formaction") and seen.startswith(("http", "//")):
                self.found.append(f"{tag} {name}={value}")

    @staticmethod
    def _is_allowed(named: dict[str, str | None]) -> bool:
        return bool(named.get("src")) or named.get("type") in _DATA


def inline(page: str) -> list[str]:
    parser = Inline()
    parser.feed(page)
    return parser.found


def faults(answer: Any) -> list[str]:
    """Return what an answer has and must not, or lacks and must have."""
    found = [f"lacks {name}" for name in unguarded(answer)]
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        found += inline(answer.content.decode())
    return found


@pytest.fixture
def known(acme: object) -> dict[str, str]:
    """One of everything at Acme, by the names that routes have for it."""
    now = clock.read()
    brand = make_brand("<b onclick=x style=y>", daily="100", now=now)
    campaign = make_campaign(brand, "</script><script>x</script>", now=now)
    group = budgets.create_group(brand_id=brand.id, name="Group", now=now, by=ANN)
    adjustment = budgets.adjust_budget(
        budget_id=root_of(brand).id, amount=Decimal(1), period=Period.DAY, note="N", now=now, by=ANN
    )
    new = [NewWindow(now.weekday(), time(9), time(18))]
    (window,) = schedules.change_windows(campaign_id=campaign.id, add=new, now=now, by=ANN)
    spend(campaign, "10", day=now.date())
    key, _ = create_api_key(name="Probe", role=Role.VIEWER)
    rows = {
        "brand": brand,
        "campaign": campaign,
        "group": group,
        "budget": root_of(brand),
        "adjustment": adjustment,
        "window": window,
        "entry": SpendEntry.objects.get(),
        "user": User.objects.get(email="vic@acme.example"),
        "key": key,
    }
    fixed = {"app_label": "budgets", "day": "2026-12-01", "uidb36": "1", "content_type_id": "1"}
    return {f"{name}_id": str(row.pk) for name, row in rows.items()} | fixed


def test_an_inline_script_would_be_found():
    page = "<p onclick=x><script>x</script><script src=/x></script><a href=' java\tscript:x'>"
    page += "<script type=application/json>{}</script><b style=x><form action=//evil>"
    assert len(inline(page)) == 5


def value_of(known: dict[str, str]) -> ValueOf:
    def value(name: str, at: URLPattern) -> str:
        if name == "object_id":
            return first_row(at)
        # An id that nothing carries makes a page too: that nothing is there.
        return known.get(name, NOBODY if name == "id" or name.endswith("_id") else "x")

    return value


def look_at_all(client: Client, paths: dict[str, str]) -> tuple[dict[str, list[str]], int]:
    """Return what is wrong with any of the pages, and how many were shown."""
    found, shown = {}, 0
    for path in paths.values():
        answer = client.get(path)
        assert answer.status_code < 500, path
        shown += answer.status_code == 200
        if bad := faults(answer):
            found[path] = bad
    return found, shown


def test_every_page_of_an_agency_obeys_the_strict_policy(known, log_in):
    paths = addresses(settings.ROOT_URLCONF, value_of(known))
    found, shown = look_at_all(log_in("ann@acme.example"), paths)
    assert found == {}
    assert shown > 80


def test_every_page_that_a_stranger_meets_obeys_the_strict_policy(known):
    paths = addresses(settings.ROOT_URLCONF, value_of(known))
    assert look_at_all(Client(HTTP_HOST=ACME), paths)[0] == {}


def test_every_page_of_the_platform_obeys_the_strict_policy(world):
    with platform_context():
        staff = User.objects.create_superuser("pat@paceline.example")
        client = Client(HTTP_HOST=PLATFORM)
        client.force_login(staff, "django.contrib.auth.backends.ModelBackend")
        paths = addresses(settings.PUBLIC_SCHEMA_URLCONF, value_of({"app_label": "tenants"}))
    found, shown = look_at_all(client, paths)
    assert found == {}
    assert shown > 20


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
def test_every_error_page_obeys_the_strict_policy(status):
    assert inline(render_to_string(f"{status}.html", {"why": "Busy."})) == []
