"""`manage.py reset_spends --daily|--monthly|--both`

Nothing is ever reset: "spent today" is what the entries of today's local date add up to. The
command decides again for the brands whose local day or month has turned since their last decision.
"""

from argparse import ArgumentParser
from collections.abc import Collection
from datetime import datetime
from typing import Any

from budgets.models import Brand

from ... import sweep
from ..agency_pass import AgencyPass


class Command(AgencyPass):
    help = "Decide again for the brands whose local day or month has turned; twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        which = parser.add_mutually_exclusive_group()
        for name, what in (("daily", "days"), ("monthly", "months"), ("both", "days and months")):
            which.add_argument(
                f"--{name}",
                action="store_const",
                const=name,
                dest="period",
                help=f"brands whose {what} turned",
            )
        parser.set_defaults(period="both")

    def brands(self, *, now: datetime, options: dict[str, Any]) -> Collection[Brand]:
        period = options["period"]
        turned = sweep.Turned(day=period != "monthly", month=period != "daily")
        return sweep.turned_brands(turned, now=now)
