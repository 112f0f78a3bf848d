"""`manage.py import_spend FILE --agency SLUG --brand NAME --map date=c_date,…`"""

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from kernel import clock
from kernel.actor import Actor, ActorKind
from kernel.errors import DomainError
from tenants.contexts import tenant_context

from ...models import Status
from ...services.imports import IMPORT_SOURCE, import_spend
from ...spend_file import FIELDS, UnreadableFile, read_spend_file
from ..agency_pass import chosen_agencies, keep_quiet

_IMPORTER = Actor(ActorKind.SYSTEM, "", "import_spend")


def column_map(text: str) -> dict[str, str]:
    """Parse `--map field=column,…`. Raises ArgumentTypeError."""
    columns = {}
    for pair in text.split(","):
        field, equals, column = pair.partition("=")
        if not equals or not field.strip() or not column.strip():
            raise ArgumentTypeError(f"{pair!r} is not of the form field=column")
        if field.strip() in columns:
            raise ArgumentTypeError(f"{field.strip()} is mapped twice")
        columns[field.strip()] = column.strip()
    return columns


class Command(BaseCommand):
    help = "Import a CSV file of spend into one brand, all or nothing; known rows count once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--agency", required=True, metavar="SLUG")
        parser.add_argument(
            "--brand", required=True, metavar="NAME", help="made where it is missing"
        )
        parser.add_argument(
            "--map",
            type=column_map,
            default={},
            metavar="FIELD=COLUMN,…",
            help=f"which of the file's columns is what: {', '.join(FIELDS)}",
        )
        parser.add_argument("--date-format", default="%Y-%m-%d", help="as strptime writes it")
        parser.add_argument("--source", default=IMPORT_SOURCE, help="whose keys these are")
        parser.add_argument(
            "--currency", help="of a brand that is made (USD); one that is there must have it"
        )
        parser.add_argument(
            "--time-zone", help="of a brand that is made (UTC); one that is there must have it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        keep_quiet()
        (agency,) = chosen_agencies(options["agency"])
        try:
            with options["file"].open(encoding="utf-8-sig", newline="") as file:
                lines = read_spend_file(
                    file, columns=options["map"], date_format=options["date_format"]
                )
            with tenant_context(agency):
                imported = import_spend(
                    lines=lines,
                    columns=options["map"],
                    brand_name=options["brand"].strip(),
                    currency=options["currency"],
                    time_zone=options["time_zone"],
                    source=options["source"],
                    now=clock.read(),
                    by=_IMPORTER,
                )
        except UnreadableFile as unreadable:
            for bad in unreadable.bad:
                self.stderr.write(f"{options['file'].name}: {bad}")
            raise CommandError(unreadable.message) from None
        except DomainError as refusal:
            raise CommandError(refusal.message) from None
        except UnicodeDecodeError:
            raise CommandError(f"{options['file']} is no text in UTF-8; save it as such.") from None
        except OSError as problem:
            raise CommandError(f"{options['file']}: {problem.strerror}.") from None
        paused = [move for move in imported.outcome.moves if move.status == Status.PAUSED]
        self.stdout.write(
            f"{agency.slug}: {imported.recorded} rows imported, {imported.known} known,"
            f" {imported.new_campaigns} campaigns made, {len(paused)} paused"
        )
