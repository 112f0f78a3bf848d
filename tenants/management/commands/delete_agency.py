"""`manage.py delete_agency SLUG --export PATH`"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from redis import RedisError

from kernel import clock
from kernel.actor import COMMAND
from kernel.errors import DomainError
from tenants import removals
from tenants.models import Removal


class Command(BaseCommand):
    help = (
        "Export an agency, and then delete all of it: its data, people, keys and address. What was"
        " interrupted is finished by the same command."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the agency's address; there is no further question")
        parser.add_argument(
            "--export",
            type=Path,
            metavar="PATH",
            help="the ZIP to write first, or a folder for it; default: PACELINE_HOME/exports",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        slug, now = options["slug"], clock.read()
        try:
            removal = removals.take_up(slug=slug, export=options["export"], now=now, by=COMMAND)
            export = removals.remove(removal.pk, now=now)
        except DomainError as refusal:
            raise CommandError(refusal.message) from None
        except RedisError as failure:
            raise CommandError(
                f"{slug} is deleted, but Redis can't be asked to forget it ({failure}): run this"
                " again, or leave it to the workers."
            ) from None
        except Exception as failure:
            raise CommandError(
                f"Nothing is deleted, and {slug} stays suspended: {failure}"
            ) from failure
        self._tell(removal, told=f", {export.rows} rows" if export else "")
        if export:
            self.stdout.write(f"SHA-256 {export.sha256}")

    def _tell(self, removal: Removal, *, told: str) -> None:
        self.stdout.write(f"{removal.slug} is deleted.")
        self.stdout.write(f"Its export{told}: {removal.export_path}")
