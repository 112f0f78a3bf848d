"""What the dashboard shows: a fixed number of statements for any number of brands and campaigns."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from budgets.models import Brand, Budget, BudgetKind
from budgets.queries import NO_FIGURES, Figures, figures_on
from campaigns.models import Campaign
from campaigns.queries import ToldHold, brand_days, holds_of

from .attention import Attention, attention_of
from .gauges import Gauges, gauges, month_pace
from .paging import Page, cut_list
from .states import SHOWN_STATES, State, in_state, state_expression, state_of

BRANDS_A_PAGE = 25
# A brand lists so many campaigns here, the rest on its own page.
CAMPAIGNS_A_BRAND = 60
# So many campaigns are unfolded unasked, and so many at most.
ROWS_UNASKED = 80
ROWS_MAX = 240


@dataclass(frozen=True, slots=True)
class Query:
    """What a person asked to see. `opened` names the brands to unfold; None: not said."""

    text: str = ""
    brand_id: UUID | None = None
    state: State | None = None
    page: int = 1
    opened: frozenset[str] | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether anything is filtered away."""
        return bool(self.text or self.brand_id or self.state)


class CampaignLine(NamedTuple):
    """A campaign's row: its state, every open hold in words, its day and month."""

    campaign: Campaign
    state: State
    holds: Sequence[ToldHold]
    gauges: Gauges

    @property
    def waits_for_a_person(self) -> bool:
        """Whether there is what only a person's resuming lifts: a pause, a period that is over."""
        return any(told.hold.origin for told in self.holds)


@dataclass(slots=True)
class BrandBlock:
    """A brand with its bars; `lines` are its campaigns, if it is unfolded."""

    brand: Brand
    local_now: datetime
    zone: str
    gauges: Gauges
    counts: Mapping[State, int]
    total: int
    is_open: bool = False
    lines: list[CampaignLine] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Names the fold in the page."""
        return f"brand-{self.brand.id}"

    @property
    def more(self) -> int:
        """How many campaigns only the brand's own page lists."""
        return self.total - len(self.lines) if self.is_open else 0


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Everything on the page, as of one instant."""

    query: Query
    brands: list[Brand]
    counts: list[tuple[State, int]]
    attention: Attention
    blocks: list[BrandBlock]
    page: Page

    @property
    def total(self) -> int:
        return sum(count for _, count in self.counts)


def dashboard(query: Query, among: QuerySet[Brand], *, now: datetime) -> Dashboard:
    """Return the overview of the brands that somebody sees, as `query` asks for it."""
    brands = list(among.filter(archived_at=None))
    asked = [b for b in brands if query.brand_id in (None, b.id)]
    figures = figures_on(brand_days(asked, now=now), now=now)
    matching = _matching(asked, query)
    counted = _counts(matching)
    shown = [brand for brand in asked if _is_shown(brand, counted, query)]
    place, page = cut_list(shown, number=query.page, size=BRANDS_A_PAGE)
    blocks = _blocks(shown[place], counted, figures, query, now=now)
    _unfold(blocks, query)
    opened = [block for block in blocks if block.is_open]
    if query.state is not None:
        matching = in_state(matching, query.state)
    lines = _lines(matching, opened, figures, now=now)
    for block in opened:
        block.lines = lines.get(block.brand.id, [])
    sums = {state: sum(c[state] for c in counted.values()) for state in SHOWN_STATES}
    return Dashboard(
        query,
        brands,
        list(sums.items()),
        attention_of(asked, figures, now=now),
        blocks,
        page,
    )


def _matching(brands: Collection[Brand], query: Query) -> QuerySet[Campaign]:
    """Return the campaigns that the search finds, by name, id, or their brand's name."""
    found = Campaign.objects.filter(archived_at=None, brand__in=brands)
    if query.text:
        found = found.filter(
            Q(name__icontains=query.text)
            | Q(external_id__icontains=query.text)
            | Q(brand__name__icontains=query.text)
        )
    return found


def _counts(campaigns: QuerySet[Campaign]) -> dict[UUID, dict[State, int]]:
    counted: dict[UUID, dict[State, int]] = {}
    rows = campaigns.order_by().annotate(state=state_expression())
    for brand_id, state, count in rows.values_list("brand_id", "state").annotate(n=Count("id")):
        own = counted.setdefault(brand_id, dict.fromkeys(SHOWN_STATES, 0))
        own[State(state)] = count
    return counted


def _is_shown(brand: Brand, counted: Mapping[UUID, Mapping[State, int]], query: Query) -> bool:
    own = counted.get(brand.id)
    if query.state is not None:
        return own is not None and own[query.state] > 0
    return own is not None or query.text.lower() in brand.name.lower()


def _blocks(
    brands: Sequence[Brand],
    counted: Mapping[UUID, Mapping[State, int]],
    figures: Mapping[UUID, Figures],
    query: Query,
    *,
    now: datetime,
) -> list[BrandBlock]:
    rows = Budget.objects.filter(brand__in=brands, kind=BudgetKind.ROOT)
    roots = dict(rows.values_list("brand_id", "id"))
    blocks = []
    for brand in brands:
        counts = counted.get(brand.id, dict.fromkeys(SHOWN_STATES, 0))
        own = figures.get(roots[brand.id], NO_FIGURES)
        pace = month_pace(brand.calendar, now=now)
        blocks.append(
            BrandBlock(
                brand=brand,
                local_now=brand.calendar.local(now),
                zone=brand.calendar.zone_at(now),
                gauges=gauges(own, currency=brand.currency, pace=pace),
                counts=counts,
                total=counts[query.state] if query.state else sum(counts.values()),
            )
        )
    return blocks


def _unfold(blocks: Iterable[BrandBlock], query: Query) -> None:
    """Open what a person opened, or else as many brands as fit; a page stays light either way."""
    rows_left = ROWS_UNASKED if query.opened is None else ROWS_MAX
    for block in blocks:
        rows = min(block.total, CAMPAIGNS_A_BRAND)
        is_wanted = query.opened is None or block.key in query.opened
        if is_wanted and rows <= rows_left:
            block.is_open = True
            rows_left -= rows


def _lines(
    campaigns: QuerySet[Campaign],
    blocks: Sequence[BrandBlock],
    figures: Mapping[UUID, Figures],
    *,
    now: datetime,
) -> dict[UUID, list[CampaignLine]]:
    place = Window(RowNumber(), partition_by=F("brand_id"), order_by=["name", "id"])
    rows = (
        campaigns.filter(brand__in=[block.brand for block in blocks])
        .annotate(place=place)
        .filter(place__lte=CAMPAIGNS_A_BRAND)
        .select_related("brand", "budget__parent")
        .order_by("name", "id")
    )
    found: dict[UUID, list[CampaignLine]] = {}
    for line in campaign_lines(list(rows), figures, now=now):
        found.setdefault(line.campaign.brand_id, []).append(line)
    return found


def campaign_lines(
    campaigns: Sequence[Campaign], figures: Mapping[UUID, Figures], *, now: datetime
) -> list[CampaignLine]:
    """Return the rows of campaigns that come with their brands. One statement, for the holds."""
    told = holds_of(campaigns, now=now)
    lines = []
    for campaign in campaigns:
        holds = told.get(campaign.id, ())
        brand = campaign.brand
        bars = gauges(
            figures.get(campaign.budget_id, NO_FIGURES),
            currency=brand.currency,
            pace=month_pace(brand.calendar, now=now),
        )
        state = state_of(campaign, [entry.hold for entry in holds])
        lines.append(CampaignLine(campaign, state, holds, bars))
    return lines
