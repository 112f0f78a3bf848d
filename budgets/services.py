"""Brands, budgets and limits as rows. What must decide again afterwards is a service of
`campaigns`.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from kernel.actor import Actor
from kernel.errors import Conflict, InvalidValue, NameTaken, NotFound
from kernel.local_time import zone_names
from kernel.money import canonical, plain
from kernel.transactions import atomic

from . import totals
from .limits import check_currency, check_limit, check_stop_at
from .locked import note_locked
from .models import Brand, Budget, BudgetChange, BudgetKind, BudgetMode, LimitVersion, Period
from .terms import Limits


def lock_brands(
    brand_ids: Iterable[UUID], *, by: Actor, skip_locked: bool = False
) -> dict[UUID, Brand]:
    """Lock the brands' rows in the order of their ids: writers of one brand take turns.

    Whatever a decision rests on is read after this, in new statements. With `skip_locked` the
    brands that somebody else holds are left out. Raises NotFound for a brand that is not `by`'s:
    whoever writes comes through here, so no face can let somebody write beyond their brands.
    """
    wanted = set(brand_ids)
    if not all(map(by.covers, wanted)):
        raise NotFound("There is no such brand.", field="brand")
    note_locked(wanted)
    rows = (
        Brand.objects.filter(id__in=wanted)
        .order_by("id")
        .select_for_update(no_key=True, skip_locked=skip_locked)
    )
    return {brand.id: brand for brand in rows}


def lock_brand(brand_id: UUID, *, by: Actor) -> Brand:
    """Lock one brand's row, or raise NotFound."""
    found = lock_brands([brand_id], by=by).get(brand_id)
    if found is None:
        raise NotFound("There is no such brand.", field="brand")
    return found


def check_zone(name: str) -> None:
    """Raise InvalidValue unless `name` is a zone of the tz database."""
    if name not in zone_names():
        raise InvalidValue(
            f"{name[:64]!r} is no time zone of the tz database, such as Europe/Riga.",
            field="time_zone",
        )


@atomic
def create_brand(
    *,
    name: str,
    limits: Limits = Limits(),
    currency: str = "USD",
    time_zone: str = "UTC",
    now: datetime,
    by: Actor,
) -> Brand:
    """Make a brand with the root of its budgets. Raises InvalidValue and NameTaken."""
    check_currency(currency)
    check_zone(time_zone)
    brand = Brand(name=name, currency=currency, time_zone=time_zone)
    save_named(brand, what="brand")
    root = Budget.objects.create(brand=brand, kind=BudgetKind.ROOT)
    today = brand.calendar.today(now)
    set_limits(root, limits, brand=brand, from_day=today, today=today, now=now, by=by)
    return brand


def save_named(row: Brand | Budget, *, what: str) -> None:
    """Save a row whose name must be free among its like. Raises NameTaken."""
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise NameTaken(f"A {what} named {row.name!r} is here already.", field="name") from None


def root_of(brand: Brand) -> Budget:
    """Return the root of the brand's budgets."""
    return Budget.objects.get(brand=brand, kind=BudgetKind.ROOT)


def set_limits(
    budget: Budget,
    limits: Limits,
    *,
    brand: Brand,
    from_day: date,
    today: date,
    named: Collection[Period] = tuple(Period),
    now: datetime,
    by: Actor,
) -> bool:
    """Set what a budget may spend from a local day (not before `today`) on.

    Limits are in the brand's currency; `named` are those of them that somebody sets, the other is
    what it was. Returns whether anything changed, which is then told in the budget's history.
    Raises InvalidValue. The caller holds the brand's lock.
    """
    check_limit(limits.daily, currency=brand.currency, field="daily_budget")
    check_limit(limits.monthly, currency=brand.currency, field="monthly_budget")
    limits = Limits(*(None if limit is None else canonical(limit) for limit in limits))
    before = current_limits(budget, on=from_day)
    version = _version_of(budget, from_day)
    # A coming limit is said though it is today's: today's may change until then.
    is_said = from_day == today or all(map(version.sets, named))
    if before == limits and is_said:
        return False
    if from_day > today and not LimitVersion.objects.filter(budget=budget).exists():
        # A first version covers the days before it too. These had no limit, and have none.
        first = _version_of(budget, today)
        _store_limits(first, Limits(), named=tuple(Period), now=now, by=by)
    _store_limits(version, limits, named=named, now=now, by=by)
    _carry_on(budget, from_day)
    told = (_told(before, brand.currency), _told(limits, brand.currency))
    _tell(budget, *told, from_day=from_day, now=now, by=by)
    return True


def _version_of(budget: Budget, from_day: date) -> LimitVersion:
    """Return the limits that begin on a day, or new ones, which set nothing yet."""
    new = LimitVersion(budget=budget, from_day=from_day, sets_daily=False, sets_monthly=False)
    return LimitVersion.objects.filter(budget=budget, from_day=from_day).first() or new


def _store_limits(
    version: LimitVersion, limits: Limits, *, named: Collection[Period], now: datetime, by: Actor
) -> None:
    version.daily_limit, version.monthly_limit = limits
    version.sets_daily |= Period.DAY in named
    version.sets_monthly |= Period.MONTH in named
    version.set_at = now
    version.set_by_kind = by.kind
    version.set_by_id = by.id
    version.set_by_label = by.label[:120]
    version.save()


def _carry_on(budget: Budget, day: date) -> None:
    """Let what the versions after `day` do not set themselves be that of the version before."""
    limits = current_limits(budget, on=day)
    later = list(LimitVersion.objects.filter(budget=budget, from_day__gt=day).order_by("from_day"))
    for version in later:
        if not version.sets_daily:
            version.daily_limit = limits.daily
        if not version.sets_monthly:
            version.monthly_limit = limits.monthly
        limits = Limits(version.daily_limit, version.monthly_limit)
    LimitVersion.objects.bulk_update(later, ["daily_limit", "monthly_limit"])


def withdraw_limits(
    budget: Budget, *, brand: Brand, from_day: date, now: datetime, by: Actor
) -> bool:
    """Take back the limits that were to begin on a coming day; return whether there were any."""
    before = current_limits(budget, on=from_day)
    gone, _ = LimitVersion.objects.filter(budget=budget, from_day=from_day).delete()
    if gone:
        _carry_on(budget, from_day)
        after = current_limits(budget, on=from_day)
        _tell(
            budget,
            _told(before, brand.currency),
            _told(after, brand.currency),
            from_day=from_day,
            now=now,
            by=by,
        )
    return bool(gone)


def set_mode(
    budget: Budget, *, mode: str, stop_at: int, today: date, now: datetime, by: Actor
) -> bool:
    """Set what happens when a limit of the budget is spent, and from which percentage of it on.

    Returns whether anything changed. Raises InvalidValue. The caller holds the brand's lock.
    """
    if mode not in ("", *BudgetMode.values):
        raise InvalidValue(f"The modes are {', '.join(BudgetMode.values)}.", field="mode")
    check_stop_at(stop_at)
    before = {"mode": budget.mode, "stop_at": budget.stop_at}
    after = {"mode": mode, "stop_at": stop_at}
    if before == after:
        return False
    budget.mode, budget.stop_at = mode, stop_at
    budget.save(update_fields=["mode", "stop_at", "updated_at"])
    _tell(budget, before, after, from_day=today, now=now, by=by)
    return True


def _told(limits: Limits, currency: str) -> dict[str, str | None]:
    named = {"daily_budget": limits.daily, "monthly_budget": limits.monthly}
    return {name: None if at is None else plain(at, currency) for name, at in named.items()}


def _tell(
    budget: Budget,
    before: Mapping[str, object],
    after: Mapping[str, object],
    *,
    from_day: date,
    now: datetime,
    by: Actor,
) -> None:
    """Write who changed a budget, from what to what."""
    # A coming limit may be said to be what it is: then all is told.
    changed = [name for name in before if before[name] != after[name]] or list(before)
    BudgetChange.objects.create(
        budget=budget,
        from_day=from_day,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
        at=now,
        by_kind=by.kind,
        by_id=by.id,
        by_label=by.label[:120],
    )


def current_limits(budget: Budget, *, on: date) -> Limits:
    """Return a budget's limits on a local day, as `queries.terms_on` does for many."""
    versions = LimitVersion.objects.filter(budget=budget)
    version = (
        versions.filter(from_day__lte=on).order_by("-from_day").first()
        or versions.order_by("from_day").first()
    )
    return Limits(version.daily_limit, version.monthly_limit) if version else Limits()


def change_currency(brand: Brand, currency: str) -> None:
    """Give a brand another currency; refused with Conflict once anything was spent in the first."""
    if currency == brand.currency:
        return
    check_currency(currency)
    if totals.has_spend(root_of(brand).id):
        raise Conflict(
            f"{brand.name} has spend in {brand.currency}: its currency can't change any more.",
            field="currency",
        )
    for version in LimitVersion.objects.filter(budget__brand=brand):
        check_limit(version.daily_limit, currency=currency, field="currency")
        check_limit(version.monthly_limit, currency=currency, field="currency")
    brand.currency = currency


def change_zone(brand: Brand, time_zone: str, *, now: datetime) -> None:
    """Give a brand another zone, from its next midnight on (see `Calendar.moved_to`)."""
    if time_zone == brand.time_zone:
        return
    check_zone(time_zone)
    moved = brand.calendar.moved_to(time_zone, now=now)
    brand.time_zone = moved.zone
    brand.time_zone_before = moved.zone_before
    brand.time_zone_since = moved.since


def create_group(*, brand: Brand, name: str) -> Budget:
    """Make a group below the brand's root. Raises NameTaken."""
    group = Budget(brand=brand, parent=root_of(brand), kind=BudgetKind.GROUP, name=name)
    save_named(group, what="budget group")
    return group


def move_leaf(leaf: Budget, *, group: Budget | None) -> bool:
    """Put a leaf below another group, or the root (None); what it spent moves with it."""
    target = group or root_of(leaf.brand)
    if leaf.parent_id == target.id:
        return False
    totals.move_totals(leaf.id, sign=-1)
    leaf.parent = target
    leaf.save(update_fields=["parent", "updated_at"])
    totals.move_totals(leaf.id, sign=1)
    return True
