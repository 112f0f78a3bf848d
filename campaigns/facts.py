"""Gather the facts of decisions: a fixed number of statements for any number of campaigns."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from budgets.models import Brand, BudgetMode
from budgets.queries import NOTHING_SPENT, Spent, spent_on, terms_on
from budgets.terms import NO_TERMS, Terms
from dayparting.queries import ALWAYS_OPEN, hours_of

from .delivery import BrandMoment, BudgetFacts, CampaignFacts


class OpenHold(NamedTuple):
    """An open hold as stored."""

    id: UUID
    campaign_id: UUID
    reason: str
    budget_id: UUID | None
    origin: str
    period_start: date | None
    until: datetime | None
    limit: Decimal | None
    adjusted_by: Decimal
    stop_at: int
    mode: str

    @property
    def is_rule(self) -> bool:
        """Whether a rule may release it: it is no person's, and waits for none."""
        return not self.origin

    @property
    def is_alert(self) -> bool:
        """Whether it holds nothing, and only tells."""
        return self.mode == BudgetMode.ALERT_ONLY


class JudgedCampaign(NamedTuple):
    """A campaign with its facts (None: not live, no rule looks at it) and what is stored."""

    campaign_id: UUID
    brand_id: UUID
    name: str
    status: str
    status_version: int
    is_live: bool
    facts: CampaignFacts | None
    holds: tuple[OpenHold, ...]


class _Row(NamedTuple):
    campaign_id: UUID
    brand_id: UUID
    name: str
    status: str
    status_version: int
    is_live: bool
    start_date: date | None
    end_date: date | None
    schedule_id: UUID
    leaf_id: UUID
    parent_id: UUID
    root_id: UUID | None


def campaign_facts(
    brands: Iterable[Brand],
    moments: Mapping[UUID, BrandMoment],
    *,
    campaign_ids: Sequence[UUID] | None = None,
) -> list[JudgedCampaign]:
    """Return the facts of the brands' campaigns at each brand's moment.

    Covers live campaigns and those that still carry an open rule hold; or only `campaign_ids`.
    Five statements, whatever the number.
    """
    brand_ids = [brand.id for brand in brands]
    rows = _campaign_rows(brand_ids, campaign_ids)
    some = campaign_ids is not None
    budget_ids = list({b for row in rows for b in _chain(row)}) if some else None
    days = {brand_id: moments[brand_id].today for brand_id in brand_ids}
    hours = hours_of(
        [row.schedule_id for row in rows if row.is_live],
        since=min(days.values(), default=date.max),
    )
    instants = {brand_id: moments[brand_id].now for brand_id in brand_ids}
    terms = terms_on(days, at=instants, budget_ids=budget_ids)
    spent = spent_on(days, budget_ids=budget_ids)
    holds = _open_holds(brand_ids, campaign_ids)
    budgets: dict[UUID, BudgetFacts] = {}
    for row in rows:
        _add_budgets(budgets, _chain(row), terms, spent)

    return [
        JudgedCampaign(
            *row[:6],
            CampaignFacts(
                row.campaign_id,
                row.start_date,
                row.end_date,
                hours.get(row.schedule_id, ALWAYS_OPEN),
                tuple([budgets[budget_id] for budget_id in _chain(row)]),
            )
            if row.is_live
            else None,
            tuple(holds.get(row.campaign_id, ())),
        )
        for row in rows
    ]


def _add_budgets(
    budgets: dict[UUID, BudgetFacts],
    chain: Sequence[UUID],
    terms: Mapping[UUID, Terms],
    spent: Mapping[UUID, Spent],
) -> None:
    """Add the facts of a campaign's budgets, from the root down: a mode is inherited."""
    mode: str = BudgetMode.PAUSE_RESUME
    for budget_id in reversed(chain):
        known = budgets.get(budget_id)
        if known is None:
            own = terms.get(budget_id, NO_TERMS)
            known = BudgetFacts(
                budget_id, own, spent.get(budget_id, NOTHING_SPENT), own.mode or mode
            )
            budgets[budget_id] = known
        mode = known.mode


def _chain(row: _Row) -> tuple[UUID, ...]:
    """The budgets above a campaign: its leaf, its group if it has one, its brand's root."""
    if row.root_id is None:
        return (row.leaf_id, row.parent_id)
    return (row.leaf_id, row.parent_id, row.root_id)


def _campaign_rows(brand_ids: Sequence[UUID], campaign_ids: Sequence[UUID] | None) -> list[_Row]:
    sql = """
        SELECT c.id, c.brand_id, c.name, c.status, c.status_version, c.is_live,
               c.start_date, c.end_date, coalesce(c.shared_schedule_id, c.schedule_id),
               c.budget_id, leaf.parent_id, up.parent_id
        FROM campaigns_campaign c
        JOIN budgets_budget leaf ON leaf.id = c.budget_id
        JOIN budgets_budget up ON up.id = leaf.parent_id
        WHERE c.brand_id = ANY(%(brands)s::uuid[])
          AND (c.is_live OR c.status <> 'INACTIVE' OR %(some)s)
          AND (NOT %(some)s OR c.id = ANY(%(campaigns)s::uuid[]))
    """
    arguments: dict[str, Any] = {
        "brands": list(brand_ids),
        "some": campaign_ids is not None,
        "campaigns": list(campaign_ids or ()),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        return [_Row(*row) for row in cursor.fetchall()]


def _open_holds(
    brand_ids: Sequence[UUID], campaign_ids: Sequence[UUID] | None
) -> dict[UUID, list[OpenHold]]:
    sql = """
        SELECT h.id, h.campaign_id, h.reason, h.budget_id, h.origin,
               h.period_start, h.until, h."limit", h.adjusted_by, h.stop_at, h.mode
        FROM campaigns_hold h
        JOIN campaigns_campaign c ON c.id = h.campaign_id
        WHERE h.released_at IS NULL AND c.brand_id = ANY(%(brands)s::uuid[])
          AND (NOT %(some)s OR c.id = ANY(%(campaigns)s::uuid[]))
        ORDER BY h.placed_at, h.id
    """
    arguments: dict[str, Any] = {
        "brands": list(brand_ids),
        "some": campaign_ids is not None,
        "campaigns": list(campaign_ids or ()),
    }
    found: dict[UUID, list[OpenHold]] = {}
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        for row in cursor.fetchall():
            hold = OpenHold(*row)
            found.setdefault(hold.campaign_id, []).append(hold)
    return found
