"""Make an agency: its row, its address and its schema."""

from datetime import timedelta
from typing import Any, TypedDict
from uuid import UUID

from django.db import IntegrityError
from django.db.models import Q

from kernel import clock
from kernel.errors import Conflict, InvalidValue, NameTaken, NotFound
from kernel.transactions import atomic
from trail.services import note_change

from .contexts import owner_context, tenant_context
from .models import Agency, Domain, Opening, UsedOrder
from .schemas import drop_schema, fill_schema
from .slugs import check_slug

# Longer than the making of a schema takes; a younger row may be somebody else's work.
UNFINISHED_MINUTES = 10
NAME_LENGTH_MAX = 100


def create_agency(*, name: str, slug: str) -> Agency:
    """Make an agency with its own schema, ready to be used. Call it on the platform's schema.

    Raises InvalidValue for a slug that can't be a host, NameTaken for one that is in use. Where
    the schema can't be made, nothing is left behind; what a killed process left, the next try takes
    over.
    """
    agency = begin_agency(name=name, slug=slug)
    try:
        fill_schema(agency, now=clock.read())
    except BaseException:
        remove_agency(agency)
        raise
    make_ready(agency)
    return agency


def begin_agency(
    *, name: str, slug: str, owner_email: str = "", order_key: UUID | None = None
) -> Agency:
    """Make an agency's row and address; `fill_schema`, as the owner, and `make_ready` finish it.

    With an owner's mail, that is owed to him and noted as an `Opening`. The same order makes one
    agency: where there is one with its key, that is returned. Raises InvalidValue for a name or a
    slug that can't be, NameTaken for a slug that is in use, Conflict for an order whose agency is
    gone.
    """
    check_name(name)
    check_slug(slug)
    try:
        return _begin(name=name, slug=slug, owner_email=owner_email, order_key=order_key)
    except IntegrityError:
        made = order_key and Agency.objects.filter(order_key=order_key).first()
        if made:
            return made
        if order_key and UsedOrder.objects.filter(key=order_key).exists():
            raise Conflict("This order was used: its agency is no longer here.") from None
        raise NameTaken(f"The address {slug!r} is in use.", field="slug") from None


def check_name(name: str) -> None:
    """Raise InvalidValue where an agency can't be called so."""
    if not 1 <= len(name) <= NAME_LENGTH_MAX or name != name.strip() or not name.isprintable():
        raise InvalidValue(
            f"A name is 1 to {NAME_LENGTH_MAX} characters on one line.", field="name"
        )
    check_no_link(name)


def check_no_link(name: str) -> None:
    """Raise InvalidValue for a name with a link in it: mails of ours carry names to strangers."""
    if "://" in name:
        raise InvalidValue("A name has no :// in it.", field="name")


def make_ready(agency: Agency) -> None:
    """Let an agency whose schema is whole be served."""
    agency.is_ready = True
    agency.save(update_fields=["is_ready"])


class AgencyChanges(TypedDict, total=False):
    """What can be changed of an agency; what is left out stays as it is."""

    name: str
    requires_second_factor: bool
    allows_support: bool


@atomic
def change_agency(*, agency_id: int, changes: AgencyChanges) -> Agency:
    """Change an agency's settings. Call it on the platform's schema. Raises NotFound."""
    agency = Agency.objects.select_for_update().filter(pk=agency_id).first()
    if agency is None:
        raise NotFound("There is no such agency.")
    before = {name: getattr(agency, name) for name in changes}
    for name, value in changes.items():
        setattr(agency, name, value)
    agency.save(update_fields=list(changes))
    tell_agency(agency, before=before, after=dict(changes))
    return agency


def tell_agency(agency: Agency, *, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Enter a change of the agency's own row into its trail.

    The row lies outside of the agency's schema, where no trigger reaches its trail, and its owner
    is to see it there.
    """
    if agency.is_ready:
        with tenant_context(agency):
            note_change(
                kind="agency",
                object_id=str(agency.pk),
                name=agency.name,
                before=before,
                after=after,
            )


@atomic
def _begin(*, name: str, slug: str, owner_email: str, order_key: UUID | None) -> Agency:
    """Make the rows, all or none; or take over those of an agency that was never finished."""
    if order_key is not None:
        # First of all: of two at once, the second waits here and finds the agency of the first.
        UsedOrder.objects.create(key=order_key, used_at=clock.read())
    agency = _unfinished(slug)
    if agency is None:
        agency = Agency.objects.create(name=name, slug=slug, order_key=order_key)
        Domain.objects.create(domain=slug, tenant=agency, is_primary=True)
    else:
        Opening.objects.filter(agency=agency).delete()
        agency.name, agency.order_key, agency.created_at = name, order_key, clock.read()
        agency.save(update_fields=["name", "order_key", "created_at"])
    if owner_email:
        Opening.objects.create(agency=agency, owner_email=owner_email)
    return agency


def _unfinished(slug: str) -> Agency | None:
    """Return what is left of this agency by a process that was killed, or by a failed opening.

    Whatever became of its schema, `fill_schema` begins from nothing.
    """
    patience = timedelta(minutes=UNFINISHED_MINUTES)
    abandoned = Q(opening=None, created_at__lt=clock.read() - patience)
    # An opening that has not failed is still owed to whoever ordered it.
    failed = Q(opening__in=Opening.objects.exclude(error=""))
    left = Agency.objects.filter(abandoned | failed, slug=slug, is_ready=False)
    return left.select_for_update(of=["self"]).first()


def remove_agency(agency: Agency) -> None:
    """Remove an agency with all that is its own: schema, role, row and addresses."""
    with owner_context():
        _remove(agency)


@atomic
def _remove(agency: Agency) -> None:
    drop_schema(agency)
    Agency.objects.filter(pk=agency.pk).delete()
