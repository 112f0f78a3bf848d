"""Housekeeping of people's sessions."""

from celery import shared_task
from django.contrib.sessions.models import Session

from kernel import clock
from tenants.contexts import platform_context, tenant_context
from tenants.queries import agencies_to_serve


@shared_task(name="accounts.clear_sessions")
def clear_sessions() -> int:
    """Delete the sessions that have expired, on the platform's site and in every agency."""
    now = clock.read()
    with platform_context():
        cleared, _ = Session.objects.filter(expire_date__lt=now).delete()
        agencies = agencies_to_serve()
    for agency in agencies:
        with tenant_context(agency):
            count, _ = Session.objects.filter(expire_date__lt=now).delete()
        cleared += count
    return cleared
