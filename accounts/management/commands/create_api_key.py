"""`manage.py create_api_key --agency acme --role manager --name probe`"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import create_api_key
from accounts.roles import Role
from tenants.contexts import tenant_context
from tenants.queries import agency_by_slug


class Command(BaseCommand):
    help = "Make an API key; the key alone is the last line of stdout, shown once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--agency", required=True, help="the agency's slug")
        parser.add_argument("--role", choices=[role.value for role in Role], default=Role.VIEWER)
        parser.add_argument("--name", required=True, help="what the key is for")

    def handle(self, *args: Any, **options: Any) -> None:
        agency = agency_by_slug(options["agency"])
        if agency is None:
            raise CommandError(f"No agency has the slug {options['agency']!r}.")
        if not 1 <= len(options["name"]) <= 100:
            raise CommandError("A key's name has 1 to 100 characters.")
        with tenant_context(agency):
            key, secret = create_api_key(name=options["name"], role=Role(options["role"]))
        self.stdout.write(f"Key {key.name!r} of {agency.name}, role {key.role}. Shown only now:")
        self.stdout.write(secret)
