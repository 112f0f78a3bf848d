"""`manage.py export_agency SLUG PATH`"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kernel import clock
from kernel.errors import DomainError
from tenants.exports import export_agency, file_at
from tenants.models import Agency


class Command(BaseCommand):
    help = "Write all that an agency has into one file, as of one instant; nobody waits for it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the agency's address")
        parser.add_argument("path", type=Path, help="the ZIP to write, or a folder for it")

    def handle(self, *args: Any, **options: Any) -> None:
        agency = Agency.objects.filter(slug=options["slug"], is_ready=True).first()
        if agency is None:
            raise CommandError(f"No agency has the slug {options['slug']!r}.")
        now = clock.read()
        try:
            export = export_agency(agency, file_at(options["path"], agency, now=now), now=now)
        except DomainError as refusal:
            raise CommandError(refusal.message) from None
        except OSError as failure:
            raise CommandError(f"The export can't be written: {failure}") from None
        self.stdout.write(
            f"{agency.name}: {export.rows} rows of {export.tables} tables in {export.path}"
        )
        self.stdout.write(f"SHA-256 {export.sha256}")
