"""Answers to Idempotency-Keys are kept for thirty days."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import PeriodicTask

from api import tasks
from api.idempotency import forget_answers
from api.models import RememberedAnswer
from kernel import clock
from tenants.contexts import current_agency, platform_context, tenant_context
from tests.api.keys import post
from tests.conftest import NOON


@pytest.mark.parametrize(
    ("age", "is_kept"),
    [
        (timedelta(days=30) - timedelta(seconds=1), True),
        (timedelta(days=30), True),
        (timedelta(days=30, seconds=1), False),
    ],
)
def test_an_answer_is_kept_for_thirty_days_in_every_agency(
    manager, stranger, world, monkeypatch, age, is_kept
):
    for client in (manager, stranger):
        assert post(client, "brands/", {"name": "N"}).status_code == 201
    monkeypatch.setattr(clock, "read", lambda: NOON + age)
    assert tasks.forget_old_answers() == (0 if is_kept else 2)
    for agency in (world.acme, world.zeta):
        with tenant_context(agency):
            assert RememberedAnswer.objects.exists() is is_kept


def test_an_agency_where_forgetting_fails_delays_no_other(
    manager, stranger, world, monkeypatch, caplog
):
    for client in (manager, stranger):
        post(client, "brands/", {"name": "N"})

    def fail_in_acme(*, now):
        if current_agency() == world.acme:
            raise DatabaseError("no such table")
        return forget_answers(now=now)

    monkeypatch.setattr(tasks, "forget_answers", fail_in_acme)
    monkeypatch.setattr(clock, "read", lambda: NOON + timedelta(days=31))
    assert tasks.forget_old_answers() == 1
    assert "answers not forgotten agency=acme" in caplog.text


@pytest.mark.parametrize("count", [1, 40])
def test_forgetting_takes_one_statement_for_any_number(manager, count):
    for number in range(count):
        post(manager, "brands/", {"name": f"N{number}"}, key=str(number))
    with CaptureQueriesContext(connection) as queries:
        assert forget_answers(now=NOON + timedelta(days=31)) == count
    assert sum("search_path" not in query["sql"] for query in queries) == 1


def test_every_night_old_answers_are_forgotten(db):
    with platform_context():
        task = PeriodicTask.objects.get(task=tasks.forget_old_answers.name)
    assert task.enabled
