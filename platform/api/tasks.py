"""Housekeeping of remembered answers."""

import logging

from celery import shared_task
from django.db import DatabaseError

from kernel import clock
from tenants.contexts import platform_context, tenant_context
from tenants.queries import agencies_to_serve

from .idempotency import forget_answers

logger = logging.getLogger(__name__)


@shared_task(name="api.forget_answers")
def forget_old_answers() -> int:
    """Delete, in every agency, the answers that are older than 30 days; return how many."""
    now = clock.read()
    with platform_context():
        agencies = agencies_to_serve()
    forgotten = 0
    for agency in agencies:
        try:
            with tenant_context(agency):
                forgotten += forget_answers(now=now)
        except DatabaseError:
            logger.exception("answers not forgotten agency=%s", agency.slug)
    return forgotten
