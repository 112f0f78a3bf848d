"""Brands."""

from typing import TYPE_CHECKING, Any

from django import forms

from budgets.models import Brand, Budget
from budgets.terms import Limits
from kernel.money import CURRENCIES

from .budgets import TermsForm, initial_terms
from .shared import LimitField, PortalForm

if TYPE_CHECKING:
    from collections.abc import Mapping


class BrandForm(PortalForm):
    name = forms.CharField(max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    currency = forms.ChoiceField(
        choices=[(code, code) for code in sorted(CURRENCIES)],
        help_text="Of all its amounts. Fixed once there is spend.",
    )
    time_zone = forms.CharField(
        max_length=64,
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"}),
        help_text="Its days, months and hours are those of this zone, such as Europe/Riga.",
    )
    daily_budget = LimitField()
    monthly_budget = LimitField()


class EditBrandForm(TermsForm, BrandForm):
    """A brand that is there, with all that bears on its own budget."""

    field_order = ["name", "currency", "time_zone", "daily_budget", "monthly_budget", "from_day"]

    @classmethod
    def for_brand(
        cls,
        brand: Brand,
        root: Budget,
        limits: Limits,
        data: "Mapping[str, Any] | None",
        *,
        coming_zone: str = "",
    ) -> "EditBrandForm":
        """Make the form of a brand; `coming_zone` tells of a zone that has not taken effect yet."""
        form = cls(
            data,
            initial={
                "name": brand.name,
                "currency": brand.currency,
                "time_zone": brand.time_zone,
                **initial_terms(root, limits, brand.currency),
            },
        )
        rule = "A new zone applies from its next midnight on; the days before stay as they are."
        form.fields["time_zone"].help_text = f"{coming_zone} {rule}".strip()
        return form
