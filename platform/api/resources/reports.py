"""The monthly report: spent against limit, per brand and campaign."""

import re
from datetime import date
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from budgets.models import Brand
from campaigns.reports import monthly_report
from kernel.errors import NotFound
from kernel.local_time import first_of_month

from ..bodies import Query
from ..exports import CsvRenderer, csv_answer
from ..fields import Amount, Id, Text
from .resource import ApiView

_YEARS = range(1970, 2200)


class ReportLineBody(serializers.Serializer[Any]):
    """A brand (`campaign` is null), or a campaign below it."""

    brand = Id()
    brand_name = Text()
    campaign = Id(allow_null=True)
    campaign_name = Text(help_text="Empty for a brand.")
    currency = Text()
    spent = Amount()
    limit = Amount(
        allow_null=True, help_text="The monthly budget with its adjustments; null is none."
    )
    adjustments = Amount(help_text="What of the limit is adjustments of the month.")
    daily_adjustments = Amount(help_text="Adjustments of the month's days, which the limit lacks.")
    over = Amount(allow_null=True, help_text="Spent beyond the limit.")
    under = Amount(allow_null=True, help_text="Left of the limit.")
    days_held = serializers.IntegerField(help_text="Days on which it was paused at some time.")


class ReportBody(serializers.Serializer[Any]):
    month = Text()
    results = ReportLineBody(many=True)


class ReportQuery(Query):
    month = Text(required=False, help_text="2026-03. Default: the month that is running, in UTC.")
    brand = Id(required=False, help_text="Only this brand and its campaigns.")

    def validate_month(self, month: str) -> date:
        """Return the first day of the month."""
        if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", month) or int(month[:4]) not in _YEARS:
            raise ValidationError("A month is wanted, such as 2026-03.")
        return date(int(month[:4]), int(month[5:]), 1)


class MonthlyReportView(ApiView):
    """What each brand and each of its campaigns spent in a month, against its monthly budget.

    The limit is the one of the month's last day, or of today in the month that is running. Amounts
    of different currencies are never added.
    """

    summary = "Show the monthly report"
    filters = ReportQuery
    renderer_classes = [JSONRenderer, CsvRenderer]
    serializer_class = ReportBody

    def get(self, request: Request) -> Any:
        month = self.asked.get("month") or first_of_month(self.now.date())
        lines = monthly_report(self._brands(), month, now=self.now)
        serializer = ReportLineBody()
        rows = [serializer.to_representation(line.as_row()) for line in lines]
        if self.wants_csv:
            return csv_answer(list(serializer.fields), rows, name=f"report-{month:%Y-%m}")
        return Response({"month": f"{month:%Y-%m}", "results": rows})

    def _brands(self) -> list[Brand]:
        brands = self.access.narrow(Brand.objects.order_by("name", "id"), "id")
        if "brand" in self.asked:
            brands = brands.filter(id=self.asked["brand"])
            if not brands:
                raise NotFound("There is no such brand.", field="brand")
        return list(brands)
