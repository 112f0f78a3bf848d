"""Make and change campaigns: their dates, group, limits, and what people command of them."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypedDict
from uuid import UUID

from django.db import IntegrityError, transaction

from budgets import services as budgets
from budgets import totals
from budgets.models import Brand, Budget, BudgetKind
from dayparting.models import Schedule
from kernel.actor import Actor
from kernel.errors import Conflict, DomainError, InvalidValue, NameTaken, NotFound
from kernel.transactions import atomic

from ..enforcement import catch_up, close_holds, enforce_delivery
from ..judgement import Outcome, decision_instant
from ..models import PAUSE, WAITS, Campaign, Hold, Reason, Status
from .budgets import LimitChanges, change_limits

Command = Literal["ACTIVE", "PAUSED", "INACTIVE"]
_YEARS = range(1970, 2200)


class CampaignChanges(TypedDict, total=False):
    """What may change of a campaign and its own budget (see LimitChanges).

    An absent key keeps what is. `group`: a budget's id; None: no group. `shared_schedule`: its id;
    None: the campaign's own.
    """

    name: str
    platform: str
    external_id: str
    start_date: date | None
    end_date: date | None
    group: UUID | None
    shared_schedule: UUID | None
    daily_budget: Decimal | None
    monthly_budget: Decimal | None
    from_day: date
    mode: str
    stop_at: int
    status: Command


@atomic
def create_campaign(
    *,
    brand_id: UUID,
    name: str,
    status: Command = "ACTIVE",
    platform: str = "",
    external_id: str = "",
    start_date: date | None = None,
    end_date: date | None = None,
    group: UUID | None = None,
    shared_schedule: UUID | None = None,
    daily_budget: Decimal | None = None,
    monthly_budget: Decimal | None = None,
    now: datetime,
    by: Actor,
) -> Campaign:
    """Make a campaign and decide on it. Raises NotFound, InvalidValue, NameTaken and Conflict."""
    shared = lock_shared_row(shared_schedule, by=by) if shared_schedule else None
    brand = budgets.lock_brand(brand_id, by=by)
    if brand.archived_at is not None:
        raise Conflict(f"{brand.name} is archived.", field="brand")
    now = decision_instant(brand, now=now)
    campaign = Campaign(
        brand=brand,
        name=name,
        platform=platform,
        external_id=external_id,
        start_date=start_date,
        end_date=end_date,
        shared_schedule=shared,
        is_live=status != "INACTIVE",
    )
    if refused := make_campaigns([campaign], brand=brand, group=_group(group, brand)):
        raise refused[0]
    limits: LimitChanges = {"daily_budget": daily_budget, "monthly_budget": monthly_budget}
    change_limits(campaign.budget, limits, brand=brand, now=now, by=by)
    if status == "PAUSED":
        _place_pause([campaign.id], now=now, by=by)
    enforce_delivery({brand.id: brand}, now=now, by=by, campaign_ids=[campaign.id])
    campaign.refresh_from_db()
    return campaign


def make_campaigns(
    campaigns: Sequence[Campaign], *, brand: Brand, group: Budget | None = None
) -> dict[int, DomainError]:
    """Store new campaigns of a locked brand, each with its leaf and schedule, undecided.

    The caller decides on each in the same transaction. Returns by its index which one was refused,
    InvalidValue (dates) or NameTaken, and why; the caller then ends the transaction.
    """
    parent = group or budgets.root_of(brand)
    leaves = Budget.objects.bulk_create(
        Budget(brand=brand, parent=parent, kind=BudgetKind.LEAF) for _ in campaigns
    )
    schedules = Schedule.objects.bulk_create(Schedule() for _ in campaigns)
    for campaign, leaf, schedule in zip(campaigns, leaves, schedules, strict=True):
        campaign.budget, campaign.schedule = leaf, schedule
        # Nothing yet: the decision writes the first status.
        campaign.status = Status.INACTIVE
    refused: dict[int, DomainError] = {}
    try:
        for campaign in campaigns:
            _check_flight(campaign)
        with transaction.atomic():
            Campaign.objects.bulk_create(campaigns)
    except (IntegrityError, InvalidValue):
        # One statement does not tell which of them it refuses.
        for index, campaign in enumerate(campaigns):
            try:
                _save(campaign)
            except DomainError as refusal:
                refused[index] = refusal
    return refused


@atomic
def update_campaign(
    *, campaign_id: UUID, changes: CampaignChanges, now: datetime, by: Actor
) -> Campaign:
    """Change a campaign and decide again. `status` in `changes` is a command (see `command`)."""
    shared_id = changes.get("shared_schedule")
    shared = lock_shared_row(shared_id, by=by) if shared_id else None
    brand, campaign = lock_campaign(campaign_id, by=by)
    now = decision_instant(brand, now=now)
    if campaign.archived_at is not None:
        raise Conflict(f"{campaign.name} is archived.", field="status")
    # What waits for a person does so since its period was over, swept or not.
    catch_up({brand.id: brand}, now=now)
    # It may have moved the campaign: what is saved below must not undo that.
    campaign.refresh_from_db(fields=["status", "status_version", "updated_at"])
    for field in ("name", "platform", "external_id", "start_date", "end_date"):
        if field in changes:
            setattr(campaign, field, changes[field])  # type: ignore[literal-required]
    if "shared_schedule" in changes:
        campaign.shared_schedule = shared
    _save(campaign)
    is_moved = "group" in changes and budgets.move_leaf(
        campaign.budget, group=_group(changes["group"], brand)
    )
    change_limits(campaign.budget, changes, brand=brand, now=now, by=by)
    if "status" in changes:
        _command([campaign.id], changes["status"], now=now, by=by)
    # A change of group moves spend between limits that other campaigns share.
    named = None if is_moved else [campaign.id]
    enforce_delivery({brand.id: brand}, now=now, by=by, campaign_ids=named)
    campaign.refresh_from_db()
    return campaign


@atomic
def command(
    *, campaign_ids: Collection[UUID], status: Command, now: datetime, by: Actor
) -> Outcome:
    """Command campaigns: PAUSED places a manual hold, ACTIVE lifts it, INACTIVE switches off.

    ACTIVE also lifts what waits for a person: budget holds of a finished period. Other holds stay:
    an ACTIVE campaign may still be held. PAUSED and ACTIVE switch on what was off. Raises NotFound
    and Conflict (archived).
    """
    found = Campaign.objects.filter(id__in=campaign_ids)
    if by.brand_ids is not None:
        found = found.filter(brand__in=by.brand_ids)
    brands = budgets.lock_brands(found.values_list("brand_id", flat=True), by=by)
    if found.count() != len(set(campaign_ids)):
        raise NotFound("There is no such campaign.", field="campaign")
    if archived := found.exclude(archived_at=None).first():
        raise Conflict(f"{archived.name} is archived.", field="status")
    ids = list(set(campaign_ids))
    # As in `update_campaign`: what waits was to be resumed, or stays, swept or not.
    catch_up(brands, now=now)
    latest = max((decision_instant(b, now=now) for b in brands.values()), default=now)
    _command(ids, status, now=latest, by=by)
    return enforce_delivery(brands, now=now, by=by, campaign_ids=ids)


def _command(ids: Sequence[UUID], status: Command, *, now: datetime, by: Actor) -> None:
    Campaign.objects.filter(id__in=ids).update(is_live=status != "INACTIVE", updated_at=now)
    if status == "PAUSED":
        _place_pause(ids, now=now, by=by)
    if status == "ACTIVE":
        pauses = Hold.objects.filter(
            campaign_id__in=ids, origin__in=[PAUSE, WAITS], released_at=None
        )
        close_holds([(hold_id, now) for hold_id in pauses.values_list("id", flat=True)], by=by)


def _place_pause(ids: Sequence[UUID], *, now: datetime, by: Actor) -> None:
    """Place a person's (or a key's) hold where none stands yet."""
    held = set(
        Hold.objects.filter(
            campaign_id__in=ids, reason=Reason.MANUAL, origin=PAUSE, released_at=None
        ).values_list("campaign_id", flat=True)
    )
    Hold.objects.bulk_create(
        Hold(
            campaign_id=campaign_id,
            reason=Reason.MANUAL,
            origin=PAUSE,
            placed_at=now,
            placed_by_kind=by.kind,
            placed_by_id=by.id,
            placed_by_label=by.label[:120],
        )
        for campaign_id in ids
        if campaign_id not in held
    )


@atomic
def remove_campaign(*, campaign_id: UUID, now: datetime, by: Actor) -> Campaign | None:
    """Delete a campaign without spend, or archive it: return it then, None if it is gone."""
    brand, campaign = lock_campaign(campaign_id, by=by)
    now = decision_instant(brand, now=now)
    if not totals.has_spend(campaign.budget_id):
        # Told to whoever reads the feed, which outlives the campaign.
        _command([campaign.id], "INACTIVE", now=now, by=by)
        enforce_delivery({brand.id: brand}, now=now, by=by, campaign_ids=[campaign.id])
        leaf, schedule = campaign.budget, campaign.schedule
        campaign.delete()
        leaf.delete()
        schedule.delete()
        return None
    if campaign.archived_at is None:
        Campaign.objects.filter(id=campaign_id).update(
            archived_at=now, is_live=False, updated_at=now
        )
        enforce_delivery({brand.id: brand}, now=now, by=by)
        campaign.refresh_from_db()
    return campaign


def lock_shared_row(schedule_id: UUID, *, by: Actor) -> Schedule:
    """Lock a shared schedule's row, before any brand's (see schedules.py).

    Raises NotFound, also where none of the brands that `by` is limited to uses it.
    """
    rows = Schedule.objects.select_for_update(no_key=True)
    schedule = rows.filter(id=schedule_id).exclude(name="").first()
    if schedule is None or not _is_used_by(by, schedule):
        raise NotFound("There is no such shared schedule.", field="shared_schedule")
    return schedule


def _is_used_by(by: Actor, schedule: Schedule) -> bool:
    if by.brand_ids is None:
        return True
    users = Campaign.objects.filter(shared_schedule=schedule, brand__in=by.brand_ids)
    return users.exists()


def lock_campaign(campaign_id: UUID, *, by: Actor) -> tuple[Brand, Campaign]:
    """Lock the campaign's brand and read the campaign after that. Raises NotFound."""
    brand_id = Campaign.objects.filter(id=campaign_id).values_list("brand_id", flat=True).first()
    if brand_id is None or not by.covers(brand_id):
        raise NotFound("There is no such campaign.", field="campaign")
    brand = budgets.lock_brand(brand_id, by=by)
    campaign = Campaign.objects.select_related("budget", "schedule").filter(id=campaign_id).first()
    if campaign is None:
        raise NotFound("There is no such campaign.", field="campaign")
    campaign.brand = brand
    campaign.budget.brand = brand
    return brand, campaign


def _group(budget_id: UUID | None, brand: Brand) -> Budget | None:
    if budget_id is None:
        return None
    group = Budget.objects.filter(id=budget_id, brand=brand, kind=BudgetKind.GROUP).first()
    if group is None:
        raise InvalidValue(f"{brand.name} has no such budget group.", field="group")
    return group


def _save(campaign: Campaign) -> None:
    """Save a campaign, or raise InvalidValue (dates) or NameTaken (name, external id)."""
    _check_flight(campaign)
    try:
        with transaction.atomic():
            campaign.save()
    except IntegrityError as error:
        if "campaign_external_id_once" in str(error):
            raise NameTaken(
                f"{campaign.brand.name} has a campaign with the external id"
                f" {campaign.external_id!r} already.",
                field="external_id",
            ) from None
        raise NameTaken(
            f"{campaign.brand.name} has a campaign named {campaign.name!r} already.",
            field="name",
        ) from None


def _check_flight(campaign: Campaign) -> None:
    """Raise InvalidValue for flight dates that can't be."""
    for field in ("start_date", "end_date"):
        day = getattr(campaign, field)
        if day is not None and day.year not in _YEARS:
            raise InvalidValue("A flight lies between 1970 and 2199.", field=field)
    if campaign.start_date and campaign.end_date and campaign.end_date < campaign.start_date:
        raise InvalidValue("A flight can't end before it starts.", field="end_date")
