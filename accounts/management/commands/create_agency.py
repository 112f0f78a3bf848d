"""`manage.py create_agency NAME --slug acme --owner EMAIL`"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.roles import Role
from accounts.services import add_person, check_email, mail_password_link
from kernel.errors import DomainError
from tenants.contexts import tenant_context
from tenants.services import create_agency


class Command(BaseCommand):
    help = "Make an agency with its own schema, and mail its owner a one-time link."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the agency's name")
        parser.add_argument("--slug", required=True, help="its address: SLUG.<platform's domain>")
        parser.add_argument("--owner", required=True, help="the owner's e-mail address")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            owner_email = check_email(options["owner"])
            agency = create_agency(name=options["name"].strip(), slug=options["slug"].strip())
            with tenant_context(agency):
                owner = add_person(email=owner_email, role=Role.OWNER)
                link = mail_password_link(owner)
        except DomainError as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(f"{agency.name} is served on {agency.url}/")
        self.stdout.write(f"{owner.email} sets the password here, once: {link}")
