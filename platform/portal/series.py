"""A budget's month, day by day: what was spent, against the limit of that day. Three statements."""

from bisect import bisect_right
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.db.models import Sum

from budgets.models import BudgetAdjustment, LimitVersion, Period, SpendTotal
from budgets.terms import ZERO, bound
from kernel.local_time import first_of_month, first_of_next_month


class DayFigures(NamedTuple):
    """One local day of a budget: its spend, its charges for the month only, and its daily limit
    with what was added to it for that day."""

    day: date
    amount: Decimal
    monthly_only: Decimal
    limit: Decimal | None


def month_series(budget_id: UUID, month: date) -> list[DayFigures]:
    """Return every day of the month that `month` is in, with or without spend."""
    first, end = first_of_month(month), first_of_next_month(month)
    totals = {
        total.day: total
        for total in SpendTotal.objects.filter(budget_id=budget_id, day__gte=first, day__lt=end)
    }
    versions = list(LimitVersion.objects.filter(budget_id=budget_id).order_by("from_day"))
    given = BudgetAdjustment.objects.filter(
        budget_id=budget_id,
        period=Period.DAY,
        period_start__gte=first,
        period_start__lt=end,
        withdrawn_at=None,
    )
    added = dict(given.order_by().values_list("period_start").annotate(sum=Sum("amount")))
    days = (first + timedelta(days=count) for count in range((end - first).days))
    series = []
    for day in days:
        total = totals.get(day)
        amount = total.daily_amount if total else Decimal(0)
        monthly_only = total.monthly_only_amount if total else Decimal(0)
        limit = bound(_daily_limit(versions, day), added.get(day, ZERO))
        series.append(DayFigures(day, amount, monthly_only, limit))
    return series


def _daily_limit(versions: list[LimitVersion], day: date) -> Decimal | None:
    """Return the limit on a day; before the first version that first one is taken."""
    if not versions:
        return None
    place = bisect_right(versions, day, key=lambda version: version.from_day)
    return versions[max(0, place - 1)].daily_limit
