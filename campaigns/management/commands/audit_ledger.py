"""`manage.py audit_ledger`: do the books agree with the entries, and the holds with the rules?"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from kernel.money import plain
from tenants.contexts import tenant_context

from ...audit import audit
from ..agency_pass import chosen_agencies


class Command(BaseCommand):
    help = "Check the invariants of ledger, holds and statuses; exits 1 where one does not hold."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--agency", metavar="SLUG", help="only this agency; default: all")

    def handle(self, *args: Any, **options: Any) -> None:
        found = 0
        for agency in chosen_agencies(options["agency"]):
            with tenant_context(agency):
                result = audit()
            for violation in result.violations:
                self.stderr.write(f"{agency.slug}: {violation.invariant}: {violation.message}")
            found += len(result.violations)
            sums = [f"{plain(total, code)} {code}" for code, total in result.totals.items()]
            self.stdout.write(
                f"{agency.slug}: entries={result.entries} sum={', '.join(sums) or '0'}"
                f" violations={len(result.violations)}"
            )
        self.stdout.write(f"total: violations={found}")
        if found:
            raise CommandError(f"{found} violations.", returncode=1)
