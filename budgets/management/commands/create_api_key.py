"""`manage.py create_api_key --agency acme --role manager --name probe`

It stands here, and not with the people, because `--brand` asks which brands there are.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.keys import make_key
from accounts.roles import Role
from budgets.models import Brand
from kernel import clock
from kernel.errors import DomainError
from tenants.contexts import tenant_context
from tenants.queries import agency_by_slug


class Command(BaseCommand):
    help = "Make an API key; the key alone is the last line of stdout, shown once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--agency", required=True, help="the agency's slug")
        parser.add_argument("--role", choices=[role.value for role in Role], default=Role.VIEWER)
        parser.add_argument("--name", required=True, help="what the key is for")
        parser.add_argument(
            "--brand",
            action="append",
            dest="brands",
            metavar="NAME",
            help="a brand that it is limited to, by name or id; may be given several times",
        )
        parser.add_argument(
            "--expires",
            metavar="WHEN",
            help="its last day (2026-12-31, UTC), or the instant (2026-12-31T18:00Z) at which it"
            " ends; without it, it works until it is revoked",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        agency = agency_by_slug(options["agency"])
        if agency is None:
            raise CommandError(f"No agency has the slug {options['agency']!r}.")
        expires_at = None if options["expires"] is None else _instant(options["expires"])
        with tenant_context(agency):
            try:
                key, secret = make_key(
                    name=options["name"],
                    role=Role(options["role"]),
                    brand_ids=None if options["brands"] is None else _brands(options["brands"]),
                    expires_at=expires_at,
                    maker=None,
                    now=clock.read(),
                )
            except DomainError as refusal:
                raise CommandError(refusal.message) from None
        self.stdout.write(f"Key {key.name!r} of {agency.name}, role {key.role}. Shown only now:")
        self.stdout.write(secret)


def _instant(text: str) -> datetime:
    """Return the instant at which the key ends. Raises CommandError."""
    try:
        if len(text) == len("2026-12-31"):
            return datetime.combine(
                date.fromisoformat(text) + timedelta(days=1), time(), tzinfo=UTC
            )
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise CommandError(f"{text!r} is no day and no instant, such as 2026-12-31.") from None
    if at.tzinfo is None:
        raise CommandError(f"{text!r} lacks its offset, such as 2026-12-31T18:00Z.")
    return at


def _brands(names: list[str]) -> list[UUID]:
    """Return the brands' ids. Raises CommandError for one that is not here, or not in use."""
    return [_brand(name).id for name in names]


def _brand(name: str) -> Brand:
    try:
        found = Brand.objects.filter(id=UUID(name)).first()
    except ValueError:
        found = Brand.objects.filter(name__iexact=name, archived_at=None).first()
    if found is None:
        raise CommandError(f"There is no brand {name!r}.")
    return found
