"""Brands and budget groups."""

from typing import TYPE_CHECKING, Any

from django import forms

from budgets.models import Brand, Budget
from budgets.terms import Limits
from kernel.money import CURRENCIES, plain

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

    @classmethod
    def for_brand(
        cls, brand: Brand, limits: Limits, data: "Mapping[str, Any] | None"
    ) -> "BrandForm":
        form = cls(
            data,
            initial={
                "name": brand.name,
                "currency": brand.currency,
                "time_zone": brand.time_zone,
                **initial_limits(limits, brand.currency),
            },
        )
        form.fields[
            "time_zone"
        ].help_text = (
            "A new zone applies from its next midnight on; the days before stay as they are."
        )
        return form


class GroupForm(PortalForm):
    name = forms.CharField(max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    daily_budget = LimitField()
    monthly_budget = LimitField()

    @classmethod
    def for_group(
        cls, group: Budget, limits: Limits, currency: str, data: "Mapping[str, Any] | None"
    ) -> "GroupForm":
        return cls(data, initial={"name": group.name, **initial_limits(limits, currency)})


def initial_limits(limits: Limits, currency: str) -> dict[str, str]:
    """Return a budget's limits as a form writes them: plain, in the currency's minor units."""
    return {
        name: "" if limit is None else plain(limit, currency)
        for name, limit in (("daily_budget", limits.daily), ("monthly_budget", limits.monthly))
    }
