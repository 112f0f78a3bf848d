"""A sign-up link opens one agency, also when that one was deleted."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts import sign_ups
from accounts.services import open_agency
from accounts.tasks import clear_sessions
from kernel import clock
from kernel.errors import Conflict, NotFound
from tenants.models import Agency, UsedOrder
from tenants.remembered import forget
from tenants.removals import remove
from tenants.services import remove_agency
from tests.conftest import NOON
from tests.tenants.leftovers import asked, nothing_but

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def signed_up(before, monkeypatch):
    """An agency that was opened by a sign-up link, and what the link says."""
    monkeypatch.setattr(clock, "read", lambda: NOON)
    sign_up = sign_ups.ask(name="Gone Ads", slug="gone", email="gus@gone.example")
    agency = sign_ups.open_for(sign_up)
    assert open_agency(agency_id=agency.pk, now=NOON)
    agency.refresh_from_db()
    yield agency, sign_up
    for left in Agency.objects.filter(slug="gone"):
        remove_agency(left)
    UsedOrder.objects.all().delete()
    forget(agency.schema_name)


def test_its_sign_up_link_opens_it_no_more(before, signed_up, settings):
    settings.SIGN_UP = True
    agency, sign_up = signed_up
    remove(asked(agency).pk, now=NOON)
    token = sign_ups._token(sign_up, now=NOON)
    browser = Client(HTTP_HOST="localhost:8000")
    for answer in (browser.get(f"/sign-up/{token}/"), browser.post(f"/sign-up/{token}/")):
        assert answer.status_code == 404
        assert b"gus@gone.example" not in answer.content
    with pytest.raises(NotFound):
        sign_ups.open_for(sign_up)
    assert not Agency.objects.filter(slug="gone").exists()


def test_whoever_looked_before_the_deletion_opens_it_no_more(signed_up, monkeypatch):
    agency, sign_up = signed_up
    remove(asked(agency).pk, now=NOON)
    monkeypatch.setattr(sign_ups, "opened_by", lambda sign_up: None)
    with pytest.raises(Conflict):
        sign_ups.open_for(sign_up)
    assert not Agency.objects.filter(slug="gone").exists()


def test_a_new_link_opens_the_address_anew(signed_up):
    agency, _ = signed_up
    remove(asked(agency).pk, now=NOON)
    again = sign_ups.open_for(sign_ups.ask(name="New", slug="gone", email="nina@gone.example"))
    assert (again.slug, again.name) == ("gone", "New")


def test_only_the_key_of_a_used_link_is_left_until_it_has_expired(before, signed_up, monkeypatch):
    agency, sign_up = signed_up
    remove(asked(agency).pk, now=NOON)
    assert list(UsedOrder.objects.values_list()) == [(sign_up.key, NOON)]
    assert nothing_but({**before, "UsedOrder": {(sign_up.key, NOON)}})
    link = sign_ups._token(sign_up, now=NOON)
    last = NOON + timedelta(hours=sign_ups.LINK_HOURS)
    for now, is_left in ((last, True), (last + timedelta(seconds=1), False)):
        monkeypatch.setattr(clock, "read", lambda now=now: now)
        clear_sessions()
        assert UsedOrder.objects.exists() == is_left
        with pytest.raises(NotFound):
            sign_ups.read(link, now=now)
    assert nothing_but(before)
