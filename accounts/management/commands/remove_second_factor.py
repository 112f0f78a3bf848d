"""`manage.py remove_second_factor EMAIL --agency acme`"""

from contextlib import nullcontext
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.security import remove_factors
from tenants.contexts import tenant_context
from tenants.queries import agency_by_slug


class Command(BaseCommand):
    help = "Take the second factors of somebody away whom nobody else can help; sessions end."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="with which they log in")
        parser.add_argument("--agency", help="the agency's slug; without it, the platform's staff")

    def handle(self, *args: Any, **options: Any) -> None:
        agency = agency_by_slug(options["agency"]) if options["agency"] else None
        if options["agency"] and agency is None:
            raise CommandError(f"No agency has the slug {options['agency']!r}.")
        with tenant_context(agency) if agency else nullcontext():
            user = User.objects.filter(email=options["email"].strip().lower()).first()
            if user is None:
                raise CommandError(f"Nobody here logs in with {options['email']!r}.")
            remove_factors(user_id=user.id)
        self.stdout.write(f"{user.email} logs in with the password alone, and can set one up anew.")
