"""An agency that was ordered is made once, whatever becomes of messages and workers."""

from datetime import timedelta
from smtplib import SMTPException

import pytest
from django.core.management import call_command
from django_celery_beat.models import PeriodicTask

from accounts import services, tasks
from accounts.models import User
from accounts.roles import Role
from accounts.services import open_agency, order_agency
from kernel import clock
from kernel.errors import InvalidValue, NameTaken
from tenants import openings
from tenants.contexts import platform_context, tenant_context
from tenants.models import Agency, Opening
from tests.conftest import NOON

MINUTE = timedelta(minutes=1)


@pytest.fixture
def nova(db, monkeypatch):
    """An agency that was ordered at noon."""
    monkeypatch.setattr(clock, "read", lambda: NOON)
    with platform_context():
        yield order_agency(name="Nova", slug="nova", owner_email="Nina@Nova.example")


def fails(*args, **options):
    raise RuntimeError("no space")


def test_it_is_made_with_its_owner_who_gets_a_link(nova, mailoutbox):
    assert not nova.is_ready
    assert open_agency(agency_id=nova.pk, now=NOON)
    nova.refresh_from_db()
    assert nova.is_ready
    with tenant_context(nova):
        owner = User.objects.get()
    assert (owner.email, owner.role) == ("nina@nova.example", Role.OWNER)
    [mail] = mailoutbox
    assert mail.to == ["nina@nova.example"]
    assert "http://nova.localhost:8000/accounts/password/reset/key/" in mail.body
    assert not Opening.objects.exists()


def test_a_message_that_comes_twice_makes_it_once(nova, mailoutbox):
    assert open_agency(agency_id=nova.pk, now=NOON)
    assert not open_agency(agency_id=nova.pk, now=NOON)
    assert len(mailoutbox) == 1


def test_whoever_comes_second_leaves_it_to_the_first(nova, mailoutbox):
    assert openings.take(nova.pk, now=NOON)
    assert not open_agency(agency_id=nova.pk, now=NOON + MINUTE)
    assert not mailoutbox


def test_what_a_killed_worker_began_is_made_from_nothing_some_minutes_later(nova, mailoutbox):
    class Killed(BaseException):
        pass

    def die(user):
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services, "make_ready", die)
        with pytest.raises(Killed):
            open_agency(agency_id=nova.pk, now=NOON)
    assert openings.due(now=NOON + 2 * MINUTE) == []
    assert openings.due(now=NOON + 4 * MINUTE) == [nova.pk]
    assert open_agency(agency_id=nova.pk, now=NOON + 4 * MINUTE)
    with tenant_context(nova):
        assert User.objects.count() == 1
    assert len(mailoutbox) == 1


def test_one_that_fails_says_why_and_waits_for_somebody(nova, monkeypatch, caplog):
    monkeypatch.setattr(services, "fill_schema", fails)
    assert not open_agency(agency_id=nova.pk, now=NOON)
    assert "agency not opened agency=nova" in caplog.text
    assert Opening.objects.get().error == "RuntimeError: no space"
    assert openings.due(now=NOON + 9 * MINUTE) == []
    assert openings.try_again([nova.pk]) == [nova.pk]
    assert openings.due(now=NOON) == [nova.pk]


def test_a_mail_that_could_not_be_sent_is_owed(nova, monkeypatch, mailoutbox):
    with monkeypatch.context() as patch:

        def no_mail(user):
            raise SMTPException("no")

        patch.setattr(services, "mail_password_link", no_mail)
        assert not open_agency(agency_id=nova.pk, now=NOON)
    nova.refresh_from_db()
    assert nova.is_ready
    assert Opening.objects.get().error == "SMTPException: no"
    with tenant_context(nova):
        User.objects.update(name="Nina")
    openings.try_again([nova.pk])
    assert open_agency(agency_id=nova.pk, now=NOON)
    assert len(mailoutbox) == 1
    with tenant_context(nova):
        # What was made is not made again.
        assert User.objects.get().name == "Nina"


def test_a_slow_worker_that_fails_does_not_stop_the_one_who_followed(nova):
    first = openings.take(nova.pk, now=NOON)
    second = openings.take(nova.pk, now=NOON + 4 * MINUTE)
    assert first
    assert second
    openings.fail(first, error="late")
    assert Opening.objects.get().error == ""


def test_an_address_is_the_first_ones_until_it_failed(nova, monkeypatch):
    with pytest.raises(NameTaken):
        order_agency(name="Other", slug="nova", owner_email="o@other.example")
    monkeypatch.setattr(clock, "read", lambda: NOON + timedelta(days=1))
    with pytest.raises(NameTaken):
        order_agency(name="Other", slug="nova", owner_email="o@other.example")
    Opening.objects.update(error="RuntimeError: no space")
    order_agency(name="Other", slug="nova", owner_email="o@other.example")
    assert Agency.objects.get(slug="nova").name == "Other"


def test_an_order_with_a_bad_address_leaves_nothing(nova):
    with pytest.raises(InvalidValue):
        order_agency(name="Other", slug="other", owner_email="nobody")
    assert not Agency.objects.filter(slug="other").exists()


def test_the_tick_rings_again_for_what_was_never_begun(nova, monkeypatch):
    rung: list[int] = []
    monkeypatch.setattr(tasks.open_agency, "delay", rung.append)
    assert tasks.open_agencies() == 1
    assert rung == [nova.pk]
    tasks.open_agency(nova.pk)
    assert tasks.open_agencies() == 0


def test_the_tick_is_among_the_schedulers_rows(nova):
    task = PeriodicTask.objects.get(task=tasks.open_agencies.name)
    assert (task.enabled, str(task.interval)) == (True, "every 60 seconds")


def test_the_command_opens_it_at_once(db, mailoutbox):
    with platform_context():
        call_command("create_agency", "Trial", slug="trial", owner="tina@trial.example")
        assert Agency.objects.get(slug="trial").is_ready
        assert not Opening.objects.exists()
    assert len(mailoutbox) == 1
