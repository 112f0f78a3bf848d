"""Fields of money on forms. What an amount may be, the services say; these read it."""

from decimal import Decimal

from django import forms

from budgets.terms import Limits
from kernel.money import AMOUNT_DECIMALS_MAX, AMOUNT_DIGITS_MAX, plain

from ..refusals import RefusableForm


def amount_field(label: str, *, required: bool = False, help_text: str = "") -> forms.DecimalField:
    """A field for an amount; browsers take any number of decimals."""
    return forms.DecimalField(
        label=label,
        required=required,
        max_digits=AMOUNT_DIGITS_MAX,
        decimal_places=AMOUNT_DECIMALS_MAX,
        widget=forms.NumberInput(attrs={"class": "vAmount", "step": "any"}),
        help_text=help_text,
    )


class LimitsForm(RefusableForm):
    """A form with the two limits of a budget, filled in with those that apply today."""

    daily_budget = amount_field("Daily budget", help_text="Empty: no limit. From today on.")
    monthly_budget = amount_field("Monthly budget", help_text="Empty: no limit. From today on.")

    def fill_limits(self, limits: Limits, currency: str) -> None:
        """Fill in the limits in the currency's minor units."""
        for name, limit in (("daily_budget", limits.daily), ("monthly_budget", limits.monthly)):
            if limit is not None:
                self.initial[name] = Decimal(plain(limit, currency))
            # A viewer's page has the values, not the fields.
            if name in self.fields:
                self.fields[name].label_suffix = f" ({currency})"


def limit_text(limit: Decimal | None, currency: str) -> str:
    """Write a limit for people."""
    return "no limit" if limit is None else amount_text(limit, currency)


def amount_text(amount: Decimal, currency: str) -> str:
    """Write an exact amount for people: all of its digits, in groups of three."""
    return f"{Decimal(plain(amount, currency)):,f} {currency}"
