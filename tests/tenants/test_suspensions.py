"""An agency that is suspended is not there, for anybody, until it is resumed."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client

from campaigns import sweep, tasks
from kernel.actor import Actor, ActorKind
from kernel.errors import Conflict, InvalidValue, NotFound
from tenants.claims import claim_due
from tenants.contexts import platform_context
from tenants.models import Agency, AgencyRun, Domain, Removal, Suspension
from tenants.suspensions import resume, suspend
from tests.conftest import NOBODY, NOON, make_brand

PAT = Actor(ActorKind.PERSON, NOBODY, "Pat")


@pytest.fixture
def platform(world):
    with platform_context():
        yield world


def put_off(agency, reason="unpaid since March"):
    return suspend(agency_id=agency.pk, reason=reason, now=NOON, by=PAT)


def test_its_sessions_and_keys_are_worth_nothing_at_once(world, log_in, api):
    ann, key, zoe = log_in("ann@acme.example"), api(), log_in("zoe@zeta.example")
    assert (ann.get("/").status_code, key.get("/api/brands/").status_code) == (200, 200)
    with platform_context():
        put_off(world.acme)
    for client in (ann, key, Client(HTTP_HOST="acme.localhost:8000")):
        answer = client.get("/api/brands/")
        assert (answer.status_code, answer.content) == (404, b"Not found.\n")
    assert zoe.get("/").status_code == 200


def test_a_host_of_its_own_is_gone_too(platform):
    Domain.objects.create(domain="ads.acme.example", tenant=platform.acme, is_primary=False)
    put_off(platform.acme)
    assert Client().get("/healthz", headers={"host": "ads.acme.example"}).status_code == 404


def test_it_says_who_when_and_why(platform):
    put_off(platform.acme, reason=" unpaid since March ")
    resume(agency_id=platform.acme.pk, now=NOON + timedelta(hours=1), by=PAT)
    [told] = Suspension.objects.all()
    assert (told.reason, told.begun_at, told.begun_by_label) == ("unpaid since March", NOON, "Pat")
    assert (told.ended_at, told.ended_by_id) == (NOON + timedelta(hours=1), NOBODY)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_without_a_reason_nothing_is_suspended(platform, reason):
    with pytest.raises(InvalidValue) as refused:
        put_off(platform.acme, reason=reason)
    assert refused.value.field == "reason"
    assert Agency.objects.get(slug="acme").is_active


def test_what_is_so_already_is_refused(platform):
    with pytest.raises(Conflict, match="not suspended"):
        resume(agency_id=platform.acme.pk, now=NOON, by=PAT)
    put_off(platform.acme)
    with pytest.raises(Conflict, match="suspended already"):
        put_off(platform.acme)
    with pytest.raises(NotFound):
        resume(agency_id=0, now=NOON, by=PAT)


def test_one_that_is_being_made_is_not_suspended(platform):
    new = Agency.objects.create(name="Nova", slug="nova")
    with pytest.raises(Conflict, match="not ready"):
        put_off(new)


def test_one_that_is_being_deleted_is_not_resumed(platform):
    put_off(platform.acme)
    Removal.objects.create(
        agency=platform.acme, slug="acme", schema_name="x", export_path="", asked_at=NOON
    )
    with pytest.raises(Conflict, match="being deleted"):
        resume(agency_id=platform.acme.pk, now=NOON, by=PAT)


def test_no_tick_takes_it_and_a_message_on_its_way_does_nothing(platform):
    put_off(platform.acme)
    assert platform.acme.pk not in [claim.agency_id for claim in claim_due(now=NOON)]
    assert tasks.sweep_agencies([platform.acme.pk], [platform.acme.pk]) == 0
    assert not AgencyRun.objects.filter(agency=platform.acme).exclude(last_sweep_at=None).exists()


def test_resumed_it_is_due_at_once_and_whole_whatever_it_was_before(platform):
    [claim] = [one for one in claim_due(now=NOON) if one.agency_id == platform.acme.pk]
    assert claim.is_full
    AgencyRun.objects.filter(agency=platform.acme).update(
        failures=5, quarantined_at=NOON, retry_at=NOON + timedelta(hours=1)
    )
    put_off(platform.acme)
    resume(agency_id=platform.acme.pk, now=NOON, by=PAT)
    [claim] = [one for one in claim_due(now=NOON) if one.agency_id == platform.acme.pk]
    assert claim.is_full


def test_a_sweep_that_runs_ends_at_its_next_brand(acme, monkeypatch):
    for name in ("First", "Second", "Third"):
        make_brand(name, daily="10")
    decided = []

    def decide(brand_id, *, now):
        decided.append(brand_id)
        with platform_context():
            Agency.objects.filter(pk=acme.pk).update(is_active=False)
        return ()

    monkeypatch.setattr(sweep, "_ASK_SECONDS", 0.0)
    monkeypatch.setattr(sweep, "_enforce_one", decide)
    with platform_context():
        outcome = sweep.sweep_agency(acme, is_full=True, now=NOON + timedelta(days=1))
    assert (len(decided), outcome.postponed) == (1, 2)


def test_the_commands_say_what_they_did(platform, capsys, monkeypatch):
    swept = []
    monkeypatch.setattr(tasks.sweep_agencies, "apply_async", lambda args, **_: swept.append(args))
    call_command("suspend_agency", "acme", reason="unpaid")
    assert not Agency.objects.get(slug="acme").is_active
    call_command("resume_agency", "acme")
    assert Agency.objects.get(slug="acme").is_active
    assert swept == [[[platform.acme.pk], [platform.acme.pk]]]
    assert Suspension.objects.get().begun_by_label == "manage.py"
    said = capsys.readouterr().out
    assert "Acme Media is suspended" in said
    assert "Acme Media is served again" in said


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["suspend_agency", "nobody", "--reason", "x"], "No agency has the slug"),
        (["suspend_agency", "acme", "--reason", " "], "Say why"),
        (["resume_agency", "acme"], "not suspended"),
    ],
)
def test_a_command_that_cannot_says_why(platform, words, sentence):
    with pytest.raises(CommandError, match=sentence), transaction.atomic():
        call_command(*words)
