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
from ...services.imports import IMPORT_SOURCE, Imported, import_spend
from ...spend_file import FIELDS, SpendFile, UnreadableFile, read_spend_file
from ..agency_pass import chosen_agencies, instant, keep_quiet

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
    help = (
        "Import a file of spend (CSV as spreadsheets and ad platforms write it) into one brand, all"
        " or nothing; known rows count once."
    )

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
        parser.add_argument(
            "--decimal-mark",
            choices=(".", ","),
            help="the mark before an amount's decimals; without it, 1,234 and 1.234 are refused",
        )
        parser.add_argument(
            "--mode",
            choices=("append", "restate"),
            default="append",
            help="append: each row is a spend; restate: it is what the source says now of that day",
        )
        parser.add_argument(
            "--as-of", type=instant, metavar="INSTANT", help="with restate: when the source said so"
        )
        parser.add_argument(
            "--additional",
            action="store_true",
            help="with restate: spent beside what another restating source says",
        )
        parser.add_argument("--source", default=IMPORT_SOURCE, help="whose keys these are")
        parser.add_argument(
            "--currency", help="of a brand that is made (USD); one that is there must have it"
        )
        parser.add_argument(
            "--time-zone", help="of a brand that is made (UTC); one that is there must have it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        is_restating = options["mode"] == "restate"
        if is_restating != (options["as_of"] is not None):
            raise CommandError("--mode restate and --as-of go together.")
        if options["additional"] and not is_restating:
            raise CommandError("--additional goes with --mode restate.")
        keep_quiet()
        (agency,) = chosen_agencies(options["agency"])
        try:
            file = read_spend_file(
                options["file"].read_bytes(),
                columns=options["map"],
                date_format=options["date_format"],
                decimal_mark=options["decimal_mark"],
            )
            with tenant_context(agency):
                imported = import_spend(
                    lines=file.lines,
                    columns=options["map"],
                    brand_name=options["brand"].strip(),
                    currency=options["currency"],
                    time_zone=options["time_zone"],
                    source=options["source"],
                    as_of=options["as_of"],
                    is_additional=options["additional"],
                    now=clock.read(),
                    by=_IMPORTER,
                )
        except UnreadableFile as unreadable:
            for bad in unreadable.bad:
                self.stderr.write(f"{options['file'].name}: {bad}")
            raise CommandError(unreadable.message) from None
        except DomainError as refusal:
            raise CommandError(refusal.message) from None
        except OSError as problem:
            raise CommandError(f"{options['file']}: {problem.strerror}.") from None
        self.stdout.write(f"{agency.slug}: {_told(file, imported, is_restating=is_restating)}")


def _told(file: SpendFile, imported: Imported, *, is_restating: bool) -> str:
    paused = [move for move in imported.outcome.moves if move.status == Status.PAUSED]
    told = f"{imported.recorded} rows imported, {imported.known} known"
    if is_restating:
        told += f", {imported.restated} restated, {imported.stale} stale"
    told += f", {imported.new_campaigns} campaigns made, {len(paused)} paused"
    if file.totals:
        lines = ", ".join(str(line) for line in file.totals)
        told += f"; totals passed over on line {lines}"
    return told
