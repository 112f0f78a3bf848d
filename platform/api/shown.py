"""How amounts are written: limits and spend in the brand's currency, as strings."""

from decimal import Decimal

from budgets.models import Period
from budgets.queries import Figures
from kernel.money import plain

from .bodies import Shown


def amount(value: Decimal | None, currency: str) -> str | None:
    """Write an amount with at least the currency's minor units; None stays None."""
    return None if value is None else plain(value, currency)


def money(figures: Figures, currency: str) -> Shown:
    """Return what a budget may spend and has spent, today and this month."""
    return {
        "daily_budget": amount(figures.limits.daily, currency),
        "monthly_budget": amount(figures.limits.monthly, currency),
        "daily_adjustment": amount(figures.terms.adjusted_by(Period.DAY), currency),
        "monthly_adjustment": amount(figures.terms.adjusted_by(Period.MONTH), currency),
        "daily_spend": amount(figures.spent.today, currency),
        "monthly_spend": amount(figures.spent.month, currency),
    }
