"""What bears on a budget beside its limits of today: adjustments, coming limits, its history."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Access
from accounts.roles import Right
from budgets import adjusting
from budgets.models import Budget, BudgetAdjustment, BudgetChange, Period
from campaigns.services import budgets as services
from kernel.errors import NotFound

from .. import shown
from ..bodies import Body, Shown
from ..fields import Amount, Choice, Day, Flag, Id, Instant, Moment, Text
from .resource import ApiView, Resource


class AdjustmentBody(Body):
    """An amount more, or less, that a budget may spend in one day or month."""

    id = Id(read_only=True)
    amount = Amount(help_text="In the brand's currency; a negative one lowers the limit.")
    period = Choice(Period, help_text="Which limit it adjusts, for the running day or month.")
    period_start = Day(read_only=True, help_text="The brand's local day, or first of the month.")
    note = Text(max_length=500, help_text="Why.")
    expires_at = Moment(
        required=False, allow_null=True, help_text="Before the end of its period, if it is given."
    )
    ends_at = Instant(read_only=True, help_text="When it ends by time alone.")
    in_force = Flag(read_only=True)
    given_at = Instant(read_only=True)
    by = Text(read_only=True, help_text="Who gave it.")
    withdrawn_at = Instant(read_only=True, allow_null=True)
    withdrawn_by = Text(read_only=True)


class AdjustmentView(Resource[BudgetAdjustment]):
    """Adjustments of one budget, the newest first.

    An adjustment is for the running day or month of that one budget. It applies at once, to what is
    already spent too, and ends with its period, or at its expiry. DELETE withdraws it before that;
    it stays in the list.
    """

    what = "adjustment"
    brand_path = "budget__brand"
    right_to_write = Right.EDIT_BUDGETS
    serializer_class = AdjustmentBody
    answers = {"destroy": {200: AdjustmentBody}}

    def rows(self) -> QuerySet[BudgetAdjustment]:
        budget = find_budget(self.kwargs["budget_id"], self.access)
        rows = BudgetAdjustment.objects.filter(budget=budget).select_related("budget__brand")
        return rows.order_by("-given_at", "-id")

    def show(self, rows: Sequence[BudgetAdjustment]) -> list[Shown]:
        return [_shown(row, now=self.now) for row in rows]

    def create(self, request: Request, **_: Any) -> Response:
        body = AdjustmentBody(data=request.data)
        body.is_valid(raise_exception=True)
        given = services.adjust_budget(
            budget_id=self.kwargs["budget_id"], **body.validated_data, now=self.now, by=self.by
        )
        return Response(self.written([self.find(given.id)])[0], 201)

    def destroy(self, request: Request, **_: Any) -> Response:
        row = services.withdraw_adjustment(
            budget_id=self.kwargs["budget_id"],
            adjustment_id=self.kwargs["id"],
            now=self.now,
            by=self.by,
        )
        return Response(self.written([self.find(row.id)])[0])


def find_budget(budget_id: UUID, access: Access) -> Budget:
    """Return a budget with its brand. Raises NotFound."""
    rows = access.narrow(Budget.objects.select_related("brand"), "brand")
    budget = rows.filter(id=budget_id).first()
    if budget is None:
        raise NotFound("There is no such budget.")
    return budget


def adjustments_of(budgets: Collection[Budget], *, now: datetime) -> dict[UUID, list[Shown]]:
    """Return the adjustments in force of budgets that come with their brands. One statement."""
    found = adjusting.in_force(budgets, now=now)
    return {key: [_shown(row, now=now) for row in rows] for key, rows in found.items()}


def _shown(row: BudgetAdjustment, *, now: datetime) -> Shown:
    brand = row.budget.brand
    return {
        "id": row.id,
        "amount": shown.amount(row.amount, brand.currency),
        "period": row.period,
        "period_start": row.period_start,
        "note": row.note,
        "expires_at": row.expires_at,
        "ends_at": adjusting.ends_at(row, brand.calendar),
        "in_force": adjusting.is_in_force(row, brand.calendar, now=now),
        "given_at": row.given_at,
        "by": row.given_by_label,
        "withdrawn_at": row.withdrawn_at,
        "withdrawn_by": row.withdrawn_by_label,
    }


class BudgetChangeBody(Body):
    """Who changed what a budget may spend: only what changed, from what to what."""

    from_day = Day(read_only=True, help_text="The brand's local day from which it applies.")
    before = serializers.DictField(read_only=True)
    after = serializers.DictField(read_only=True)
    at = Instant(read_only=True)
    by = Text(read_only=True)


class BudgetChangeView(Resource[BudgetChange]):
    """Every change of one budget's limits, mode and stop, the newest first."""

    what = "change"
    brand_path = "budget__brand"
    serializer_class = BudgetChangeBody

    def rows(self) -> QuerySet[BudgetChange]:
        budget = find_budget(self.kwargs["budget_id"], self.access)
        return BudgetChange.objects.filter(budget=budget).order_by("-id")

    def show(self, rows: Sequence[BudgetChange]) -> list[Shown]:
        return [
            {
                "from_day": row.from_day,
                "before": row.before,
                "after": row.after,
                "at": row.at,
                "by": row.by_label,
            }
            for row in rows
        ]


class UpcomingLimitView(ApiView):
    """Limits that have not begun yet: DELETE takes those of one coming day back."""

    right_to_write = Right.EDIT_BUDGETS
    summary = "Take back limits that have not begun"
    answers = {"delete": {204: None}}
    serializer_class = None

    def delete(self, request: Request, budget_id: UUID, day: date) -> Response:
        services.withdraw_limits(budget_id=budget_id, from_day=day, now=self.now, by=self.by)
        return Response(status=204)
