"""What of the agency's rows is there for the person who asks: views take rows from here alone.

Of a brand that is not theirs nothing is: its pages are 404, as those of a brand that never was.
"""

from typing import Any

from django.db.models import QuerySet

from budgets.models import Brand, Budget, SpendEntry
from campaigns.models import Campaign
from campaigns.queries import schedules_seen
from dayparting.models import Schedule, ScheduleException, Window

from .access import PortalRequest


def brands(request: PortalRequest) -> QuerySet[Brand]:
    return request.user.access.narrow(Brand.objects.all(), "id")


def budgets(request: PortalRequest) -> QuerySet[Budget]:
    return request.user.access.narrow(Budget.objects.all(), "brand")


def campaigns(request: PortalRequest) -> QuerySet[Campaign]:
    return request.user.access.narrow(Campaign.objects.all(), "brand")


def entries(request: PortalRequest) -> QuerySet[SpendEntry]:
    return request.user.access.narrow(SpendEntry.objects.all(), "budget__brand")


def schedules(request: PortalRequest) -> QuerySet[Schedule]:
    return schedules_seen(request.user.access)


def windows(request: PortalRequest) -> QuerySet[Window]:
    return _of_schedules(request, Window.objects.all())


def exceptions(request: PortalRequest) -> QuerySet[ScheduleException]:
    return _of_schedules(request, ScheduleException.objects.all())


def _of_schedules(request: PortalRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    if not request.user.access.is_limited:
        return rows
    return rows.filter(schedule__in=schedules(request))
