"""`manage.py enforce_dayparting`: the full decision over all campaigns, at once."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from budgets.models import Brand

from ... import sweep
from ..agency_pass import AgencyPass


class Command(AgencyPass):
    help = "Decide on all campaigns: hours, and every other reason with them."

    def brands(self, *, now: datetime, options: dict[str, Any]) -> Collection[Brand]:
        return sweep.all_brands()
