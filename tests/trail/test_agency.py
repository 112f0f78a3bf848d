"""What the platform changes of an agency lies in its own schema, and is in the agency's trail."""

from typing import Unpack

import pytest

from kernel.actor import Actor, ActorKind, acting
from kernel.errors import NotFound
from tenants import suspensions
from tenants.contexts import platform_context, tenant_context
from tenants.services import AgencyChanges, change_agency
from tests.conftest import NOON
from trail.models import Entry

STAFF = Actor(ActorKind.PERSON, "staff", "Paul of Paceline")


def told(agency):
    with tenant_context(agency):
        return list(Entry.objects.filter(kind="agency").values_list("by_label", "before", "after"))


def change(agency, **changes: Unpack[AgencyChanges]):
    with platform_context(), acting(lambda: STAFF):
        change_agency(agency_id=agency.pk, changes=changes)


def test_its_owner_sees_what_changed_and_by_whom(world):
    change(world.acme, name="Acme & Co.", requires_second_factor=True)
    assert told(world.acme) == [
        (
            "Paul of Paceline",
            {"name": "Acme Media", "requires_second_factor": False},
            {"name": "Acme & Co.", "requires_second_factor": True},
        )
    ]
    assert told(world.zeta) == []


def test_what_stays_as_it_is_is_not_told(world):
    change(world.acme, name="Acme Media")
    change(world.acme)
    assert told(world.acme) == []


def test_a_suspension_and_its_end_are_told(world):
    with platform_context():
        suspensions.suspend(agency_id=world.acme.pk, reason="Unpaid", now=NOON, by=STAFF)
        suspensions.resume(agency_id=world.acme.pk, now=NOON, by=STAFF)
    assert [(before, after) for _, before, after in told(world.acme)] == [
        ({"is_active": False}, {"is_active": True}),
        ({"is_active": True}, {"is_active": False}),
    ]


def test_an_agency_that_is_not_there_is_not_changed(world):
    with platform_context(), pytest.raises(NotFound):
        change_agency(agency_id=0, changes={"name": "Nobody"})
