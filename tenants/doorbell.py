"""The hint by which the tick finds what is due, without asking any agency's schema.

`Agency.next_check_at` is lowered after the commit of an edit that needs it, and raised only by a
sweep during which nobody lowered it: the generation tells. A hint that is lost costs at most one
turn of the backstop.
"""

from datetime import datetime

from django.db.models import F
from django.db.models.functions import Coalesce, Least

from .contexts import platform_context
from .models import Agency


def ring(agency: Agency, *, at: datetime) -> None:
    """Lower the agency's hint to `at`, if it is later or unset."""
    with platform_context():
        Agency.objects.filter(pk=agency.pk).update(
            next_check_at=Least(Coalesce(F("next_check_at"), at), at),
            check_generation=F("check_generation") + 1,
        )
