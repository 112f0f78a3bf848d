"""Bars of spent against budget: an inline SVG in three colours, and the amounts beside it.

No inline style: the pages' content security policy lets only files of our own style them.
"""

from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from typing import NamedTuple

from django.utils.html import format_html
from django.utils.safestring import SafeString

from budgets.models import STOP_AT_MAX
from budgets.terms import is_spent
from kernel.money import show

# From here on a budget needs attention.
AMBER_FROM = Decimal("0.8")


class Colour(StrEnum):
    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class Gauge(NamedTuple):
    """What a budget has spent in a period, of how much (None: no limit), in which currency.

    `whose` names the budget where it is not the row's own; it counts as spent from `stop_at`
    percent on.
    """

    spent: Decimal
    limit: Decimal | None
    currency: str
    whose: str = ""
    stop_at: int = STOP_AT_MAX


def colour(spent: Decimal, limit: Decimal, stop_at: int = STOP_AT_MAX) -> Colour:
    """Return the bar's colour: red when the limit counts as spent, amber from 80 % of that on."""
    if is_spent(limit, spent, stop_at):
        return Colour.RED
    is_near = spent >= limit * AMBER_FROM * stop_at / STOP_AT_MAX
    return Colour.AMBER if is_near else Colour.GREEN


def percent(spent: Decimal, limit: Decimal) -> int:
    """Return how much of the limit is spent in whole percent, rounded down: 99.9 % is not 100."""
    if not limit:
        return 100
    return max(0, int((spent * 100 / limit).to_integral_value(ROUND_DOWN)))


def bar(gauge: Gauge | None) -> SafeString:
    """Draw a gauge; without a limit there is nothing to draw, and only the amount is told."""
    if gauge is None:
        return format_html('<span class="quiet">{}</span>', "–")
    spent = show(gauge.spent, gauge.currency)
    if gauge.limit is None:
        return format_html(
            '<span><span class="amount">{} {}</span> <span class="quiet">no budget</span></span>',
            spent,
            gauge.currency,
        )
    share = percent(gauge.spent, gauge.limit)
    amounts = f"{spent} of {show(gauge.limit, gauge.currency)} {gauge.currency}"
    return format_html(
        '<span class="gauge"><svg class="bar bar-{}" viewBox="0 0 100 6" role="img"'
        ' preserveAspectRatio="none" aria-label="{} % spent"><title>{} % spent</title>'
        '<rect class="track" width="100" height="6" rx="1"/>'
        '<rect class="fill" width="{}" height="6" rx="1"/></svg>'
        '<span><span class="amount">{}</span>{}</span></span>',
        colour(gauge.spent, gauge.limit, gauge.stop_at),
        share,
        share,
        min(share, 100),
        amounts,
        format_html(' <span class="quiet">{}</span>', gauge.whose) if gauge.whose else "",
    )


def bars(today: Gauge | None, month: Gauge | None) -> SafeString:
    """Draw a day's and its month's gauge, one below the other, for lists that are wide enough."""
    return format_html(
        '<div class="gauges"><span class="quiet">Day</span> {}'
        '<span class="quiet">Month</span> {}</div>',
        bar(today),
        bar(month),
    )
