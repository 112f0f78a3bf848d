"""Make an agency: its row, its address and its schema."""

from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django_tenants.utils import quote_schema_name

from kernel.errors import NameTaken

from .models import Agency, Domain
from .slugs import check_slug


def create_agency(*, name: str, slug: str) -> Agency:
    """Make an agency with its own schema, ready to be used. Call it on the platform's schema.

    Raises InvalidValue for a slug that can't be a host, NameTaken for one that is in use. Where the
    schema can't be made, nothing is left behind.
    """
    check_slug(slug)
    try:
        with transaction.atomic():
            agency = Agency.objects.create(name=name, slug=slug)
            Domain.objects.create(domain=slug, tenant=agency, is_primary=True)
    except IntegrityError:
        raise NameTaken(f"The address {slug!r} is in use.", field="slug") from None
    try:
        _create_schema(agency)
    except BaseException:
        _remove(agency)
        raise
    agency.is_ready = True
    agency.save(update_fields=["is_ready"])
    return agency


def _create_schema(agency: Agency) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {quote_schema_name(agency.schema_name)}")
    call_command(
        "migrate_schemas",
        tenant=True,
        schema_name=agency.schema_name,
        interactive=False,
        verbosity=0,
    )


def _remove(agency: Agency) -> None:
    connection.set_schema_to_public()  # type: ignore[attr-defined]
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {quote_schema_name(agency.schema_name)} CASCADE")
    Agency.objects.filter(pk=agency.pk).delete()
