"""`manage.py create_demo`: two agencies with a month behind them, and how to enter them."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from demo.agencies import keep_demo, one_at_a_time, quiet_delivery
from demo.cast import AGENCIES, AgencyPlan
from kernel import clock
from kernel.errors import DomainError


class Command(BaseCommand):
    help = "Make the demo agencies unless they are there, and print their log-ins."

    def handle(self, *args: Any, **options: Any) -> None:
        password = settings.PACELINE_DEMO_PASSWORD
        if not password:
            raise CommandError(
                "PACELINE_DEMO_PASSWORD is not set. Set it, or start everything with ./run."
            )
        try:
            with one_at_a_time(), quiet_delivery():
                for plan in AGENCIES:
                    self.stdout.write(_kept(plan, password=password))
        except OSError as error:
            raise CommandError(f"The simulator's keys can't be kept: {error}.") from None


def _kept(plan: AgencyPlan, *, password: str) -> str:
    try:
        return keep_demo(plan, password=password, now=clock.read())
    except DomainError as refusal:
        # One agency less is no reason for ./run not to start.
        return f"{plan.name}: not made. {refusal.message}"
