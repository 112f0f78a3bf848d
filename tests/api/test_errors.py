"""The one table from refusals to statuses, and the one shape of their bodies."""

import pytest
from django.db import OperationalError, connection
from django.test import Client
from psycopg import errors as postgres
from rest_framework.exceptions import ValidationError

from accounts.models import create_api_key
from accounts.roles import Role
from api.errors import answer
from budgets.models import Brand
from campaigns.services import brands
from kernel.errors import Busy, Conflict, InvalidValue, NameTaken, NotAllowed, NotFound
from tests.conftest import make_brand


class SpentTwice(Conflict):
    """A kind of conflict is one."""


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidValue, 400),
        (NameTaken, 400),
        (NotAllowed, 403),
        (NotFound, 404),
        (Conflict, 409),
        (SpentTwice, 409),
        (Busy, 503),
    ],
)
def test_a_refusal_has_its_status_and_sentence(error, status):
    response = answer(error("No."), {})
    assert response is not None
    assert (response.status_code, response.data) == (status, {"detail": "No."})


def test_a_refusal_names_its_field():
    response = answer(InvalidValue("No.", field="name"), {})
    assert response is not None
    assert response.data == {"name": ["No."]}


def test_only_what_passes_is_worth_a_retry():
    busy, refused = answer(Busy("No."), {}), answer(InvalidValue("No."), {})
    assert busy is not None
    assert refused is not None
    assert busy["Retry-After"] == "1"
    assert "Retry-After" not in refused


def test_our_own_mistakes_are_not_answered():
    assert answer(RuntimeError("bug"), {}) is None


@pytest.mark.parametrize("detail", [["One.", "Two."], {"non_field_errors": ["One.", "Two."]}])
def test_sentences_without_a_field_are_the_detail(detail):
    response = answer(ValidationError(detail), {})
    assert response is not None
    assert response.data == {"detail": "One. Two."}


@pytest.mark.parametrize("kind", [postgres.DeadlockDetected, postgres.SerializationFailure])
def test_a_deadlock_is_503(manager, monkeypatch, kind):
    def collide(**_):
        raise OperationalError("collision") from kind("collision")

    monkeypatch.setattr(brands, "create_brand", collide)
    response = manager.post("brands/", name="N")
    assert (response.status_code, response["Retry-After"]) == (503, "1")


def test_another_failure_of_the_database_stays_one(manager, monkeypatch):
    def fail(**_):
        raise OperationalError("too complex") from postgres.StatementTooComplex("too complex")

    monkeypatch.setattr(brands, "create_brand", fail)
    manager.client.raise_request_exception = False
    assert manager.post("brands/", name="N").status_code == 500


def test_what_is_gone_once_its_lock_was_had_is_404(manager, monkeypatch):
    brand = make_brand()

    def vanish(**_):
        Brand.objects.get(id="00000000-0000-0000-0000-000000000000")

    monkeypatch.setattr(brands, "update_brand", vanish)
    assert manager.patch(f"brands/{brand.id}/", name="N").status_code == 404


def test_a_lock_that_somebody_else_holds_is_503_and_nothing_is_stored(own_agency):
    brand = make_brand()
    _, secret = create_api_key(name="probe", role=Role.MANAGER)
    client = Client(
        HTTP_HOST=f"{own_agency.slug}.localhost:8000", HTTP_AUTHORIZATION=f"Api-Key {secret}"
    )
    somebody = connection.copy()
    somebody.set_tenant(own_agency)  # type: ignore[attr-defined]
    try:
        somebody.set_autocommit(False)
        with somebody.cursor() as cursor, connection.cursor() as ours:
            cursor.execute("SELECT 1 FROM budgets_brand FOR UPDATE")
            ours.execute("SET lock_timeout = '100ms'")
            response = client.patch(f"/api/brands/{brand.id}/", {"name": "N"}, "application/json")
            assert (response.status_code, response["Retry-After"]) == (503, "1")
            somebody.rollback()
            response = client.patch(f"/api/brands/{brand.id}/", {"name": "N"}, "application/json")
            assert response.status_code == 200
    finally:
        somebody.close()
        connection.close()
