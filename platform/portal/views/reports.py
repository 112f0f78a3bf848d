"""The monthly report, on the page and as a file."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.http import HttpResponse
from django.shortcuts import render

from budgets.models import Brand
from campaigns.reports import ReportLine, monthly_report
from kernel import clock
from kernel.money import plain

from ..access import PortalRequest, page
from ..charts import pick_month
from ..paging import cut_list
from ..params import id_in, month_in, page_in

BRANDS_A_PAGE = 25
# What a spreadsheet would take for the start of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(slots=True)
class BrandReport:
    """A brand's line, and its campaigns' below it."""

    brand: ReportLine
    campaigns: list[ReportLine] = field(default_factory=list)


@page()
def monthly(request: PortalRequest) -> HttpResponse:
    """Spent against limits per brand and campaign, and the days on which they were held."""
    now = clock.read()
    month, before, after = pick_month(month_in(request), today=now.date())
    everyone = list(Brand.objects.order_by("name", "id"))
    brand_id = id_in(request, "brand")
    brands = [brand for brand in everyone if brand_id in (None, brand.id)]
    lines = monthly_report(brands, month, now=now)
    if request.GET.get("format") == "csv":
        return _csv(lines, month)
    reports = _grouped(lines)
    place, page = cut_list(reports, number=page_in(request), size=BRANDS_A_PAGE)
    context = {
        "month": month,
        "month_before": before,
        "month_after": after,
        "brands": everyone,
        "brand_id": brand_id,
        "reports": reports[place],
        "page": page,
        "totals": _totals(reports),
        "is_running": after is None,
    }
    return render(request, "portal/report.html", context)


def _grouped(lines: Iterable[ReportLine]) -> list[BrandReport]:
    """Put the campaigns below their brands; an archived brand shows in months in which it spent."""
    reports: list[BrandReport] = []
    for line in lines:
        if line.campaign is None:
            reports.append(BrandReport(line))
        else:
            reports[-1].campaigns.append(line)
    return [r for r in reports if r.brand.brand.archived_at is None or r.brand.spent]


def _totals(reports: Iterable[BrandReport]) -> list[tuple[str, Decimal]]:
    """Return what was spent in each currency: amounts of two are never added."""
    sums: dict[str, Decimal] = {}
    for report in reports:
        currency = report.brand.brand.currency
        sums[currency] = sums.get(currency, Decimal(0)) + report.brand.spent
    return sorted(sums.items())


def _csv(lines: Sequence[ReportLine], month: date) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="paceline-{month:%Y-%m}.csv"'
    writer = csv.writer(response)
    writer.writerow(
        ["month", "brand", "campaign", "currency", "spent", "limit", "over_under", "days_held"]
    )
    for line in lines:
        currency = line.brand.currency
        writer.writerow(
            [
                f"{month:%Y-%m}",
                _cell(line.brand.name),
                _cell(line.campaign.name) if line.campaign else "",
                currency,
                plain(line.spent, currency),
                "" if line.limit is None else plain(line.limit, currency),
                "" if line.over is None else plain(line.over, currency),
                line.days_held,
            ]
        )
    return response


def _cell(text: str) -> str:
    """Keep a spreadsheet from reading a name as a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
