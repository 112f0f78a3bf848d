"""Two agencies with brands and campaigns under limits that are soon crossed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from tests.crash.connection import Connection
from tests.crash.system import System

BRANDS = 3
CAMPAIGNS = 4  # Of each brand; the first two are in a group.
SLUGS = ("acme", "zeta")
MAKE_AGENCIES = f"""
import json
from accounts.models import create_api_key
from accounts.roles import Role
from tenants.contexts import tenant_context
from tenants.services import create_agency
made = {{}}
for slug in {SLUGS!r}:
    agency = create_agency(name=slug.title(), slug=slug)
    with tenant_context(agency):
        _, key = create_api_key(name="crash", role=Role.MANAGER)
    made[slug] = [agency.schema_name, key]
print(json.dumps(made))
"""


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency's schema, and a key to its API."""

    slug: str
    schema: str
    key: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What a brand, a group or a campaign may spend; None: no limit."""

    daily: Decimal | None = None
    monthly: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """A brand, a group or a campaign: what has limits."""

    agency: str
    path: str  # Of the API.
    limits: Limits


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign, and the owners of the limits above it: itself, its group, its brand."""

    id: str
    agency: str
    limited_by: tuple[str, ...]
    today: date


@dataclass(frozen=True, slots=True)
class World:
    """What there is before anything is spent; `owners` by their ids, which the paths end with."""

    agencies: Mapping[str, Agency]
    campaigns: tuple[Campaign, ...]
    owners: Mapping[str, Owner]

    def of(self, agency: str) -> list[Campaign]:
        """Return the campaigns of an agency."""
        return [campaign for campaign in self.campaigns if campaign.agency == agency]


def make_world(system: System) -> World:
    """Make the agencies, and the rest through the API."""
    made = json.loads(system.manage("shell", "-v0", "-c", MAKE_AGENCIES).splitlines()[-1])
    agencies = {slug: Agency(slug, *words) for slug, words in made.items()}
    owners: dict[str, Owner] = {}
    campaigns: list[Campaign] = []
    for agency in agencies.values():
        connection = Connection(system.port, agency.slug, agency.key, patience_seconds=60)
        for number in range(BRANDS):
            campaigns.extend(_make_brand(connection, agency, number, owners))
    return World(agencies, tuple(campaigns), owners)


def _make_brand(
    connection: Connection, agency: Agency, number: int, owners: dict[str, Owner]
) -> Iterator[Campaign]:
    zone = noon_zone(datetime.now(UTC) + timedelta(hours=number - 1))

    def make(path: str, limit: Limits, **fields: str) -> str:
        body = {name: value for name, value in fields.items() if value}
        status, answer = connection.call("POST", path, body | limits_body(limit))
        assert status == 201, (status, answer)
        made = str(answer["id"])
        owners[made] = Owner(agency.slug, f"{path}{made}/", limit)
        return made

    top = Limits(Decimal(2000), Decimal(4000) if number == 1 else None)
    brand = make("/api/brands/", top, name=f"Brand {number}", time_zone=zone)
    group = make("/api/budgets/", Limits(Decimal(700)), brand=brand, name="Social")
    today = datetime.now(ZoneInfo(zone)).date()
    for place in range(CAMPAIGNS):
        above = (group, brand) if place < 2 else (brand,)
        own = Limits(Decimal(200)) if place else Limits()
        fields = {"name": f"Campaign {place}", "group": group if place < 2 else ""}
        campaign = make("/api/campaigns/", own, brand=brand, **fields)
        yield Campaign(campaign, agency.slug, (campaign, *above), today)


def limits_body(limits: Limits) -> dict[str, str | None]:
    """Return limits as the API takes them."""
    figures = {"daily_budget": limits.daily, "monthly_budget": limits.monthly}
    return {name: None if at is None else f"{at:.2f}" for name, at in figures.items()}


def noon_zone(now: datetime) -> str:
    """Return a zone in which it is about noon, so that no run meets a midnight."""
    hours_ahead = 12 - now.astimezone(UTC).hour
    # The names count westwards.
    return f"Etc/GMT{-hours_ahead:+d}" if hours_ahead else "Etc/GMT"
