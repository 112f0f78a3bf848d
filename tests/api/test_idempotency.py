"""A POST that is sent again with its Idempotency-Key runs once, and is answered the same."""

import json
from dataclasses import replace

import pytest
from django.db import connection, transaction
from django.http import UnreadablePostError
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.response import Response

from accounts.models import create_api_key
from accounts.roles import Role
from api.idempotency import Claim, answer_once
from api.models import RememberedAnswer
from api.resources import resource
from api.resources.brands import BrandView
from budgets.models import Brand, SpendEntry
from campaigns.models import Campaign
from campaigns.services.campaigns import remove_campaign
from kernel.actor import SYSTEM
from tenants.contexts import tenant_context
from tests.api.keys import HEADER, KEY, REPLAYED, assert_refused, assert_replayed, post, spend
from tests.conftest import ANN, NOON, make_brand, make_campaign


@pytest.fixture
def campaign(acme) -> Campaign:
    return make_campaign(make_brand(), daily="50")


def bodies(campaign):
    brand = str(campaign.brand_id)
    hours = {"day_of_week": 1, "start_time": "09:00", "end_time": "18:00"}
    return {
        "brands/": {"name": "N"},
        "budgets/": {"brand": brand, "name": "N"},
        "campaigns/": {"brand": brand, "name": "N"},
        "spends/": spend(campaign),
        "schedules/": {"campaign": str(campaign.id), **hours},
        "spends/batch/": {"rows": [spend(campaign)]},
        "shared-schedules/": {"name": "N"},
        "schedule-exceptions/": {
            "campaign": str(campaign.id),
            "day": "2026-03-04",
            "closed": True,
        },
        "adjustments/": {"amount": "5.00", "period": "DAY", "note": "N"},
    }


POSTS = [
    "brands/",
    "budgets/",
    "campaigns/",
    "spends/",
    "schedules/",
    "spends/batch/",
    "shared-schedules/",
    "schedule-exceptions/",
    "adjustments/",
]


def address(path, campaign):
    """An adjustment is its budget's; the other routes stand by themselves."""
    return f"budgets/{campaign.budget_id}/{path}" if path == "adjustments/" else path


@pytest.mark.parametrize("path", POSTS)
def test_the_same_request_is_answered_the_same_and_runs_once(manager, campaign, path):
    body, path = bodies(campaign)[path], address(path, campaign)
    first = post(manager, path, body)
    assert first.status_code == 201
    assert_replayed(post(manager, path, body), first)
    assert RememberedAnswer.objects.count() == 1


@pytest.mark.parametrize("path", POSTS)
def test_a_request_may_run_again_after_a_rollback(manager, campaign, path, monkeypatch):
    """As after a deadlock, of which the caller need not hear."""

    def answer_twice(*args, **kwargs):
        with transaction.atomic():
            assert answer_once(*args, **kwargs).status_code == 201
            transaction.set_rollback(True)
        return answer_once(*args, **kwargs)

    body, path = bodies(campaign)[path], address(path, campaign)
    with monkeypatch.context() as patched:
        patched.setattr(resource, "answer_once", answer_twice)
        first = post(manager, path, body)
    assert first.status_code == 201
    assert_replayed(post(manager, path, body), first)


def test_two_equal_spends_with_one_key_are_one_and_with_two_keys_two(manager, campaign):
    for key in ("a", "a", "b"):
        assert post(manager, "spends/", spend(campaign), key).status_code == 201
    assert SpendEntry.objects.count() == 2


def test_without_the_header_nothing_is_remembered_and_no_statement_is_added(manager, campaign):
    manager.post("spends/", **spend(campaign))  # The first of its source costs more.
    with CaptureQueriesContext(connection) as plain:
        assert manager.post("spends/", **spend(campaign)).status_code == 201
    assert not any("rememberedanswer" in q["sql"] or "pg_try" in q["sql"] for q in plain)
    assert not RememberedAnswer.objects.exists()
    with CaptureQueriesContext(connection) as keyed:
        assert post(manager, "spends/", spend(campaign)).status_code == 201
    # The lock, the look and the memory; the transaction is not one more of them, but the one.
    added = {q["sql"] for q in keyed if "rememberedanswer" in q["sql"] or "pg_try" in q["sql"]}
    assert len(added) == 3
    assert len(keyed) == len(plain) + 5  # Here it is a savepoint, which is made and released.


def test_the_lock_of_the_key_is_the_first_of_all(manager, campaign):
    with CaptureQueriesContext(connection) as queries:
        post(manager, "spends/", spend(campaign))
    ran = [query["sql"] for query in queries]
    places = [
        next(place for place, sql in enumerate(ran) if words in sql)
        for words in ("pg_try_advisory_xact_lock", "FOR NO KEY UPDATE", "budgets_brandsource")
    ]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("brands/", '{"name": "M"}', "application/json"),
        ("brands/", '{"name":"N"}', "application/json"),
        ("brands/?format=json", '{"name": "N"}', "application/json"),
        ("brands/", '{"name": "N"}', "application/json; charset=utf-8"),
    ],
    ids=["another value", "another space", "another query", "another type"],
)
def test_another_request_with_the_key_is_422_and_does_nothing(manager, path, body, kind):
    first = post(manager, "brands/", '{"name": "N"}')
    assert_refused(post(manager, path, body, kind=kind), 422)
    assert Brand.objects.count() == 1
    assert_replayed(post(manager, "brands/", '{"name": "N"}'), first)


@pytest.mark.parametrize("key", ["", "x" * 256, "naïve", "a\tb", "a\x7fb"])
def test_a_key_that_is_none_is_400(manager, key):
    assert_refused(post(manager, "brands/", {"name": "N"}, key), 400)
    assert not Brand.objects.exists()


@pytest.mark.parametrize("key", ["x", "x" * 255, 'a "b", c~'])
def test_a_key_has_up_to_255_printable_characters(manager, key):
    first = post(manager, "brands/", {"name": "N"}, key)
    assert first.status_code == 201
    assert_replayed(post(manager, "brands/", {"name": "N"}, key), first)


def test_one_key_is_another_on_another_route(manager, campaign):
    for path, body in bodies(campaign).items():
        answer = post(manager, address(path, campaign), body)
        assert (answer.status_code, REPLAYED in answer) == (201, False)
    assert RememberedAnswer.objects.count() == len(POSTS)


def test_one_key_is_another_callers_own(acme, api, log_in, campaign):
    callers = [api("manager"), api("manager"), log_in("ann@acme.example")]
    callers.append(log_in("max@acme.example"))
    for caller in callers:
        answer = post(caller, "spends/", spend(campaign))
        assert (answer.status_code, REPLAYED in answer) == (201, False)
    assert SpendEntry.objects.count() == len(callers)


def test_a_person_who_logs_in_again_is_the_same_caller(acme, log_in):
    first = post(log_in("ann@acme.example"), "brands/", {"name": "N"})
    assert_replayed(post(log_in("ann@acme.example"), "brands/", {"name": "N"}), first)


def test_one_key_is_another_agencys_own(manager, stranger, zeta):
    for client in (manager, stranger):
        answer = post(client, "brands/", {"name": "N"})
        assert (answer.status_code, REPLAYED in answer) == (201, False)
    assert RememberedAnswer.objects.count() == 1
    with tenant_context(zeta):
        assert RememberedAnswer.objects.count() == 1


def test_one_key_is_locked_by_one_agency_for_itself(world):
    """Advisory locks are the database's: an agency must not be told that another one is busy."""
    claim, locks = Claim(ANN, "POST /api/brands/", KEY, request_hash=""), set()
    for agency in (world.acme, world.zeta):
        with tenant_context(agency):
            locks |= {claim.lock, replace(claim, key="x").lock, replace(claim, route="x").lock}
            locks |= {replace(claim, by=SYSTEM).lock}
    assert len(locks) == 8


def test_a_viewer_is_refused_with_a_key_too(viewer):
    answer = post(viewer, "brands/", {"name": "N"})
    assert (answer.status_code, list(answer.json())) == (403, ["detail"])
    assert not RememberedAnswer.objects.exists()


def test_nobody_is_told_401_before_the_key_is_looked_at(acme):
    client = Client(HTTP_HOST="acme.localhost:8000")
    assert post(client, "brands/", {"name": "N"}, key="").status_code == 401


def test_who_lost_the_right_is_refused_the_first_answer(acme):
    key, secret = create_api_key(name="probe", role=Role.MANAGER)
    client = Client(HTTP_HOST="acme.localhost:8000", HTTP_AUTHORIZATION=f"Api-Key {secret}")
    assert post(client, "brands/", {"name": "N"}).status_code == 201
    key.role = Role.VIEWER
    key.save()
    assert post(client, "brands/", {"name": "N"}).status_code == 403


def test_the_first_answer_stays_though_the_world_has_changed(manager, campaign):
    body = {"brand": str(campaign.brand_id), "name": "N"}
    first = post(manager, "campaigns/", body)
    remove_campaign(campaign_id=first.json()["id"], now=NOON, by=ANN)
    assert manager.get(f"campaigns/{first.json()['id']}/").status_code == 404
    assert_replayed(post(manager, "campaigns/", body), first)


def test_a_duplicates_200_is_answered_again(manager, campaign):
    body = spend(campaign, external_id="k")
    post(manager, "spends/", body, key="a")
    first = post(manager, "spends/", body, key="b")
    assert first.status_code == 200
    assert_replayed(post(manager, "spends/", body, key="b"), first)


def test_the_headers_that_the_handler_chose_are_answered_again(manager, monkeypatch):
    headers = {"Location": "/api/brands/1/", "X-Other": "1"}
    monkeypatch.setattr(BrandView, "create", lambda *_: Response({}, 201, headers=headers))
    first, again = (post(manager, "brands/", {"name": "N"}) for _ in range(2))
    assert_replayed(again, first)
    assert again["Location"] == "/api/brands/1/"
    assert "X-Other" not in again


def test_an_answer_without_a_body_is_answered_again_without_its_type(manager, monkeypatch):
    monkeypatch.setattr(BrandView, "create", lambda *_: Response(status=204))
    first, again = (post(manager, "brands/", {"name": "N"}) for _ in range(2))
    for answer in (first, again):
        assert (answer.status_code, answer.content) == (204, b"")
        assert "Content-Type" not in answer
    assert again[REPLAYED] == "true"


def test_a_file_in_csv_is_answered_again(manager, campaign):
    text = f"campaign,amount,spend_date\n{campaign.id},5,2026-03-01\n"
    first = post(manager, "spends/batch/?source=meta", text, kind="text/csv")
    assert first.json()["recorded"] == 1
    again = post(manager, "spends/batch/?source=meta", text, kind="text/csv")
    assert_replayed(again, first)
    assert SpendEntry.objects.count() == 1
    assert_refused(post(manager, "spends/batch/?source=x", text, kind="text/csv"), 422)


def test_a_refusal_is_not_kept(manager):
    first = post(manager, "brands/", {"name": "N", "currency": "no"})
    assert (first.status_code, list(first.json())) == (400, ["currency"])
    assert not RememberedAnswer.objects.exists()
    # So the key is free for the request that was meant.
    assert post(manager, "brands/", {"name": "N"}).status_code == 201


def test_a_refusal_that_is_returned_rather_than_raised_is_not_kept_either(manager, campaign):
    rows = [spend(campaign), spend(campaign, "x")]
    refused = post(manager, "spends/batch/", {"rows": rows})
    assert (refused.status_code, len(refused.json()["errors"])) == (422, 1)
    assert not RememberedAnswer.objects.exists()
    assert not SpendEntry.objects.exists()
    assert post(manager, "spends/batch/", {"rows": rows[:1]}).status_code == 201


def test_what_a_refused_answer_had_stored_is_rolled_back(manager, monkeypatch):
    """A handler must not store and then refuse; with a key it can't."""
    real = BrandView.create

    def refuse(self, request, **_):
        answer = real(self, request)
        answer.status_code = 409
        return answer

    monkeypatch.setattr(BrandView, "create", refuse)
    assert post(manager, "brands/", {"name": "N"}).status_code == 409
    assert not Brand.objects.exists()
    assert not RememberedAnswer.objects.exists()


def test_a_handler_that_dies_after_its_service_wrote_leaves_neither(manager, monkeypatch):
    def die(*_):
        assert Brand.objects.exists()
        raise RuntimeError("died")

    manager.client.raise_request_exception = False
    with monkeypatch.context() as patched:
        patched.setattr(BrandView, "find", die)
        assert post(manager, "brands/", {"name": "N"}).status_code == 500
    assert not Brand.objects.exists()
    assert not RememberedAnswer.objects.exists()
    assert post(manager, "brands/", {"name": "N"}).status_code == 201


def test_an_answer_that_can_not_be_kept_takes_its_work_along(manager, monkeypatch):
    def die(*_, **__):
        assert Brand.objects.exists()
        raise RuntimeError("died")

    manager.client.raise_request_exception = False
    monkeypatch.setattr(RememberedAnswer.objects, "create", die)
    assert post(manager, "brands/", {"name": "N"}).status_code == 500
    assert not Brand.objects.exists()


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_only_a_post_has_a_use_for_a_key(manager, method):
    brand = make_brand()
    if method == "GET":  # Where there is a POST too.
        assert manager.client.get("/api/brands/", headers={HEADER: ""}).status_code == 200
    body = {} if method == "GET" else {"name": "M"}
    for _ in range(2):
        answer = manager.client.generic(
            method,
            f"/api/brands/{brand.id}/",
            json.dumps(body),
            "application/json",
            headers={HEADER: ""},
        )
        assert REPLAYED not in answer
    assert answer.status_code == (404 if method == "DELETE" else 200)
    assert not RememberedAnswer.objects.exists()


@pytest.mark.parametrize(("path", "status"), [("reports/monthly/", 405), ("nowhere/", 404)])
def test_where_nothing_is_posted_a_key_means_nothing(manager, path, status):
    assert post(manager, path, {}, key="").status_code == status


def test_a_body_that_is_cut_off_is_400(manager, monkeypatch):
    def cut(*_):
        raise UnreadablePostError("cut")

    monkeypatch.setattr("django.core.handlers.wsgi.WSGIRequest.read", cut)
    assert post(manager, "brands/", {"name": "N"}).status_code == 400


def test_a_session_whose_csrf_token_is_checked_may_use_a_key(acme, log_in):
    """The check parses the body, after which nobody else could read its bytes."""
    client = log_in("max@acme.example")
    client.handler.enforce_csrf_checks = True
    client.cookies["csrftoken"] = token = "a" * 32
    client.defaults |= {"HTTP_X_CSRFTOKEN": token, "HTTP_ORIGIN": "http://acme.localhost:8000"}
    first = post(client, "brands/", {"name": "N"})
    assert first.status_code == 201
    assert_replayed(post(client, "brands/", {"name": "N"}), first)
    assert_refused(post(client, "brands/", {"name": "M"}), 422)


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=b", "text/plain"])
def test_a_body_of_another_type_is_415_with_a_key_too(manager, kind):
    assert post(manager, "brands/", b"--b--", kind=kind).status_code == 415
