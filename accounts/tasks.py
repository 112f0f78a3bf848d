"""Housekeeping of people's sessions."""

import logging

from celery import shared_task
from django.contrib.sessions.models import Session
from django.db import DatabaseError

from kernel import clock
from tenants.contexts import platform_context, tenant_context
from tenants.queries import agencies_to_serve

logger = logging.getLogger(__name__)


@shared_task(name="accounts.clear_sessions")
def clear_sessions() -> int:
    """Delete the sessions that have expired, on the platform's site and in every agency."""
    now = clock.read()
    with platform_context():
        cleared, _ = Session.objects.filter(expire_date__lt=now).delete()
        agencies = agencies_to_serve()
    for agency in agencies:
        try:
            with tenant_context(agency):
                count, _ = Session.objects.filter(expire_date__lt=now).delete()
            cleared += count
        except DatabaseError:
            logger.exception("sessions not cleared agency=%s", agency.slug)
    return cleared
