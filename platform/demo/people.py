"""The log-ins of a demo agency, which work as they are printed."""

from django.contrib.auth.hashers import check_password, make_password

from accounts.models import User

from .cast import AgencyPlan


def keep_log_ins(plan: AgencyPlan, *, password: str) -> list[str]:
    """Give the demo's people `password` where theirs is another; return who of them may log in.

    Call it in the agency's context. People whom somebody else let in are left alone.
    """
    people = User.objects.filter(email__in=plan.emails, is_active=True)
    # They share one hash, so that a start costs one slow comparison and not one for each.
    hashes = set(people.values_list("password", flat=True))
    stale = [known for known in hashes if not check_password(password, known)]
    if stale:
        people.filter(password__in=stale).update(password=make_password(password))
    found = set(people.values_list("email", flat=True))
    return [email for email in plan.emails if email in found]
