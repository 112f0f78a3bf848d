"""Every page of the agency's admin: whoever is registered with the site is in these tests."""

from collections import Counter
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import ApiKey, User
from backoffice.sites import agency_site
from tests.backoffice.conftest import page
from tests.backoffice.rows import AGENCY

MODELS = sorted(agency_site._registry, key=lambda model: model.__name__)
PEOPLE = {User, ApiKey}
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)


@every_model
def test_each_model_has_a_maker_of_rows(model):
    assert model in AGENCY, f"tests/backoffice/rows.py lacks a maker for {model.__name__}"


@every_model
def test_an_owner_sees_every_list_and_row(acme, ann, model):
    row = AGENCY[model](3)
    for address in (
        page(model, "changelist"),
        page(model, "changelist") + "?q=search&o=1",
        page(model, "change", row.pk),
        page(model, "history", row.pk),
    ):
        assert ann.get(address).status_code == 200, address


@every_model
def test_an_owner_gets_a_form_wherever_rows_can_be_added(acme, ann, model):
    admin: Any = agency_site.get_model_admin(model)
    expected = 200 if admin.can_add and admin.edit_right else 403
    assert ann.get(page(model, "add")).status_code == expected


@every_model
def test_a_viewer_looks_and_changes_nothing(acme, vic, model):
    row = AGENCY[model](1)
    looks = 403 if model in PEOPLE else 200
    assert vic.get(page(model, "changelist")).status_code == looks
    assert vic.get(page(model, "change", row.pk)).status_code == looks
    assert vic.get(page(model, "history", row.pk)).status_code == looks
    assert vic.get(page(model, "add")).status_code == 403
    assert vic.post(page(model, "add"), {"name": "Sneaky"}).status_code == 403
    assert vic.post(page(model, "change", row.pk), {"name": "Sneaky"}).status_code == 403
    assert vic.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


@every_model
def test_a_manager_does_not_see_people_and_keys(acme, max_, model):
    AGENCY[model](1)
    expected = 403 if model in PEOPLE else 200
    assert max_.get(page(model, "changelist")).status_code == expected


@every_model
def test_a_row_of_another_agency_does_not_exist(acme, zoe, model):
    row = AGENCY[model](1)
    response = zoe.get(page(model, "change", row.pk), follow=True)
    assert "doesn’t exist" in response.content.decode()
    assert page(model, "change", row.pk) not in zoe.get(page(model, "changelist")).content.decode()
    assert zoe.get(page(model, "history", row.pk)).status_code == 404


@every_model
def test_nobody_enters_without_logging_in_here(acme, zoe, model):
    address = page(model, "changelist")
    stranger = Client(HTTP_HOST="acme.localhost:8000")
    # The session is Zeta's: on Acme's host the cookie names nothing.
    stranger.cookies = zoe.cookies
    for client in (Client(HTTP_HOST="acme.localhost:8000"), stranger):
        response = client.get(address, follow=True)
        assert response.redirect_chain[-1][0] == f"/accounts/login/?next={address}"


@every_model
@pytest.mark.parametrize("who", ["ann", "vic"])
def test_a_list_takes_the_same_statements_for_any_number_of_rows(acme, request, model, who):
    if who == "vic" and model in PEOPLE:
        pytest.skip("a viewer does not see this list")
    client = request.getfixturevalue(who)
    address = page(model, "changelist")
    client.get(address)
    few = _statements(client, address, model, 2)
    many = _statements(client, address, model, 40)
    assert len(few) == len(many), _shape(many) - _shape(few)


def _statements(client, address, model, count):
    """The statements of one page with `count` rows, which are gone afterwards."""
    savepoint = transaction.savepoint()
    AGENCY[model](count)
    with CaptureQueriesContext(connection) as captured:
        response = client.get(address)
    assert len(response.context["cl"].result_list) >= count
    transaction.savepoint_rollback(savepoint)
    return [query["sql"] for query in captured]


def _shape(statements: list[str]) -> Counter[str]:
    return Counter(sql.strip()[:160] for sql in statements)
