"""Who and what the demo shows: plain data, told apart from how it is put on stage."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time

from accounts.roles import Role

WORKDAYS = range(5)
EVERY_DAY = range(7)
# The simulator knows its fast campaigns by this; it survives that somebody renames them.
PULSE_PREFIX = "pulse-"


@dataclass(frozen=True, slots=True)
class Hours:
    """A window on several weekdays (0 = Monday), in the brand's local time."""

    days: range
    start: time
    end: time


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignPlan:
    """A campaign. Amounts are in its brand's currency, days count from the brand's today.

    `pace` is what it usually spends in a day; `spent_today` is the share of its own daily budget
    that is gone already, where the time of day is not to decide.
    """

    name: str
    platform: str
    external_id: str
    pace: int
    daily: int | None = None
    monthly: int | None = None
    group: str = ""
    hours: tuple[Hours, ...] = ()
    starts_in_days: int | None = None
    ends_in_days: int | None = None
    spent_today: float | None = None
    is_paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPlan:
    """A budget that some of a brand's campaigns share."""

    name: str
    daily: int | None = None
    monthly: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandPlan:
    """A brand. `sold_out_days` (so many days ago) are those on which it wanted to spend more."""

    name: str
    currency: str
    time_zone: str
    daily: int | None = None
    monthly: int | None = None
    groups: tuple[GroupPlan, ...] = ()
    campaigns: tuple[CampaignPlan, ...]
    sold_out_days: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyPlan:
    """A demo agency; `people` are the names of its owner, its manager and a viewer."""

    slug: str
    name: str
    people: tuple[str, str, str]
    brands: tuple[BrandPlan, ...]

    @property
    def emails(self) -> tuple[str, ...]:
        """The log-ins, owner first. No mail is ever delivered to `.example` (RFC 2606)."""
        return tuple(email for _, email, _ in self.log_ins())

    def log_ins(self) -> Iterator[tuple[Role, str, str]]:
        """Yield each person's role, e-mail address and name."""
        for role, name in zip((Role.OWNER, Role.MANAGER, Role.VIEWER), self.people, strict=True):
            yield role, f"{role}@{self.slug}.example", name


ACME = AgencyPlan(
    slug="acme",
    name="Acme Media",
    people=("Olivia Grant", "Marcus Hale", "Vera Lindqvist"),
    brands=(
        BrandPlan(
            name="Northwind",
            currency="USD",
            time_zone="America/New_York",
            daily=1200,
            monthly=34000,
            groups=(GroupPlan(name="Social", daily=420, monthly=12000),),
            sold_out_days=(2, 5),
            campaigns=(
                CampaignPlan(
                    name="Search – brand terms",
                    platform="google",
                    external_id="g-20417",
                    pace=230,
                    daily=300,
                ),
                CampaignPlan(
                    name="Shopping – all products",
                    platform="google",
                    external_id="g-20418",
                    pace=330,
                    daily=400,
                    spent_today=0.87,
                ),
                CampaignPlan(
                    name="Prospecting video",
                    platform="meta",
                    external_id="m-7701",
                    pace=170,
                    group="Social",
                ),
                CampaignPlan(
                    name="Retargeting nights",
                    platform="meta",
                    external_id="m-7702",
                    pace=150,
                    daily=220,
                    group="Social",
                    hours=(Hours(EVERY_DAY, time(18), time(2)),),
                ),
                CampaignPlan(
                    name="Summer range launch",
                    platform="tiktok",
                    external_id="t-311",
                    pace=200,
                    daily=250,
                    starts_in_days=9,
                    ends_in_days=40,
                ),
                CampaignPlan(
                    name="Winter clearance",
                    platform="google",
                    external_id="g-19888",
                    pace=120,
                    daily=180,
                    starts_in_days=-50,
                    ends_in_days=-4,
                ),
            ),
        ),
        BrandPlan(
            name="Baltic Roasters",
            currency="EUR",
            time_zone="Europe/Riga",
            daily=450,
            monthly=12000,
            campaigns=(
                CampaignPlan(
                    name="Morning search",
                    platform="google",
                    external_id="g-33100",
                    pace=110,
                    daily=160,
                    hours=(
                        Hours(WORKDAYS, time(6), time(11)),
                        Hours(range(5, 7), time(8), time(13)),
                    ),
                ),
                CampaignPlan(
                    name="Cafés nearby",
                    platform="meta",
                    external_id="m-8120",
                    pace=140,
                ),
                CampaignPlan(
                    name="Subscription box",
                    platform="microsoft",
                    external_id="b-554",
                    pace=60,
                    daily=75,
                    spent_today=0.92,
                ),
                CampaignPlan(
                    name="Newsletter sign-ups",
                    platform="meta",
                    external_id="m-8121",
                    pace=40,
                    daily=60,
                    is_paused=True,
                ),
            ),
        ),
        BrandPlan(
            name="Kumo Tea House",
            currency="JPY",
            time_zone="Asia/Tokyo",
            daily=90000,
            monthly=2000000,
            groups=(GroupPlan(name="Evenings", daily=40000),),
            campaigns=(
                CampaignPlan(
                    name="Search – matcha",
                    platform="google",
                    external_id="g-40001",
                    pace=24000,
                    daily=30000,
                ),
                CampaignPlan(
                    name="Shorts after work",
                    platform="youtube",
                    external_id="y-115",
                    pace=18000,
                    group="Evenings",
                    hours=(Hours(EVERY_DAY, time(17), time(0)),),
                ),
                CampaignPlan(
                    name="Late-night overlay",
                    platform="line",
                    external_id="l-62",
                    pace=15000,
                    daily=20000,
                    group="Evenings",
                    hours=(Hours(EVERY_DAY, time(21), time(3)),),
                ),
            ),
        ),
        BrandPlan(
            name="Pulse Fitness",
            currency="USD",
            time_zone="America/New_York",
            daily=80,
            campaigns=(
                CampaignPlan(
                    name="Class bookings",
                    platform="meta",
                    external_id=f"{PULSE_PREFIX}1",
                    pace=36,
                ),
                CampaignPlan(
                    name="Trial passes",
                    platform="google",
                    external_id=f"{PULSE_PREFIX}2",
                    pace=30,
                ),
            ),
        ),
    ),
)

ZENITH = AgencyPlan(
    slug="zenith",
    name="Zenith Ads",
    people=("Priya Nair", "Tom Okafor", "Ines Duarte"),
    brands=(
        BrandPlan(
            name="Hartwell & Sons",
            currency="GBP",
            time_zone="Europe/London",
            daily=700,
            monthly=14000,
            groups=(GroupPlan(name="Always on", daily=380),),
            sold_out_days=(1, 4),
            campaigns=(
                CampaignPlan(
                    name="Search – made to measure",
                    platform="google",
                    external_id="g-51010",
                    pace=190,
                    daily=240,
                    group="Always on",
                ),
                CampaignPlan(
                    name="Lookalikes",
                    platform="meta",
                    external_id="m-9310",
                    pace=130,
                    group="Always on",
                ),
                CampaignPlan(
                    name="Shop opening Leeds",
                    platform="meta",
                    external_id="m-9311",
                    pace=70,
                    daily=90,
                    spent_today=1.0,
                ),
                CampaignPlan(
                    name="Autumn tailoring event",
                    platform="microsoft",
                    external_id="b-871",
                    pace=60,
                    starts_in_days=14,
                    ends_in_days=28,
                ),
            ),
        ),
        BrandPlan(
            name="Southern Cross Outdoor",
            currency="AUD",
            time_zone="Australia/Sydney",
            daily=900,
            campaigns=(
                CampaignPlan(
                    name="Tents and packs",
                    platform="google",
                    external_id="g-60233",
                    pace=310,
                    daily=420,
                    monthly=11000,
                ),
                CampaignPlan(
                    name="Weekend planners",
                    platform="meta",
                    external_id="m-9902",
                    pace=180,
                    daily=300,
                    hours=(
                        Hours(range(3, 5), time(16), time(1)),
                        Hours(range(5, 7), time(7), time(23)),
                    ),
                ),
                CampaignPlan(
                    name="Snow season early birds",
                    platform="tiktok",
                    external_id="t-702",
                    pace=90,
                    daily=120,
                    spent_today=0.84,
                ),
            ),
        ),
        BrandPlan(
            name="Alpenwerk",
            currency="CHF",
            time_zone="Europe/Zurich",
            monthly=12000,
            campaigns=(
                CampaignPlan(
                    name="B2B search",
                    platform="microsoft",
                    external_id="b-902",
                    pace=210,
                    daily=260,
                    hours=(Hours(WORKDAYS, time(7, 30), time(18)),),
                ),
                CampaignPlan(
                    name="Trade fair remarketing",
                    platform="linkedin",
                    external_id="li-44",
                    pace=140,
                    daily=200,
                    starts_in_days=-35,
                    ends_in_days=-6,
                ),
                CampaignPlan(
                    name="Employer brand",
                    platform="linkedin",
                    external_id="li-45",
                    pace=80,
                    daily=110,
                    is_paused=True,
                ),
            ),
        ),
        BrandPlan(
            name="Pulse Cycling",
            currency="EUR",
            time_zone="Europe/Riga",
            daily=60,
            campaigns=(
                CampaignPlan(
                    name="Group rides",
                    platform="meta",
                    external_id=f"{PULSE_PREFIX}1",
                    pace=26,
                ),
                CampaignPlan(
                    name="Service vouchers",
                    platform="google",
                    external_id=f"{PULSE_PREFIX}2",
                    pace=22,
                ),
            ),
        ),
    ),
)

AGENCIES = (ACME, ZENITH)
