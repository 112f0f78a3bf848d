"""Decide again after spend, at a cost that does not grow with the campaigns it did not concern.

Spend changes nothing but what budgets have spent. So only where a limit changed sides is anything
judged: the campaign whose own it is, or all of the brand where campaigns share it. For the others
all stands as it was decided, unless the time for that has come.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from budgets.ledger import Appended
from budgets.models import Brand
from budgets.queries import Spent, spent_on, terms_on
from budgets.terms import ZERO, Terms, is_spent
from budgets.totals import Chain, Raised
from kernel.actor import Actor
from kernel.arrays import array, id_array
from kernel.ids import read_id
from kernel.local_time import first_of_month

from .delivery import BrandMoment
from .enforcement import enforce_delivery, time_has_come
from .judgement import Outcome, moments_of


class Spender(NamedTuple):
    """A campaign and the budgets that its spend counts in: its leaf, and the `chain` from there."""

    id: UUID
    brand_id: UUID
    budget_id: UUID
    chain: Chain
    status: str


# A row for each budget above leaves: what is above one of them is above them all.
_SPENDERS = """
    SELECT leaf.brand_id::text, leaf.parent_id::text, up.parent_id::text,
           string_agg(c.id::text, ' '), string_agg(leaf.id::text, ' '), string_agg(c.status, ' ')
    FROM campaigns_campaign c
    JOIN budgets_budget leaf ON leaf.id = c.budget_id
    JOIN budgets_budget up ON up.id = leaf.parent_id
    WHERE {which} = ANY(%s::uuid[])
    GROUP BY leaf.brand_id, leaf.parent_id, up.parent_id
"""


def find_spenders(campaign_ids: Collection[UUID]) -> dict[UUID, Spender]:
    """Return the campaigns that there are among `campaign_ids`, by their ids."""
    return {spender.id: spender for spender in _spenders("c.id", campaign_ids)}


def find_spenders_of(budget_ids: Collection[UUID]) -> dict[UUID, Spender]:
    """Return the campaigns of leaf budgets, by these."""
    return {spender.budget_id: spender for spender in _spenders("leaf.id", budget_ids)}


def _spenders(which: str, ids: Collection[UUID]) -> Iterator[Spender]:
    with connection.cursor() as cursor:
        cursor.execute(_SPENDERS.format(which=which), [id_array(ids)])
        for brand, parent, root, *several in cursor.fetchall():
            brand_id, above = read_id(brand), tuple([read_id(up) for up in (parent, root) if up])
            for key, leaf, status in zip(*map(str.split, several), strict=True):
                leaf_id = read_id(leaf)
                yield Spender(read_id(key), brand_id, leaf_id, (leaf_id, *above), status)


def enforce_after_spend(
    appended: Appended,
    spenders: Iterable[Spender],
    brands: Mapping[UUID, Brand],
    *,
    now: datetime,
    by: Actor,
) -> Outcome:
    """Decide again after what the `spenders` spent was appended. Their brands are locked.

    In the caller's transaction, as `enforce_delivery`.
    """
    leaves = {line.budget_id for line in appended.new_lines}
    touched = [spender for spender in spenders if spender.budget_id in leaves]
    brand_ids = {spender.brand_id for spender in touched}
    concerned = {key: brand for key, brand in brands.items() if key in brand_ids}
    moments = moments_of(concerned.values(), now=now)
    turned = _turned_budgets(_added(appended.raised, touched, moments), moments)
    own = [spender for spender in touched if spender.budget_id in turned]
    shared = turned.difference([spender.budget_id for spender in own])
    whole = {s.brand_id for s in touched if not shared.isdisjoint(s.chain)} if shared else set()
    whole |= {key for key, brand in concerned.items() if time_has_come(brand, moments[key].now)}
    narrow = {spender.brand_id for spender in own} - whole
    _stand(concerned.keys() - whole - narrow, brands, moments)
    outcome = Outcome()
    if whole:
        outcome.add(enforce_delivery({key: brands[key] for key in whole}, now=now, by=by))
    if narrow:
        ids = [spender.id for spender in own if spender.brand_id in narrow]
        some = {key: brands[key] for key in narrow}
        outcome.add(enforce_delivery(some, now=now, by=by, campaign_ids=ids))
    return outcome


def _stand(
    brand_ids: Collection[UUID], brands: Mapping[UUID, Brand], moments: Mapping[UUID, BrandMoment]
) -> None:
    """Write that the brands' decisions stand at this moment."""
    if not brand_ids:
        return
    ids = sorted(brand_ids)
    for brand_id in ids:
        brands[brand_id].decided_at = moments[brand_id].now
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE budgets_brand b SET decided_at = v.at"
            " FROM unnest(%s::uuid[], %s::timestamptz[]) AS v (id, at) WHERE b.id = v.id",
            [id_array(ids), array([moments[brand_id].now for brand_id in ids])],
        )


@dataclass(slots=True)
class _Added:
    """What was added to a budget's day, and to its month up to that day; and what the day has
    spent now, where it was added to."""

    today: Decimal = ZERO
    month: Decimal = ZERO
    spent_today: Decimal = ZERO


def _added(
    raised: Mapping[tuple[UUID, date], Raised],
    spenders: Iterable[Spender],
    moments: Mapping[UUID, BrandMoment],
) -> dict[UUID, _Added]:
    """Return what was added to each budget, where it counts in a running period."""
    if not raised:
        return {}
    concerned = {budget_id for budget_id, _ in raised}
    periods = {key: (moment.today, first_of_month(moment.today)) for key, moment in moments.items()}
    period_of = {
        key: periods[spender.brand_id]
        for spender in spenders
        for key in spender.chain
        if key in concerned
    }
    added: defaultdict[UUID, _Added] = defaultdict(_Added)
    for (budget_id, day), more in raised.items():
        today, month_start = period_of[budget_id]
        if not month_start <= day <= today:
            continue
        own = added[budget_id]
        own.month += more.daily + more.monthly_only
        if day == today:
            own.today, own.spent_today = more.daily, more.spent_on_day
    return added


def _turned_budgets(added: Mapping[UUID, _Added], moments: Mapping[UUID, BrandMoment]) -> set[UUID]:
    """Return the budgets of which a limit changed sides, or may have changed its hold's end."""
    if not added:
        return set()
    days = {brand_id: moment.today for brand_id, moment in moments.items()}
    instants = {brand_id: moment.now for brand_id, moment in moments.items()}
    terms = terms_on(days, at=instants, budget_ids=list(added))
    # Most campaigns have no monthly limit, and nobody asks what they have spent in the month.
    monthly = [budget_id for budget_id, own in terms.items() if own.limits.monthly is not None]
    spent = spent_on(days, budget_ids=monthly) if monthly else {}
    turned = set()
    for budget_id, own in terms.items():
        more = added[budget_id]
        after = spent.get(budget_id) or Spent(more.spent_today)
        if _concerns(own, more, after):
            turned.add(budget_id)
    return turned


def _concerns(terms: Terms, more: _Added, after: Spent) -> bool:
    """Return whether a limit changed sides; or is spent, and may now be so until another time."""
    sides = _sides(terms, after)
    has_fallen = more.today < 0 or more.month < 0
    if not (any(sides) or has_fallen):
        return False
    before = Spent(after.today - more.today, after.month - more.month)
    is_moving = bool(terms.adjustments or terms.later)
    return sides != _sides(terms, before) or (is_moving and any(sides))


def _sides(terms: Terms, spent: Spent) -> tuple[bool, bool]:
    """Return which limits are spent: the day's, and the month's."""
    daily, monthly = terms.bounds
    return (
        is_spent(daily, spent.today, terms.stop_at),
        is_spent(monthly, spent.month, terms.stop_at),
    )
