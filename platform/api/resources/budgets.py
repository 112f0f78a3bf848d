"""Budgets: every node of the brands' trees, and the groups that are made here."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from django.db.models import Q, QuerySet
from rest_framework.exceptions import ValidationError

from accounts.roles import Right
from budgets.models import Budget, BudgetKind, BudgetMode
from budgets.queries import NO_FIGURES, Figures, figures_on
from budgets.terms import effective_mode
from campaigns.models import Campaign
from campaigns.queries import brand_days
from campaigns.services import budgets as services

from .. import shown
from ..bodies import Body, Query, Shown
from ..fields import Amount, Choice, Day, Id, Instant, Text, Whole, YesNo
from .adjustments import AdjustmentBody, adjustments_of
from .money import MoneyBody
from .resource import EditableResource

# A campaign's may be longer, and comes back unchanged with its budget.
GROUP_NAME_MAX = 100


class UpcomingBody(Body):
    """Limits that apply from a coming local day on."""

    daily_budget = Amount(read_only=True, allow_null=True)
    monthly_budget = Amount(read_only=True, allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        # `from` is a word of Python's, so it can't be declared above.
        return {"from": Day(read_only=True), **super().get_fields()}


class BudgetBody(MoneyBody):
    fixed = frozenset({"brand"})

    id = Id(read_only=True)
    brand = Id(help_text="Set once, by POST.")
    kind = Choice(BudgetKind, read_only=True, help_text="The brand's, a group, a campaign's.")
    parent = Id(  # type: ignore[assignment]
        read_only=True, allow_null=True
    )
    campaign = Id(read_only=True, allow_null=True, help_text="Whose it is, if it is a campaign's.")
    name = Text(max_length=200, help_text="A group's own; the brand's or the campaign's otherwise.")
    currency = Text(read_only=True)
    mode = Choice(
        BudgetMode,
        required=False,
        allow_null=True,
        help_text="What happens when a limit is spent. pause_resume: campaigns pause, and resume"
        " with the next period. pause: they wait for a person. alert_only: it is told, and nothing"
        " is held. Null: as the budget above; the brand's is then pause_resume.",
    )
    effective_mode = Choice(BudgetMode, read_only=True, help_text="The mode in force.")
    stop_at = Whole(
        required=False, help_text="From which percent of a limit on it counts as spent: 50 to 100."
    )
    adjustments = AdjustmentBody(many=True, read_only=True, help_text="Those in force.")
    upcoming = UpcomingBody(many=True, read_only=True, help_text="Limits of coming days.")
    created_at = Instant(read_only=True)
    updated_at = Instant(read_only=True)

    def validate_name(self, name: str) -> str:
        is_group = self.instance is None or self.instance.kind == BudgetKind.GROUP
        if is_group and len(name) > GROUP_NAME_MAX:
            raise ValidationError(f"A group's name has at most {GROUP_NAME_MAX} characters.")
        return name


class BudgetQuery(Query):
    brand = Id(required=False)
    campaign = Id(required=False)
    kind = Choice(BudgetKind, required=False)
    archived = YesNo(help_text="true: those of archived brands and campaigns too.")


class BudgetView(EditableResource[Budget]):
    """A node of a brand's budgets: the brand's own (`root`), a `group`, or a campaign's (`leaf`).

    Each limit binds on its own: what is spent below a node counts in it. Groups are made, renamed
    and deleted here; the others come and go with their brand or campaign. With `from`, a change of
    limits applies from a coming day on.
    """

    what = "budget"
    brand_path = "brand"
    right_to_write = Right.EDIT_BUDGETS
    serializer_class = BudgetBody
    filters = BudgetQuery

    def rows(self) -> QuerySet[Budget]:
        budgets = Budget.objects.select_related("brand", "campaign", "parent__parent")
        return budgets.order_by("brand__name", "brand_id", "-kind", "name", "id")

    def narrow(self, rows: QuerySet[Budget], asked: Mapping[str, Any]) -> QuerySet[Budget]:
        wanted = Q()
        if not asked.get("archived"):
            wanted = Q(brand__archived_at=None, campaign__archived_at=None)
        for name in ("brand", "campaign", "kind"):
            if name in asked:
                wanted &= Q(**{name: asked[name]})
        return rows.filter(wanted)

    def show(self, rows: Sequence[Budget]) -> list[Shown]:
        days = brand_days({budget.brand for budget in rows}, now=self.now)
        figures = figures_on(days, now=self.now, budget_ids=[budget.id for budget in rows])
        adjustments = adjustments_of(rows, now=self.now)
        return [
            {
                "id": budget.id,
                "brand": budget.brand_id,
                "kind": budget.kind,
                "parent": budget.parent_id,
                "campaign": campaign.id if (campaign := _campaign(budget)) else None,
                "name": _name(budget),
                "currency": budget.brand.currency,
                "mode": budget.mode or None,
                "effective_mode": effective_mode(budget),
                "stop_at": budget.stop_at,
                "adjustments": adjustments.get(budget.id, []),
                "upcoming": _upcoming(figures.get(budget.id, NO_FIGURES), budget.brand.currency),
                **shown.money(figures.get(budget.id, NO_FIGURES), budget.brand.currency),
                "created_at": budget.created_at,
                "updated_at": budget.updated_at,
            }
            for budget in rows
        ]

    def add(self, values: dict[str, Any]) -> UUID:
        brand_id = values.pop("brand")
        values["mode"] = values.get("mode") or ""
        return services.create_group(brand_id=brand_id, **values, now=self.now, by=self.by).id

    def change(self, row: Budget, changes: dict[str, Any]) -> None:
        # The name of a brand or a campaign came back as it is shown.
        if row.kind != BudgetKind.GROUP and changes.get("name") == _name(row):
            del changes["name"]
        if "mode" in changes:
            changes["mode"] = changes["mode"] or ""
        services.update_budget(
            budget_id=row.id, changes=cast(services.LimitChanges, changes), now=self.now, by=self.by
        )

    def remove(self, row: Budget) -> str:
        services.remove_group(budget_id=row.id, now=self.now, by=self.by)
        return ""


def _campaign(budget: Budget) -> Campaign | None:
    return getattr(budget, "campaign", None)


def _upcoming(figures: Figures, currency: str) -> list[Shown]:
    return [
        {
            "from": change.from_day,
            "daily_budget": shown.amount(change.limits.daily, currency),
            "monthly_budget": shown.amount(change.limits.monthly, currency),
        }
        for change in figures.terms.later
    ]


def _name(budget: Budget) -> str:
    campaign = _campaign(budget)
    return budget.name or (campaign.name if campaign else budget.brand.name)
