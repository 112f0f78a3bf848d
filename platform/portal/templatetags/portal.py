"""What templates say of rights, money and time."""

from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal

from django import template

from accounts.models import User
from accounts.roles import Right
from accounts.second_factors import needs_factor
from budgets.models import Brand
from campaigns.models import Reason
from dayparting.models import Window
from dayparting.sentences import told_time
from dayparting.sentences import weekly as told_week
from kernel.money import show
from tenants.models import Agency

register = template.Library()


@register.filter
def may(user: User, right: str) -> bool:
    """`{% if request.user|may:"edit_brands" %}`"""
    return user.is_authenticated and user.may(Right(right))


@register.filter
def must_set_up(user: User, agency: Agency | str | None) -> bool:
    """`{% if request.user|must_set_up:request.tenant %}`: a second factor, before all else."""
    return isinstance(agency, Agency) and user.is_authenticated and needs_factor(user, agency)


@register.filter
def money(amount: Decimal, currency: str) -> str:
    """`{{ entry.amount|money:brand.currency }}`: with its currency, in its minor units."""
    return f"{show(amount, currency)} {currency}"


@register.filter
def figure(amount: Decimal, currency: str) -> str:
    """An amount whose currency stands beside it already."""
    return show(amount, currency)


@register.filter
def signed(amount: Decimal, currency: str) -> str:
    """An amount that is added or taken away: `+200.00`, `-50.00`."""
    return f"{'-' if amount < 0 else '+'}{show(abs(amount), currency)}"


@register.filter
def clock_of(at: datetime, brand: Brand) -> str:
    """`{{ hold.placed_at|clock_of:brand }}`: on the brand's wall clock, with its zone."""
    local, zone = brand.calendar.local(at), brand.calendar.zone_at(at)
    return f"{local.day} {local:%b %Y, %H:%M} {zone}"


# Django's own `date` filter would move an aware time into the settings' zone, and say UTC's hour.
@register.filter
def wall_clock(local: datetime) -> str:
    """A brand's local time: `14:03`."""
    return f"{local:%H:%M}"


@register.filter
def wall_day_clock(local: datetime) -> str:
    """A brand's local time with its day: `Mon 2 Mar, 14:03`."""
    return f"{local:%a} {local.day} {local:%b, %H:%M}"


@register.filter
def time_of_day(at: time) -> str:
    """A window's edge: `09:00`, with seconds where there are any."""
    return told_time(at)


@register.filter
def weekly(windows: Iterable[Window]) -> str:
    """A week's windows: `Mon–Fri 09:00–18:00, Sat 10:00–14:00`."""
    return told_week(windows)


@register.filter
def weekday_short(value: date) -> str:
    """A date of these days: `Fri 25 Dec`."""
    return f"{value:%a} {value.day} {value:%b}"


@register.filter
def weekday_day(value: date) -> str:
    """A date with its weekday: `Fri 25 Dec 2026`."""
    return f"{value:%a} {value.day} {value:%b %Y}"


@register.filter
def utc(at: datetime) -> str:
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


@register.filter
def day(value: date) -> str:
    return f"{value.day} {value:%b %Y}"


# What the live part of a page adds to its own address (see views/live.py).
_NOT_IN_LINKS = ("seen", "open", "folds")


@register.simple_tag(takes_context=True)
def here(context: template.RequestContext, **changes: object) -> str:
    """`{% here page=2 %}`: this page's address with other parameters; an empty one is left out."""
    request = context["request"]
    query = request.GET.copy()
    for name in _NOT_IN_LINKS:
        query.pop(name, None)
    for name, value in changes.items():
        query.pop(name, None)
        if value not in ("", None):
            query[name] = str(value)
    return f"{request.path}?{query.urlencode()}" if query else request.path


@register.filter
def opposite(amount: Decimal) -> Decimal:
    """What is under a limit, as a positive amount."""
    return -amount


@register.filter
def reasons(codes: list[str]) -> str:
    """The reasons of a status change, as people call them."""
    names = dict(Reason.choices)
    return ", ".join(names.get(code, code).lower() for code in codes)
