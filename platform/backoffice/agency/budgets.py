"""Budgets: brands', groups' and campaigns', with the history of their limits."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.admin import display, register
from django.db.models import Case, Q, QuerySet, When
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.roles import Right
from budgets.models import Budget, BudgetKind, LimitVersion
from campaigns.services import budgets as services
from kernel import clock
from kernel.actor import Actor

from ..bars import bar
from ..choosing import archived_filter, brand_filter
from ..figures import gather_budgets, shown
from ..sites import agency_site
from ..words import NOTHING, instant
from .money import LimitsForm, limit_text
from .removal import RemovingAdmin
from .rights import FiguredAdmin, HistoryInline, actor_of, become

# From the brand's own budget down to its campaigns'.
_LEVEL = Case(When(kind=BudgetKind.ROOT, then=0), When(kind=BudgetKind.GROUP, then=1), default=2)


class GroupForm(LimitsForm):
    """A new group below a brand's budget, or a budget's limits and a group's name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.fill_limits(shown(self.instance).limits, self.instance.brand.currency)
        if "name" in self.fields:
            self.fields["name"].required = True


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


@register(Budget, site=agency_site)
class BudgetAdmin(RemovingAdmin, FiguredAdmin):
    """Every budget: brands', groups' and campaigns'. Only groups come and go here."""

    form = GroupForm
    edit_right = Right.EDIT_BUDGETS
    actions = []
    inlines = [LimitHistory]
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
    ordering = ["brand__name", _LEVEL.asc(), "name", "campaign__name", "id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Budget]:
        return super().get_queryset(request).select_related("brand", "campaign")

    def get_fieldsets(self, request: HttpRequest, obj: Budget | None = None) -> Any:
        if obj is None:
            fields = ["brand", "name", "daily_budget", "monthly_budget"]
            note = "A group shares one budget among some of a brand's campaigns."
            return [("Budget group", {"fields": fields, "description": note})]
        name = "name" if obj.kind == BudgetKind.GROUP else "called"
        return [
            (None, {"fields": ["brand", "kind", name]}),
            ("Budget", {"fields": ["daily_budget", "monthly_budget", "today", "this_month"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Budget | None = None) -> Any:
        return ["brand", "kind", "called", "today", "this_month"] if obj else []

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

    @display(description="daily budget")
    def daily_budget(self, budget: Budget) -> str:
        return limit_text(shown(budget).limits.daily, budget.brand.currency)

    @display(description="monthly budget")
    def monthly_budget(self, budget: Budget) -> str:
        return limit_text(shown(budget).limits.monthly, budget.brand.currency)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        now, by = clock.read(), actor_of(request)
        if change:
            changes: Any = form.changes("name", "daily_budget", "monthly_budget")
            stored = services.update_budget(budget_id=obj.pk, changes=changes, now=now, by=by)
        else:
            stored = services.create_group(
                brand_id=form.cleaned_data["brand"].pk,
                name=form.cleaned_data["name"],
                daily_budget=form.cleaned_data["daily_budget"],
                monthly_budget=form.cleaned_data["monthly_budget"],
                now=now,
                by=by,
            )
        become(obj, stored)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        lines = [f"{group}: its campaigns will be directly below their brand" for group in objs]
        return lines, {"budget groups": len(lines)}, set(), []

    def remove(self, row: Budget, *, now: datetime, by: Actor) -> None:
        services.remove_group(budget_id=row.pk, now=now, by=by)
