"""Agencies that were ordered, and housekeeping of people's sessions."""

import logging

from celery import shared_task
from django.contrib.sessions.models import Session
from django.db import DatabaseError

from kernel import clock
from tenants import openings
from tenants.contexts import platform_context, tenant_context
from tenants.queries import agencies_to_serve

from . import services, sign_ups

logger = logging.getLogger(__name__)


@shared_task(name="accounts.clear_sessions")
def clear_sessions() -> int:
    """Delete the sessions that have expired, on the platform's site and in every agency; and the
    keys of used sign-up links that have.
    """
    now = clock.read()
    with platform_context():
        cleared, _ = Session.objects.filter(expire_date__lt=now).delete()
        sign_ups.forget_used(now=now)
        agencies = agencies_to_serve()
    for agency in agencies:
        try:
            with tenant_context(agency):
                count, _ = Session.objects.filter(expire_date__lt=now).delete()
            cleared += count
        except DatabaseError:
            logger.exception("sessions not cleared agency=%s", agency.slug)
    return cleared


@shared_task(
    name="accounts.open_agency",
    time_limit=openings.OPENING_SECONDS_MAX,
    soft_time_limit=openings.OPENING_SECONDS_MAX - 30,
)
def open_agency(agency_id: int) -> bool:
    """Make an agency that was ordered."""
    return services.open_agency(agency_id=agency_id, now=clock.read())


@shared_task(name="accounts.open_agencies", expires=55)
def open_agencies() -> int:
    """Once a minute: ring again for each agency that is ordered and that nobody works on."""
    with platform_context():
        due = openings.due(now=clock.read())
    for agency_id in due:
        open_agency.delay(agency_id)
    return len(due)
