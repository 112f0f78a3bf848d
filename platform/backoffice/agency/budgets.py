"""Budgets: brands', groups' and campaigns', with all that bears on them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.admin import display, register
from django.contrib.admin.widgets import AdminDateWidget
from django.db.models import Case, Q, QuerySet, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.roles import Right
from budgets import adjusting
from budgets.models import (
    STOP_AT_MAX,
    Budget,
    BudgetAdjustment,
    BudgetChange,
    BudgetKind,
    BudgetMode,
    LimitVersion,
)
from budgets.terms import effective_mode, mode_giver
from campaigns.services import budgets as services
from kernel import clock
from kernel.actor import Actor

from ..bars import bar
from ..choosing import archived_filter, brand_filter
from ..figures import gather_budgets, shown
from ..sites import agency_site
from ..words import NOTHING, chip, instant
from .money import LimitsForm, amount_text, limit_text
from .removal import RemovingAdmin
from .rights import FiguredAdmin, HistoryInline, actor_of, become

# From the brand's own budget down to its campaigns'.
_LEVEL = Case(When(kind=BudgetKind.ROOT, then=0), When(kind=BudgetKind.GROUP, then=1), default=2)
_LIMITS = ("daily_budget", "monthly_budget")
_CALLED = {
    "daily_budget": "daily budget",
    "monthly_budget": "monthly budget",
    "mode": "when it is spent",
    "stop_at": "counts as spent from",
}


class GroupForm(LimitsForm):
    """A new group below a brand's budget, or what bears on a budget and a group's name."""

    from_day = forms.DateField(
        label="These two budgets from",
        required=False,
        widget=AdminDateWidget,
        help_text="The brand's local day. Empty: from today on.",
    )
    refused_as = {"from": "from_day"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        budget: Budget = self.instance
        if not budget._state.adding:
            self.fill_limits(shown(budget).limits, budget.brand.currency)
        if "name" in self.fields:
            self.fields["name"].required = True
        if "stop_at" in self.fields:
            self.fields["stop_at"].required = False
        if "mode" in self.fields:
            self._offer_modes()
        for name in _LIMITS:
            if name in self.fields:
                self.fields[name].help_text = "Empty: no limit."

    def _offer_modes(self) -> None:
        """Only the brand's own budget has none above it."""
        field = self.fields["mode"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = BudgetMode.choices
        if self.instance.kind == BudgetKind.ROOT:
            self.initial["mode"] = self.instance.mode or BudgetMode.PAUSE_RESUME
            field.help_text = "Budgets below this one that say nothing else do the same."
        else:
            field.choices = [("", "As the budget above"), *BudgetMode.choices]
            field.help_text = ""

    def clean_stop_at(self) -> int:
        percent: int | None = self.cleaned_data["stop_at"]
        return STOP_AT_MAX if percent is None else percent

    def terms(self) -> dict[str, Any]:
        """Return what of the budget was changed on the page, as the service names it."""
        from_day = self.cleaned_data.get("from_day")
        changes = self.changes("name", *_LIMITS, "mode", "stop_at")
        if from_day is None:
            return changes
        if not changes.keys() & set(_LIMITS):
            # Back to what applies today: these limits are meant as they are written.
            changes |= {name: self.cleaned_data[name] for name in _LIMITS}
        return {**changes, "from_day": from_day}


class LimitHistory(HistoryInline):
    model = LimitVersion
    verbose_name_plural = "Limits, the newest first"
    readonly_fields = ["from_day", "daily", "monthly", "by", "set_when"]
    fields = [*readonly_fields]
    ordering = ["-from_day"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[LimitVersion]:
        return super().get_queryset(request).select_related("budget__brand")

    @display(description="daily budget")
    def daily(self, version: LimitVersion) -> str:
        return limit_text(version.daily_limit, version.budget.brand.currency)

    @display(description="monthly budget")
    def monthly(self, version: LimitVersion) -> str:
        return limit_text(version.monthly_limit, version.budget.brand.currency)

    @display(description="set by")
    def by(self, version: LimitVersion) -> str:
        return version.set_by_label

    @display(description="at")
    def set_when(self, version: LimitVersion) -> str:
        return instant(version.set_at, version.budget.brand.calendar)


class AdjustmentHistory(HistoryInline):
    model = BudgetAdjustment
    verbose_name_plural = "Adjustments, the newest first"
    readonly_fields = ["period_start", "period", "added", "note", "given", "ends", "state"]
    fields = [*readonly_fields]
    ordering = ["-given_at", "-id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[BudgetAdjustment]:
        return super().get_queryset(request).select_related("budget__brand")

    @display(description="added")
    def added(self, row: BudgetAdjustment) -> str:
        sign = "-" if row.amount < 0 else "+"
        return f"{sign}{amount_text(abs(row.amount), row.budget.brand.currency)}"

    @display(description="given")
    def given(self, row: BudgetAdjustment) -> str:
        return f"{instant(row.given_at, row.budget.brand.calendar)}, {row.given_by_label}"

    @display(description="ends")
    def ends(self, row: BudgetAdjustment) -> str:
        calendar = row.budget.brand.calendar
        return instant(adjusting.ends_at(row, calendar), calendar)

    @display(description="state")
    def state(self, row: BudgetAdjustment) -> SafeString:
        calendar = row.budget.brand.calendar
        if row.withdrawn_at is not None:
            when = instant(row.withdrawn_at, calendar)
            return format_html("{} {}, {}", chip("Withdrawn", "off"), when, row.withdrawn_by_label)
        is_in_force = adjusting.is_in_force(row, calendar, now=clock.read())
        return chip("In force", "run") if is_in_force else chip("Ended", "off")


class ChangeHistory(HistoryInline):
    model = BudgetChange
    verbose_name_plural = "Changes, the newest first"
    readonly_fields = ["when", "from_day", "was", "became", "by"]
    fields = [*readonly_fields]
    ordering = ["-id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[BudgetChange]:
        return super().get_queryset(request).select_related("budget__brand")

    @display(description="at")
    def when(self, change: BudgetChange) -> str:
        return instant(change.at, change.budget.brand.calendar)

    @display(description="from")
    def was(self, change: BudgetChange) -> str:
        return _terms_text(change.before, change.budget.brand.currency)

    @display(description="to")
    def became(self, change: BudgetChange) -> str:
        return _terms_text(change.after, change.budget.brand.currency)

    @display(description="by")
    def by(self, change: BudgetChange) -> str:
        return change.by_label


def _terms_text(values: Mapping[str, Any], currency: str) -> str:
    """Tell what the history keeps of a budget's terms: amounts as texts, null for no limit."""
    told = []
    for name, value in values.items():
        if name in _LIMITS:
            value = limit_text(None if value is None else Decimal(value), currency)
        elif name == "mode":
            value = BudgetMode(value).label.lower() if value else "as the budget above"
        else:
            value = f"{value} %"
        told.append(f"{_CALLED[name]}: {value}")
    return "; ".join(told)


@register(Budget, site=agency_site)
class BudgetAdmin(RemovingAdmin, FiguredAdmin):
    """Every budget: brands', groups' and campaigns'. Only groups come and go here."""

    form = GroupForm
    brand_path = "brand"
    edit_right = Right.EDIT_BUDGETS
    actions = []
    inlines = [AdjustmentHistory, LimitHistory, ChangeHistory]
    autocomplete_fields = ["brand"]
    search_fields = ["name", "brand__name", "campaign__name"]
    search_help_text = "Name of the group, brand or campaign"
    list_display = ["called", "kind", "brand", "today", "this_month"]
    list_filter = [
        "kind",
        brand_filter("brand"),
        archived_filter(
            Q(brand__archived_at__isnull=False) | Q(campaign__archived_at__isnull=False)
        ),
    ]
    list_select_related = ["brand", "campaign"]
    shown_fields = ["brand", "kind", "called", "mode_in_force", "today", "this_month", "adjust"]
    ordering = ["brand__name", _LEVEL.asc(), "name", "campaign__name", "id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Budget]:
        rows = super().get_queryset(request)
        return rows.select_related("brand", "campaign", "parent__brand", "parent__parent__brand")

    def get_fieldsets(self, request: HttpRequest, obj: Budget | None = None) -> Any:
        if obj is None:
            fields = ["brand", "name", *_LIMITS, "mode", "stop_at"]
            note = "A group shares one budget among some of a brand's campaigns."
            return [("Budget group", {"fields": fields, "description": note})]
        name = "name" if obj.kind == BudgetKind.GROUP else "called"
        may_change = self.has_change_permission(request, obj)
        # Who only looks reads the mode in force, and coming limits in their history.
        terms = ["from_day", "mode", "stop_at"] if may_change else ["stop_at"]
        now = ["today", "this_month", *(["adjust"] if may_change else [])]
        return [
            (None, {"fields": ["brand", "kind", name]}),
            ("Budget", {"fields": [*_LIMITS, *terms]}),
            ("Now", {"fields": ["mode_in_force", *now]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Budget | None = None) -> Any:
        return self.shown_fields if obj else []

    def get_inlines(self, request: HttpRequest, obj: Budget | None) -> Any:
        return self.inlines if obj else []

    def has_change_permission(self, request: HttpRequest, obj: Budget | None = None) -> bool:
        is_kept = obj is not None and obj.brand.archived_at is not None
        return super().has_change_permission(request, obj) and not is_kept

    def has_delete_permission(self, request: HttpRequest, obj: Budget | None = None) -> bool:
        is_group = obj is None or obj.kind == BudgetKind.GROUP
        return super().has_delete_permission(request, obj) and is_group

    def title_of(self, row: Budget) -> str:
        own = self.called(row)
        return own if row.kind == BudgetKind.ROOT else f"{row.brand.name} / {own}"

    def gather(self, rows: Sequence[Budget], *, now: datetime) -> None:
        gather_budgets(rows, now=now)

    @display(description="budget of", ordering="name")
    def called(self, budget: Budget) -> str:
        match budget.kind:
            case BudgetKind.GROUP:
                return budget.name
            case BudgetKind.ROOT:
                return budget.brand.name
            case _:
                return budget.campaign.name if hasattr(budget, "campaign") else NOTHING

    @display(description="today")
    def today(self, budget: Budget) -> SafeString:
        return bar(shown(budget).today)

    @display(description="this month")
    def this_month(self, budget: Budget) -> SafeString:
        return bar(shown(budget).month)

    @display(description="mode in force")
    def mode_in_force(self, budget: Budget) -> str:
        giver = mode_giver(budget)
        told = effective_mode(budget).label
        return told if giver is None or giver == budget else f"{told}, as {self.called(giver)}"

    @display(description="adjustments")
    def adjust(self, budget: Budget) -> SafeString:
        return format_html(
            '<a href="{}">{}</a>',
            reverse("portal:adjust", args=[budget.pk]),
            "Adjust for today or this month",
        )

    @display(description="daily budget")
    def daily_budget(self, budget: Budget) -> str:
        return limit_text(shown(budget).limits.daily, budget.brand.currency)

    @display(description="monthly budget")
    def monthly_budget(self, budget: Budget) -> str:
        return limit_text(shown(budget).limits.monthly, budget.brand.currency)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        now, by = clock.read(), actor_of(request)
        if change:
            stored = services.update_budget(budget_id=obj.pk, changes=form.terms(), now=now, by=by)
        else:
            stored = services.create_group(
                brand_id=form.cleaned_data["brand"].pk,
                name=form.cleaned_data["name"],
                daily_budget=form.cleaned_data["daily_budget"],
                monthly_budget=form.cleaned_data["monthly_budget"],
                mode=form.cleaned_data["mode"],
                stop_at=form.cleaned_data["stop_at"],
                now=now,
                by=by,
            )
        become(obj, stored)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        lines = [f"{group}: its campaigns will be directly below their brand" for group in objs]
        return lines, {"budget groups": len(lines)}, set(), []

    def remove(self, row: Budget, *, now: datetime, by: Actor) -> None:
        services.remove_group(budget_id=row.pk, now=now, by=by)
