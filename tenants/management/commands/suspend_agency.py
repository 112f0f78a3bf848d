"""`manage.py suspend_agency SLUG --reason "unpaid since March"`"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kernel import clock
from kernel.actor import COMMAND
from kernel.errors import DomainError
from tenants.queries import agency_by_slug
from tenants.suspensions import suspend


class Command(BaseCommand):
    help = "Take an agency out of service: its host answers 404 and nothing sweeps it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the agency's address")
        parser.add_argument("--reason", required=True, help="why; kept with the agency")

    def handle(self, *args: Any, **options: Any) -> None:
        agency = agency_by_slug(options["slug"])
        if agency is None:
            raise CommandError(f"No agency has the slug {options['slug']!r}.")
        try:
            suspend(agency_id=agency.pk, reason=options["reason"], now=clock.read(), by=COMMAND)
        except DomainError as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(f"{agency.name} is suspended: {agency.host} answers 404.")
