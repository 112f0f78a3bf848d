"""Make the demo agencies where they are missing, and tell how to enter them."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.conf import settings

from tenants.contexts import tenant_context
from tenants.models import Agency
from tenants.services import create_agency, remove_agency

from .cast import AgencyPlan
from .keys import keep_key
from .people import keep_log_ins
from .stage import is_empty, is_staged, stage


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let one process at a time make the demo of this installation."""
    folder = Path(settings.PACELINE_HOME) / "demo"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def quiet_delivery() -> Iterator[None]:
    """Leave out the log's line for each campaign: a demo makes years of them in a moment."""
    logger = logging.getLogger("campaigns.delivery")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def keep_demo(plan: AgencyPlan, *, password: str, now: datetime) -> str:
    """Make the plan's agency unless it is there; return the line that tells how to enter it.

    What a crash left unfinished is finished. An agency of that address which somebody else made is
    left alone. Call it on the platform's schema. Raises DomainError and OSError.
    """
    agency = found_or_made(name=plan.name, slug=plan.slug)
    with tenant_context(agency):
        if agency.name == plan.name and is_empty():
            stage(plan, password=password, now=now)
        if not is_staged():
            return f"{agency.name}: {agency.url}/ is no demo agency; it is left alone."
        if not agency.is_active:
            return f"{agency.name}: switched off."
        emails = keep_log_ins(plan, password=password)
        keep_key(agency, now=now)
    return f"{agency.name}: {agency.url}/  {' '.join(emails)}  password: {password}"


def found_or_made(*, name: str, slug: str) -> Agency:
    """Return the agency of this address, made if it is missing. Call it on the platform's schema.

    What a crash left without all of its tables, under the same name, is made anew. Raises
    DomainError, NameTaken also where somebody else is making an agency of this address.
    """
    agency: Agency | None = Agency.objects.filter(slug=slug).first()
    if agency is None or agency.is_ready:
        return agency or create_agency(name=name, slug=slug)
    if agency.name == name:
        remove_agency(agency)
    return create_agency(name=name, slug=slug)
