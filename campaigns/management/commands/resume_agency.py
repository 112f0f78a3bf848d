"""`manage.py resume_agency SLUG`"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns.tasks import sweep_soon
from kernel import clock
from kernel.actor import COMMAND
from kernel.errors import DomainError
from tenants.queries import agency_by_slug
from tenants.suspensions import resume


class Command(BaseCommand):
    help = "Serve a suspended agency again, and decide at once what its campaigns missed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the agency's address")

    def handle(self, *args: Any, **options: Any) -> None:
        agency = agency_by_slug(options["slug"])
        if agency is None:
            raise CommandError(f"No agency has the slug {options['slug']!r}.")
        try:
            resume(agency_id=agency.pk, now=clock.read(), by=COMMAND)
        except DomainError as refusal:
            raise CommandError(refusal.message) from None
        sweep_soon(agency.pk)
        self.stdout.write(f"{agency.name} is served again on {agency.url}/")
