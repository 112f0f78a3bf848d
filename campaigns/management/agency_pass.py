"""What the commands that decide again have in common: over which agencies, as of when, and how
told.
"""

import logging
from abc import abstractmethod
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from budgets.models import Brand
from kernel import clock
from tenants.contexts import tenant_context
from tenants.models import Agency
from tenants.queries import agencies_to_serve, agency_by_slug

from .. import sweep
from ..judgement import Outcome
from ..tasks import sweep_agencies


def instant(text: str) -> datetime:
    """Parse `--at`: an ISO 8601 instant with its offset. Raises ArgumentTypeError."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ArgumentTypeError(
            f"{text!r} is no instant with an offset, such as 2026-03-02T12:00:00Z"
        )
    if not 1970 <= at.year < 2200:
        raise ArgumentTypeError(f"{text!r} does not lie between 1970 and 2199")
    return at


def keep_quiet() -> None:
    """Leave the line for each campaign to the worker's log: a command tells its counters."""
    logging.getLogger("campaigns.delivery").setLevel(logging.WARNING)


def chosen_agencies(slug: str | None) -> list[Agency]:
    """Return the agency with this slug, or all that are active. Raises CommandError."""
    if slug is None:
        return agencies_to_serve()
    agency = agency_by_slug(slug)
    if agency is None:
        raise CommandError(f"No agency has the slug {slug!r}.")
    return [agency]


class AgencyPass(BaseCommand):
    """Decide again in one agency or in all; a line each with its counters, and a total."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--agency", metavar="SLUG", help="only this agency; default: all")
        parser.add_argument(
            "--async", action="store_true", dest="enqueue", help="hand the work to the workers"
        )
        parser.add_argument(
            "--at",
            type=instant,
            metavar="INSTANT",
            help="judge as of an instant; without --apply only tell what would change",
        )
        parser.add_argument("--apply", action="store_true", help="with --at: store it")

    @abstractmethod
    def brands(self, *, now: datetime, options: dict[str, Any]) -> Collection[Brand]:
        """Return the brands of the current agency to decide on."""

    def handle(self, *args: Any, **options: Any) -> None:
        if options["apply"] and options["at"] is None:
            raise CommandError("--apply goes with --at.")
        keep_quiet()
        agencies = chosen_agencies(options["agency"])
        if options["enqueue"]:
            if options["at"] is not None:
                raise CommandError(
                    "--async judges when a worker comes to it, so --at can't go along."
                )
            self._enqueue(agencies)
            return
        total, failed = Outcome(), 0
        for agency in agencies:
            outcome = self._one(agency, options)
            total.add(outcome)
            failed += bool(outcome.errors)
            self._tell(agency.slug, outcome)
        self._tell("total", total)
        if failed:
            raise CommandError(f"{failed} of {len(agencies)} agencies failed.", returncode=1)

    def _one(self, agency: Agency, options: dict[str, Any]) -> Outcome:
        at: datetime | None = options["at"]
        now = at or clock.read()
        try:
            with tenant_context(agency):
                brands = self.brands(now=now, options=options)
                if at is None:
                    return sweep.enforce(brands, now=now)
                if options["apply"]:
                    return sweep.enforce_as_of(brands, at=at, now=clock.read())
                outcome = sweep.preview(brands, now=now)
        except Exception as failure:
            self.stderr.write(f"{agency.slug}: {type(failure).__name__}: {failure}")
            return Outcome(errors=1)
        for difference in outcome.moves:
            self.stdout.write(
                f"  would change {difference.campaign.name}: {difference.campaign.status} →"
                f" {difference.status} ({', '.join(difference.reasons) or 'nothing holds it'})"
            )
        return outcome

    def _enqueue(self, agencies: Collection[Agency]) -> None:
        for agency in agencies:
            sweep_agencies.delay([agency.pk], [agency.pk])
            self.stdout.write(f"{agency.slug}: enqueued")
        self.stdout.write(f"total: {len(agencies)} enqueued")

    def _tell(self, name: str, outcome: Outcome) -> None:
        counters = " ".join(f"{key}={count}" for key, count in outcome.counters.items())
        self.stdout.write(f"{name}: {counters}")
