"""`manage.py health`: the state of every part; exits 1 where one does not work."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.access import Access
from accounts.roles import Role
from config.health import campaign_counts, check_health
from kernel import clock
from tenants.contexts import tenant_context
from tenants.queries import agencies_to_serve, agency_by_slug


class Command(BaseCommand):
    help = "Tell the state of database, Redis, workers and scheduler, and each agency's campaigns."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--agency", metavar="SLUG", help="only this agency; default: all")

    def handle(self, *args: Any, **options: Any) -> None:
        health = check_health(now=clock.read())
        self.stdout.write(f"{health.timestamp:%Y-%m-%dT%H:%M:%SZ} {health.status}")
        for name, check in health.checks.items():
            self.stdout.write(f"{name}: {check.status} {check.detail}".rstrip())
        if health.checks["database"].status == "ok":
            self._campaigns(options["agency"])
        if not health.is_ok:
            raise CommandError("Something does not work.", returncode=1)

    def _campaigns(self, slug: str | None) -> None:
        agencies = agencies_to_serve()
        if slug is not None:
            agency = agency_by_slug(slug)
            if agency is None:
                raise CommandError(f"No agency has the slug {slug!r}.")
            agencies = [agency]
        for agency in agencies:
            with tenant_context(agency):
                counts = campaign_counts(Access(Role.OWNER))
            self.stdout.write(f"{agency.slug}: active={counts['active']} paused={counts['paused']}")
