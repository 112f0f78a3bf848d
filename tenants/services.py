"""Make an agency: its row, its address and its schema."""

from datetime import datetime, timedelta
from typing import TypedDict

from django.db import IntegrityError, connection
from django.db.models import Q
from django_tenants.utils import quote_schema_name

from kernel import clock
from kernel.errors import NameTaken, NotFound
from kernel.transactions import atomic
from trail.services import note_change

from . import doorbell
from .contexts import owner_context, tenant_context
from .models import Agency, Domain
from .schemas import drop_schema, fill_schema
from .slugs import check_slug

# Longer than the making of a schema takes; a younger row may be somebody else's work.
UNFINISHED_MINUTES = 10


def create_agency(*, name: str, slug: str) -> Agency:
    """Make an agency with its own schema, ready to be used. Call it on the platform's schema.

    Raises InvalidValue for a slug that can't be a host, NameTaken for one that is in use. Where the
    schema can't be made, nothing is left behind; what a killed process left, the next try removes.
    """
    agency = begin_agency(name=name, slug=slug)
    try:
        fill_schema(agency, now=clock.read())
    except BaseException:
        remove_agency(agency)
        raise
    make_ready(agency)
    return agency


def begin_agency(*, name: str, slug: str) -> Agency:
    """Make an agency's row, address and empty schema, which `fill_schema` and `make_ready` finish.

    Raises InvalidValue for a slug that can't be a host, NameTaken for one that is in use.
    """
    check_slug(slug)
    try:
        with owner_context():
            _remove_unfinished(slug)
            return _begin(name=name, slug=slug)
    except IntegrityError:
        raise NameTaken(f"The address {slug!r} is in use.", field="slug") from None


def make_ready(agency: Agency) -> None:
    """Let an agency whose schema is whole be served."""
    agency.is_ready = True
    agency.save(update_fields=["is_ready"])


class AgencyChanges(TypedDict, total=False):
    """What can be changed of an agency; what is left out stays as it is."""

    name: str
    is_active: bool
    requires_second_factor: bool
    allows_support: bool


@atomic
def change_agency(*, agency_id: int, changes: AgencyChanges, now: datetime) -> Agency:
    """Change an agency's settings. Call it on the platform's schema. Raises NotFound.

    They lie outside of the agency's schema, where no trigger reaches its trail. Its owner is to see
    them there, so the change is entered by hand.
    """
    agency = Agency.objects.select_for_update().filter(pk=agency_id).first()
    if agency is None:
        raise NotFound("There is no such agency.")
    before = {name: getattr(agency, name) for name in changes}
    was_active = agency.is_active
    for name, value in changes.items():
        setattr(agency, name, value)
    agency.save(update_fields=list(changes))
    if agency.is_ready:
        with tenant_context(agency):
            note_change(
                kind="agency",
                object_id=str(agency.pk),
                name=agency.name,
                before=before,
                after=dict(changes),
            )
    if agency.is_active and not was_active:
        # What its campaigns missed meanwhile is decided in the next minute.
        doorbell.ring(agency, at=now)
    return agency


@atomic
def _begin(*, name: str, slug: str) -> Agency:
    """Make the row and its empty schema, both or neither."""
    agency = Agency.objects.create(name=name, slug=slug)
    Domain.objects.create(domain=slug, tenant=agency, is_primary=True)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {quote_schema_name(agency.schema_name)}")
    return agency


def _remove_unfinished(slug: str) -> None:
    """Remove what is left of this agency by a process that was killed, or by a failed opening."""
    patience = timedelta(minutes=UNFINISHED_MINUTES)
    abandoned = Q(opening=None, created_at__lt=clock.read() - patience)
    # An opening that has not failed is still owed to whoever ordered it.
    failed = ~Q(opening=None) & ~Q(opening__error="")
    left = Agency.objects.filter(abandoned | failed, slug=slug, is_ready=False).first()
    if left is not None:
        remove_agency(left)


def remove_agency(agency: Agency) -> None:
    """Remove an agency with all that is its own: schema, role, row and addresses."""
    with owner_context():
        _remove(agency)


@atomic
def _remove(agency: Agency) -> None:
    drop_schema(agency)
    Agency.objects.filter(pk=agency.pk).delete()
