"""The monthly report, on the page and as a file."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.http import HttpResponse
from django.shortcuts import render

from campaigns.reports import REPORT_COLUMNS, ReportLine, monthly_report
from kernel import clock
from kernel.local_time import first_of_month
from kernel.spreadsheets import cell

from .. import seen
from ..access import PortalRequest, page
from ..charts import pick_month
from ..paging import cut_list
from ..params import id_in, month_in, page_in

BRANDS_A_PAGE = 25


@dataclass(slots=True)
class BrandReport:
    """A brand's line, and its campaigns' below it."""

    brand: ReportLine
    campaigns: list[ReportLine] = field(default_factory=list)


@page()
def monthly(request: PortalRequest) -> HttpResponse:
    """Spent against limits per brand and campaign, and the days on which they were held."""
    now = clock.read()
    everyone = list(seen.brands(request).order_by("name", "id"))
    brand_id = id_in(request, "brand")
    brands = [brand for brand in everyone if brand_id in (None, brand.id)]
    # A month runs until the last brand has left it, and one may look at it once the first is in.
    todays = [brand.calendar.today(now) for brand in brands] or [now.date()]
    month, before, after = pick_month(month_in(request) or min(todays), today=max(todays))
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
        "is_running": month >= first_of_month(min(todays)),
    }
    return render(request, "portal/report.html", context)


def _grouped(lines: Iterable[ReportLine]) -> list[BrandReport]:
    """Put the campaigns below their brands."""
    reports: list[BrandReport] = []
    for line in lines:
        if line.campaign is None:
            reports.append(BrandReport(line))
        else:
            reports[-1].campaigns.append(line)
    return reports


def _totals(reports: Iterable[BrandReport]) -> list[tuple[str, Decimal]]:
    """Return what was spent in each currency: amounts of two are never added."""
    sums: dict[str, Decimal] = {}
    for report in reports:
        currency = report.brand.brand.currency
        sums[currency] = sums.get(currency, Decimal(0)) + report.brand.spent
    return sorted(sums.items())


def _csv(lines: Iterable[ReportLine], month: date) -> HttpResponse:
    """Answer with the table that the API exports too."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="report-{month:%Y-%m}.csv"'
    writer = csv.writer(response)
    writer.writerow(REPORT_COLUMNS)
    for line in lines:
        row = line.as_row()
        writer.writerow([cell(row[column]) for column in REPORT_COLUMNS])
    return response
