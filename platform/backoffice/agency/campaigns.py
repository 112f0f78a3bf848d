"""Campaigns: what they may spend, what holds them, and what people command of them."""

from collections.abc import Iterable, Sequence
from copy import copy
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.admin import (
    AllValuesFieldListFilter,
    SimpleListFilter,
    action,
    display,
    register,
)
from django.contrib.admin.models import CHANGE
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.roles import Right
from budgets.models import Budget, BudgetKind
from campaigns.models import Campaign, Hold, Reason, Status
from campaigns.queries import holds_of, schedules_seen
from campaigns.services import campaigns as services
from dayparting.models import Schedule
from dayparting.sentences import weekly
from kernel import clock
from kernel.actor import Actor
from kernel.errors import DomainError

from ..access import access_of
from ..bars import bar, bars
from ..choosing import ArchivedFilter, BrandFilter, is_autocomplete
from ..figures import gather_campaigns, shown
from ..refusals import busy_is_a_refusal
from ..sites import agency_site
from ..words import NOTHING, instant, label_of, status_chip, told
from .money import LimitsForm, limit_text
from .removal import RemovingAdmin, budgets_with_spend
from .rights import FiguredAdmin, actor_of, become, may

if TYPE_CHECKING:
    _ModelChoiceField = forms.ModelChoiceField[Budget]
else:
    _ModelChoiceField = forms.ModelChoiceField

COMMANDS = [("ACTIVE", "Run"), ("PAUSED", "Pause"), ("INACTIVE", "Switch off")]
_FIELDS = ("name", "platform", "external_id", "start_date", "end_date")
_LIMITS = ("daily_budget", "monthly_budget")
# So many campaigns are named in a message; of the rest, the number.
_NAMED_MAX = 5


class GroupChoice(_ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return str(obj.name)


class CampaignForm(LimitsForm):
    group = GroupChoice(
        queryset=Budget.objects.none(),
        required=False,
        empty_label="none: directly below the brand",
        label="Budget group",
    )
    shared_schedule = forms.ModelChoiceField(
        queryset=Schedule.objects.none(),  # The admin says which.
        required=False,
        empty_label="its own hours",
        label="Runs by",
    )
    command = forms.ChoiceField(label="Command", required=False)
    refused_as = {"status": "command"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        campaign = self.instance
        is_new = campaign._state.adding
        if not is_new:
            self.fill_limits(shown(campaign).limits, campaign.brand.currency)
            above = campaign.budget.parent
            self.initial["group"] = above.pk if above.kind == BudgetKind.GROUP else None
        if "command" in self.fields:
            leave = [] if is_new else [("", "leave it as it is")]
            self.fields["command"].choices = leave + COMMANDS  # type: ignore[attr-defined]
        if "group" in self.fields:
            groups = self._groups()
            self.fields["group"].queryset = groups  # type: ignore[attr-defined]
            if is_new and not groups:
                self.fields["group"].help_text = "Can be chosen once the campaign is saved."

    def _groups(self) -> QuerySet[Budget]:
        """Return the groups of the brand, as far as it is known yet: posted, or named by the link
        that led here."""
        groups = Budget.objects.filter(kind=BudgetKind.GROUP).order_by("name")
        if not self.instance._state.adding:
            return groups.filter(brand=self.instance.brand_id)
        try:
            brand_id = UUID(str(self.data.get("brand") or self.initial.get("brand") or ""))
        except ValueError:
            return groups.none()
        # One of those that the person may choose.
        offered = self.fields["brand"].queryset  # type: ignore[attr-defined]
        return groups.filter(brand__in=offered.filter(id=brand_id))


class HeldFilter(SimpleListFilter):
    """Campaigns that an open hold of one reason holds."""

    title = "held by"
    parameter_name = "held"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(reason.value, reason.label) for reason in Reason]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> QuerySet[Campaign]:
        if self.value() is None:
            return queryset
        open_holds = Hold.objects.filter(campaign=OuterRef("pk"), released_at=None)
        return queryset.filter(Exists(open_holds.filter(reason=self.value())))


@register(Campaign, site=agency_site)
class CampaignAdmin(RemovingAdmin, FiguredAdmin):
    form = CampaignForm
    brand_path = "brand"
    edit_right = Right.EDIT_CAMPAIGNS
    actions = ["pause", "resume", "switch_off", "delete_selected"]
    autocomplete_fields = ["brand"]
    search_fields = ["name", "=external_id", "brand__name"]
    search_help_text = "Name, brand, or the platform's own id"
    list_display = ["called", "brand", "state", "spent"]
    list_filter = [
        ArchivedFilter,
        BrandFilter,
        "status",
        HeldFilter,
        ("platform", AllValuesFieldListFilter),
    ]
    shown_fields = ["state", "today", "this_month", "hours", "added"]
    readonly_fields = shown_fields

    def get_fieldsets(self, request: HttpRequest, obj: Campaign | None = None) -> Any:
        campaign: list[Any] = [
            "brand",
            "name",
            "platform",
            "external_id",
            ("start_date", "end_date"),
            "shared_schedule",
        ]
        sets_limits = may(request, Right.EDIT_BUDGETS)
        # Who sets no limits reads them, where there are any.
        budget = [_LIMITS, "group"] if obj or sets_limits else ["group"]
        if obj is None or self.has_change_permission(request, obj):
            campaign.append("command")
        edited = [
            (None, {"fields": campaign}),
            ("Budget", {"fields": budget}),
        ]
        return [*edited, ("Now", {"fields": self.shown_fields})] if obj else edited

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> Any:
        limits = () if may(request, Right.EDIT_BUDGETS) else _LIMITS
        # A campaign belongs to one brand for ever.
        return [*self.shown_fields, *limits, *(["brand"] if obj else [])]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        return super().get_queryset(request).select_related("brand", "budget__parent__parent")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Campaign], search_term: str
    ) -> tuple[QuerySet[Campaign], bool]:
        if is_autocomplete(request):
            queryset = queryset.filter(archived_at=None)
        return super().get_search_results(request, queryset, search_term)

    def has_change_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        is_kept = obj is not None and obj.archived_at is not None
        return super().has_change_permission(request, obj) and not is_kept

    def gather(self, rows: Sequence[Campaign], *, now: datetime) -> None:
        gather_campaigns(rows, now=now)

    @display(description="campaign", ordering="name")
    def called(self, campaign: Campaign) -> SafeString:
        return format_html(
            '{} <span class="called quiet">{}</span>', campaign.name, campaign.platform
        )

    @display(description="spent")
    def spent(self, campaign: Campaign) -> SafeString:
        return bars(shown(campaign).today, shown(campaign).month)

    @display(description="status", ordering="status")
    def state(self, campaign: Campaign) -> SafeString:
        holds = shown(campaign).holds
        return format_html("{}{}", status_chip(campaign, [h.hold for h in holds]), told(holds))

    @display(description="today")
    def today(self, campaign: Campaign) -> SafeString:
        return bar(shown(campaign).today)

    @display(description="this month")
    def this_month(self, campaign: Campaign) -> SafeString:
        return bar(shown(campaign).month)

    @display(description="hours")
    def hours(self, campaign: Campaign) -> SafeString:
        shared = campaign.shared_schedule
        used = shared or campaign.schedule
        name = "sharedschedule" if shared else "schedule"
        url = reverse(f"admin:dayparting_{name}_change", args=[used.pk])
        hours = weekly(used.windows.all())
        text = f"{shared.name}: {hours}" if shared else hours
        return format_html('<a href="{}">{}</a>', url, text)

    @display(description="added")
    def added(self, campaign: Campaign) -> str:
        return instant(campaign.created_at, campaign.brand.calendar)

    @display(description="budget group")
    def group(self, campaign: Campaign) -> str:
        above = campaign.budget.parent
        assert above is not None, "a campaign's budget is below a group's or its brand's"
        return above.name if above.kind == BudgetKind.GROUP else NOTHING

    @display(description="daily budget")
    def daily_budget(self, campaign: Campaign) -> str:
        return limit_text(shown(campaign).limits.daily, campaign.brand.currency)

    @display(description="monthly budget")
    def monthly_budget(self, campaign: Campaign) -> str:
        return limit_text(shown(campaign).limits.monthly, campaign.brand.currency)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[Any]:
        form = super().get_form(request, obj, change, **kwargs)
        if (field := form.base_fields.get("shared_schedule")) is not None:
            # The form's class is this request's; its declared fields are everybody's.
            own = copy(field)
            own.queryset = schedules_seen(access_of(request)).exclude(name="")  # type: ignore[attr-defined]
            form.base_fields["shared_schedule"] = own
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        now, by = clock.read(), actor_of(request)
        values = form.changes(*_FIELDS, *_LIMITS, "group", "shared_schedule")
        for name in values.keys() & {"group", "shared_schedule"}:
            values[name] = values[name].pk if values[name] else None
        if form.cleaned_data["command"]:
            values["status"] = form.cleaned_data["command"]
        if change:
            stored = services.update_campaign(campaign_id=obj.pk, changes=values, now=now, by=by)
        else:
            brand_id = form.cleaned_data["brand"].pk
            stored = services.create_campaign(brand_id=brand_id, **values, now=now, by=by)
        become(obj, stored)

    @action(permissions=["change"], description="Pause")
    def pause(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> None:
        self._command(request, queryset, "PAUSED", "paused")

    @action(permissions=["change"], description="Resume")
    def resume(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> None:
        ids = self._command(request, queryset, "ACTIVE", "resumed")
        self._tell_still_held(request, ids)

    @action(permissions=["change"], description="Switch off")
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> None:
        self._command(request, queryset, "INACTIVE", "switched off")

    def _command(
        self, request: HttpRequest, rows: QuerySet[Campaign], status: services.Command, done: str
    ) -> list[UUID]:
        """Command the rows that are not archived, all at once; tell what happened to which."""
        campaigns = list(rows)
        live = [campaign for campaign in campaigns if campaign.archived_at is None]
        ids = [campaign.pk for campaign in live]
        now, by = clock.read(), actor_of(request)
        try:
            with busy_is_a_refusal():
                services.command(campaign_ids=ids, status=status, now=now, by=by)
        except DomainError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return []
        self.log(request, live, CHANGE, f"{done.capitalize()}.")
        if live:
            self.message_user(request, f"{_named(live)} {done}.", messages.SUCCESS)
        if archived := [campaign for campaign in campaigns if campaign.archived_at is not None]:
            left = f"{_named(archived)} left as archived."
            self.message_user(request, left, messages.WARNING)
        return ids

    def _tell_still_held(self, request: HttpRequest, ids: Sequence[UUID]) -> None:
        held = Campaign.objects.filter(id__in=ids, status=Status.PAUSED).select_related("brand")
        first = list(held[:_NAMED_MAX])
        holds = holds_of(first, now=clock.read())
        for campaign in first:
            sentences = " ".join(hold.sentence for hold in holds.get(campaign.id, []))
            self.message_user(request, f"{label_of(campaign)}: {sentences}", messages.WARNING)
        more = held.count() - len(first)
        if more:
            self.message_user(request, f"{more} more are still held.", messages.WARNING)

    def with_spend(self, rows: Iterable[Campaign]) -> set[Any]:
        leaves = Budget.objects.filter(campaign__in=list(rows))
        return set(budgets_with_spend(leaves).values_list("campaign__id", flat=True))

    def remove(self, row: Campaign, *, now: datetime, by: Actor) -> Campaign | None:
        return services.remove_campaign(campaign_id=row.pk, now=now, by=by)


def _named(campaigns: Sequence[Campaign]) -> str:
    """Name a few campaigns; of many, the number."""
    if len(campaigns) > _NAMED_MAX:
        return f"{len(campaigns)} campaigns"
    return ", ".join(label_of(campaign) for campaign in campaigns)
