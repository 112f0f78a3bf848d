"""A brand with one of everything, whose every text carries a word that nothing else does."""

from copy import deepcopy
from datetime import date, time
from decimal import Decimal
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.test import Client

from accounts.invitations import invite
from accounts.models import SupportAccess, User, create_api_key
from accounts.roles import Role
from budgets.models import Budget, BudgetKind, Period
from campaigns.models import Hold, StatusChange
from campaigns.services import brands, budgets, campaigns, exceptions, schedules, shared_schedules
from campaigns.services.exceptions import DayHours
from campaigns.services.restatements import ReportedSpend, restate_spends
from campaigns.services.schedules import NewWindow
from campaigns.services.spend import NewSpend, record_spend
from kernel.actor import Actor, ActorKind
from tests.conftest import NOBODY, NOON

Things = dict[str, str]
TODAY = NOON.date()
COMING = date(2026, 12, 1)
HOURS = (time(9), time(18))


def make_world(word: str, *, amount: str = "10", more_campaigns: int = 0) -> Things:
    """Make a brand with one of everything; `word` is in all of its texts, `amount` is its money."""
    by = Actor(ActorKind.PERSON, word[:36], f"{word} by")
    said: dict[str, Any] = {"now": NOON, "by": by}
    sum_ = Decimal(amount)
    brand = brands.create_brand(
        name=f"{word} brand", daily_budget=sum_, monthly_budget=sum_ * 30, **said
    )
    group = budgets.create_group(brand_id=brand.id, name=f"{word} group", daily_budget=sum_, **said)
    shared = shared_schedules.create_shared_schedule(
        name=f"{word} hours", windows=[NewWindow(0, *HOURS)], by=by
    )
    campaign = campaigns.create_campaign(
        brand_id=brand.id,
        name=f"{word} campaign",
        platform=f"{word} platform",
        external_id=f"{word} id",
        group=group.id,
        daily_budget=sum_ * 2,
        monthly_budget=sum_ * 30,
        **said,
    )
    sharer = campaigns.create_campaign(
        brand_id=brand.id, name=f"{word} sharer", shared_schedule=shared.id, status="PAUSED", **said
    )
    for number in range(more_campaigns):
        campaigns.create_campaign(brand_id=brand.id, name=f"{word} more {number}", **said)
    window = schedules.add_window(
        campaign_id=campaign.id, day_of_week=0, start_time=HOURS[0], end_time=HOURS[1], **said
    )
    exception = exceptions.add_exception(
        campaign_id=campaign.id, day=TODAY, hours=[DayHours(*HOURS)], note=f"{word} note", **said
    )
    exceptions.add_exception(schedule_id=shared.id, day=TODAY, note=f"{word} shared note", **said)
    root = Budget.objects.get(brand=brand, kind=BudgetKind.ROOT)
    gone = _adjust(root, word, amount=sum_, period=Period.MONTH, **said)
    budgets.withdraw_adjustment(budget_id=root.id, adjustment_id=gone, **said)
    adjustment = _adjust(root, word, amount=sum_, period=Period.DAY, **said)
    budgets.update_budget(budget_id=root.id, changes={"daily_budget": sum_ - 1}, **said)
    changes: budgets.LimitChanges = {"daily_budget": sum_ * 4, "from_day": COMING}
    budgets.update_budget(budget_id=root.id, changes=changes, **said)
    entry = _spend(campaign.id, word, sum_ * 3, **said)
    return {
        "brand": str(brand.id),
        "budget": str(root.id),
        "group": str(group.id),
        "campaign": str(campaign.id),
        "sharer": str(sharer.id),
        "adjustment": str(adjustment),
        "window": str(window.id),
        "exception": str(exception.id),
        "shared_schedule": str(shared.id),
        "schedule": str(campaign.schedule_id),
        "entry": str(entry),
        "hold": str(Hold.objects.filter(campaign=campaign).values_list("id", flat=True)[0]),
        "status_change": str(StatusChange.objects.filter(campaign=campaign).latest("id").id),
        "day": str(COMING),
        "name": brand.name,
        "source": f"{word} source",
        "external_id": f"{word} key",
    }


def _adjust(root: Budget, word: str, **fields: Any) -> Any:
    return budgets.adjust_budget(budget_id=root.id, note=f"{word} note", **fields).id


def _spend(campaign_id: Any, word: str, amount: Decimal, **said: Any) -> Any:
    """Record a spend that crosses the limits, a correction, and what a source restates."""
    restating = f"{word} restating"
    row = ReportedSpend(campaign_id, amount, TODAY, NOON)
    restate_spends(source=restating, rows=[row], **said)
    record_spend(
        spend=NewSpend(
            campaign_id,
            Decimal(1),
            TODAY,
            description=f"{word} why",
            source=f"{word} source",
            is_correction=True,
            corrects_source=restating,
        ),
        **said,
    )
    spend = NewSpend(
        campaign_id,
        amount,
        TODAY,
        description=f"{word} what",
        external_id=f"{word} key",
        source=f"{word} source",
    )
    return record_spend(spend=spend, **said).entries[0].id


def add_people(things: Things, word: str) -> Things:
    """Add somebody and a key, which pages of people are about; and what the admin logged."""
    person = User.objects.create_user(f"{word}@acme.example", name=f"{word} person")
    key, _ = create_api_key(name=f"{word} key", role=Role.VIEWER)
    by = Actor(ActorKind.PERSON, word, f"{word} by")
    invitation, _ = invite(
        email=f"{word}-too@acme.example", role=Role.VIEWER, name=f"{word} guest", now=NOON, by=by
    )
    access = SupportAccess.objects.create(
        staff_id=NOBODY,
        staff_label=f"{word} staff",
        reason=f"{word} reason",
        begun_at=NOON,
        ends_at=NOON,
    )
    kind, _ = ContentType.objects.get_or_create(app_label="budgets", model="brand")
    LogEntry.objects.create(
        user=person,
        content_type=kind,
        object_id=things["brand"],
        object_repr=f"{word} logged",
        action_flag=CHANGE,
        change_message=f"{word} message",
    )
    return {
        **things,
        "person": str(person.id),
        "key": str(key.id),
        "invitation": str(invitation.id),
        "support_access": str(access.id),
    }


def client_of(role: Role, face: str, brand_ids: list[str] | None) -> Client:
    """Return a client of somebody new: a machine at the API, a person everywhere else."""
    host = "acme.localhost:8000"
    if face == "api":
        _, secret = create_api_key(name=f"key {role}", role=role, brand_ids=brand_ids)  # type: ignore[arg-type]
        return Client(HTTP_HOST=host, HTTP_AUTHORIZATION=f"Api-Key {secret}")
    client = Client(HTTP_HOST=host)
    person, _ = User.objects.get_or_create(
        email=f"{role}-of-{face}@acme.example", defaults={"role": role, "brand_ids": brand_ids}
    )
    client.force_login(person, "django.contrib.auth.backends.ModelBackend")
    return client


def ask(client: Client, method: str, address: str, body: Any = None) -> Any:
    """Return an answer, after taking back whatever the request stored."""
    cookies = deepcopy(client.cookies)
    with transaction.atomic():
        if address.startswith("/api/") and method != "GET":
            answer: Any = client.generic(
                method, address, body if body is not None else "{}", "application/json"
            )
        else:
            answer = getattr(client, method.lower())(address, body or {})
        answer.text_ = _text(answer)
        transaction.set_rollback(True)
    client.cookies = cookies
    return answer


def _text(answer: Any) -> str:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    headers = ((name, value) for name, value in answer.headers.items() if name != "X-Request-ID")
    lines = [f"{name}: {value}" for name, value in headers]
    return "\n".join([*lines, *(str(c) for c in answer.cookies.values()), content.decode()])
