"""Campaigns."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms

from accounts.roles import Right
from budgets.models import Budget
from budgets.terms import Limits
from campaigns.models import Campaign
from dayparting.models import Schedule

from .budgets import TERMS, TermsForm, initial_terms
from .schedules import ScheduleField
from .shared import DayField, LimitField, PortalForm

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_PLAIN = {"autocomplete": "off"}


class CampaignForm(PortalForm):
    rights = dict.fromkeys(TERMS, Right.EDIT_BUDGETS)
    name = forms.CharField(max_length=200, widget=forms.TextInput(attrs=_PLAIN))
    group = forms.TypedChoiceField(
        required=False,
        coerce=UUID,
        empty_value=None,
        label="Budget group",
        help_text="Its spend of the month moves with it.",
    )
    daily_budget = LimitField()
    monthly_budget = LimitField()
    start_date = DayField(required=False, help_text="The first day. Empty: at once.")
    end_date = DayField(required=False, help_text="The last day, inclusive. Empty: open end.")
    platform = forms.CharField(
        required=False,
        max_length=50,
        widget=forms.TextInput(attrs={**_PLAIN, "list": "platforms"}),
        help_text="Where it runs: google, meta …",
    )
    external_id = forms.CharField(
        required=False,
        max_length=100,
        label="External id",
        widget=forms.TextInput(attrs=_PLAIN),
        help_text="The platform's own id of it.",
    )

    def offer_groups(self, groups: "Iterable[Budget]") -> None:
        """Let a person choose among the brand's groups."""
        field = self.fields["group"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [("", "No group"), *((group.id, group.name) for group in groups)]


class EditCampaignForm(TermsForm, CampaignForm):
    """A campaign that is there, with all that bears on its own budget."""

    field_order = ["name", "group", "daily_budget", "monthly_budget", "from_day", "stop_at", "mode"]

    @classmethod
    def for_campaign(
        cls, campaign: Campaign, limits: Limits, data: "Mapping[str, Any] | None"
    ) -> "EditCampaignForm":
        """Make the form of a campaign that comes with its brand and the budgets above it."""
        parent = campaign.budget.parent
        form = cls(
            data,
            initial={
                "name": campaign.name,
                "platform": campaign.platform,
                "external_id": campaign.external_id,
                "start_date": campaign.start_date,
                "end_date": campaign.end_date,
                "group": str(parent.id) if parent and parent.parent_id else "",
                **initial_terms(campaign.budget, limits, campaign.brand.currency),
            },
        )
        form.offer_modes(parent)
        # Nothing is below a campaign.
        form.fields["mode"].help_text = ""
        return form


class NewCampaignForm(CampaignForm):
    shared_schedule = ScheduleField(label="Hours")
    status = forms.ChoiceField(
        label="Start",
        choices=[("ACTIVE", "Running"), ("PAUSED", "Paused"), ("INACTIVE", "Switched off")],
        help_text="A running campaign still waits for its dates and its hours.",
    )
    field_order = ["name", "status"]

    def offer_schedules(self, schedules: "Sequence[Schedule]") -> None:
        """Let a person choose among the shared ones; where there are none, there is no choice."""
        field = self.fields["shared_schedule"]
        assert isinstance(field, ScheduleField)
        field.offer(schedules)
        if not schedules:
            del self.fields["shared_schedule"]
