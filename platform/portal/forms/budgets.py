"""What a budget may spend, from when on, and what happens when it is spent; and adjustments."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms

from budgets.models import STOP_AT_MAX, STOP_AT_MIN, Brand, Budget, BudgetKind, BudgetMode, Period
from budgets.terms import Limits, effective_mode
from kernel.money import plain

from .shared import AmountField, DayField, LimitField, PortalForm, WallClockField

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_LIMITS = ("daily_budget", "monthly_budget")
# All that a form says of a budget.
TERMS = (*_LIMITS, "from_day", "mode", "stop_at")


class ModeForm(PortalForm):
    """What happens when a limit of a budget is spent, and when it counts as spent."""

    stop_at = forms.IntegerField(
        required=False,
        initial=STOP_AT_MAX,
        label="Counts as spent from (%)",
        widget=forms.NumberInput(attrs={"min": STOP_AT_MIN, "max": STOP_AT_MAX}),
        help_text=f"{STOP_AT_MIN} to {STOP_AT_MAX} % of the budget. Less than {STOP_AT_MAX} stops"
        " early, because spend arrives late.",
    )
    mode = forms.ChoiceField(
        required=False,
        label="When a budget is spent",
        choices=BudgetMode.choices,
        help_text="Budgets below this one that say nothing else do the same.",
    )

    def offer_modes(self, above: Budget | None) -> None:
        """Let a person choose to do as the budget above does (None: this is the brand's own)."""
        if above is None:
            return
        field = self.fields["mode"]
        assert isinstance(field, forms.ChoiceField)
        mode = effective_mode(above)
        field.choices = [("", f"As the budget above: {mode.label.lower()}"), *BudgetMode.choices]

    def clean_stop_at(self) -> int:
        percent: int | None = self.cleaned_data["stop_at"]
        return STOP_AT_MAX if percent is None else percent


class TermsForm(ModeForm):
    """All that bears on a budget that is there: its limits, from a day on, and its mode.

    The limits are fields of the form that this one is mixed into.
    """

    from_day = DayField(
        required=False,
        label="These two budgets from",
        help_text="The brand's local day. Empty: from today on.",
    )
    refused_as = {"from": "from_day"}

    def changes(self) -> dict[str, Any]:
        """Return the values that were changed on the page, as services name them."""
        values = self.cleaned_data
        changed = {name for name in self.changed_data if name != "from_day"}
        from_day = values.get("from_day")
        if from_day and not changed.intersection(_LIMITS):
            # Back to what applies today: these limits are meant as they are written.
            changed.update(_LIMITS)
        changes = {name: values[name] for name in changed}
        if from_day:
            changes["from_day"] = from_day
        return changes


def initial_terms(budget: Budget, limits: Limits, currency: str) -> dict[str, Any]:
    """Return what bears on a budget as a form writes it; amounts in the currency's minor units."""
    is_root = budget.kind == BudgetKind.ROOT
    return {
        "mode": budget.mode or (BudgetMode.PAUSE_RESUME.value if is_root else ""),
        "stop_at": budget.stop_at,
        **{
            name: None if limit is None else Decimal(plain(limit, currency))
            for name, limit in zip(_LIMITS, limits, strict=True)
        },
    }


class LimitsForm(TermsForm):
    """What any budget may spend: a brand's, a group's, a campaign's."""

    daily_budget = LimitField()
    monthly_budget = LimitField()
    field_order = ["daily_budget", "monthly_budget", "from_day", "stop_at", "mode"]

    @classmethod
    def for_budget(
        cls, budget: Budget, limits: Limits, data: "Mapping[str, Any] | None"
    ) -> "LimitsForm":
        """Make the form of a budget that comes with its brand and those above it."""
        form = cls(data, initial=initial_terms(budget, limits, budget.brand.currency))
        form.offer_modes(budget.parent)
        if budget.kind == BudgetKind.LEAF:
            # Nothing is below a campaign.
            form.fields["mode"].help_text = ""
        return form


class NewGroupForm(ModeForm):
    name = forms.CharField(max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    daily_budget = LimitField()
    monthly_budget = LimitField()
    field_order = ["name", "daily_budget", "monthly_budget"]


class GroupForm(TermsForm, NewGroupForm):
    field_order = ["name", "daily_budget", "monthly_budget", "from_day"]

    @classmethod
    def for_group(
        cls, group: Budget, limits: Limits, data: "Mapping[str, Any] | None"
    ) -> "GroupForm":
        """Make the form of a group that comes with its brand and the budget above."""
        terms = initial_terms(group, limits, group.brand.currency)
        form = cls(data, initial={"name": group.name, **terms})
        form.offer_modes(group.parent)
        return form


class AdjustmentForm(PortalForm):
    """An amount more, or less, for the running day or month of one budget."""

    amount = AmountField(help_text="Added to the budget: -50 takes 50 away.")
    period = forms.ChoiceField(label="For")
    note = forms.CharField(
        max_length=500,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Why: it stands in the budget's history for good.",
    )
    expires_at = WallClockField(required=False, label="Ends")

    @classmethod
    def for_brand(
        cls, brand: Brand, data: "Mapping[str, Any] | None", *, now: "datetime"
    ) -> "AdjustmentForm":
        """Make the form for a budget of this brand, whose clock `expires_at` is told on."""
        form = cls(data)
        today = brand.calendar.today(now)
        period, ends = form.fields["period"], form.fields["expires_at"]
        assert isinstance(period, forms.ChoiceField)
        assert isinstance(ends, WallClockField)
        period.choices = [
            (Period.DAY, f"today, {today:%a} {today.day} {today:%b}"),
            (Period.MONTH, f"this month, {today:%B %Y}"),
        ]
        ends.calendar = brand.calendar
        ends.help_text = (
            f"In {brand.calendar.zone_at(now)}. Empty: with the day or the month that it is for."
        )
        form.fields["amount"].label = f"Amount ({brand.currency})"
        return form
