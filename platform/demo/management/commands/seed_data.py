"""`manage.py seed_data --agencies 2 --brands 3 --campaigns-per-brand 5`"""

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from accounts.roles import Role
from accounts.services import add_person, password_link
from demo.agencies import found_or_made, one_at_a_time, quiet_delivery
from demo.arguments import count
from demo.seeding import Seeded, SeedPlan, refresh_statistics, seed_agency
from kernel import clock
from kernel.actor import SYSTEM
from kernel.errors import DomainError
from tenants.contexts import tenant_context
from tenants.models import Agency
from tenants.queries import agency_by_slug

AGENCIES = 2


class Command(BaseCommand):
    help = "Make agencies seed-1, seed-2 … full of brands, campaigns and spend; or fill one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        where = parser.add_mutually_exclusive_group()
        where.add_argument(
            "--agencies", type=count(least=1), help=f"how many agencies; default {AGENCIES}"
        )
        where.add_argument("--agency", metavar="SLUG", help="fill this agency instead")
        parser.add_argument("--brands", type=count(least=1), default=3, help="default 3")
        parser.add_argument(
            "--campaigns-per-brand", type=count(least=1), default=5, help="default 5"
        )
        parser.add_argument(
            "--days",
            type=count(least=0),
            default=30,
            help="local days of spend, today included; default 30",
        )
        parser.add_argument(
            "--seed", type=count(least=0), default=1, help="what the numbers are drawn from"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        plan = SeedPlan(
            brands=options["brands"],
            campaigns_per_brand=options["campaigns_per_brand"],
            days=options["days"],
            seed=options["seed"],
        )
        started = time.monotonic()
        total = Seeded()
        try:
            with one_at_a_time(), quiet_delivery():
                if options["agency"] is not None:
                    total.add(self._fill(_existing(options["agency"]), plan))
                else:
                    for number in range(1, (options["agencies"] or AGENCIES) + 1):
                        name, slug = f"Seed {number}", f"seed-{number}"
                        agency = found_or_made(name=name, slug=slug)
                        self._let_owner_in(agency)
                        total.add(self._fill(agency, plan))
        except DomainError as refusal:
            raise CommandError(refusal.message) from None
        except OSError as error:
            raise CommandError(f"PACELINE_HOME can't be used: {error}.") from None
        self.stdout.write(f"Total: {total}; {time.monotonic() - started:.1f} s.")

    def _fill(self, agency: Agency, plan: SeedPlan) -> Seeded:
        with tenant_context(agency):
            seeded = seed_agency(plan=plan, now=clock.read(), by=SYSTEM)
            if seeded.brands:
                refresh_statistics()
        self.stdout.write(f"{agency.slug}: {seeded}; {agency.url}/")
        return seeded

    def _let_owner_in(self, agency: Agency) -> None:
        email = f"owner@{agency.slug}.example"
        password = settings.PACELINE_DEMO_PASSWORD or None
        with tenant_context(agency):
            if User.objects.exists():
                return
            owner = add_person(email=email, role=Role.OWNER, password=password)
            if password is None:
                link = password_link(owner)
                self.stdout.write(f"{agency.slug}: {email} sets the password here, once: {link}")
            else:
                self.stdout.write(f"{agency.slug}: {email} logs in with the demo's password.")


def _existing(slug: str) -> Agency:
    agency = agency_by_slug(slug)
    if agency is None:
        raise CommandError(f"No agency has the slug {slug!r}.")
    return agency
