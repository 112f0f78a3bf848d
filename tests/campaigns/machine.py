"""The world of the stateful machine: two brands beside their model, and what must always agree."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from budgets.models import Budget, BudgetKind, SpendTotal
from campaigns.audit import audit
from campaigns.models import Campaign, Hold
from campaigns.services import brands, budgets, campaigns
from campaigns.services.spend import NewSpend
from tests.conftest import ANN, make_brand, make_campaign
from tests.model import DAILY, MONTHLY, ModelBrand, ModelCampaign, ModelNode
from tests.model_ledger import ModelLedger, ModelSource, Place

# Where the clock jumps soon: Riga's in the small hours, Santiago's at midnight; and a month ends.
WORLDS = {
    "Riga's spring": (datetime(2026, 3, 28, 9, 0, tzinfo=UTC), "Europe/Riga"),
    "Riga's autumn": (datetime(2026, 10, 24, 20, 0, tzinfo=UTC), "Europe/Riga"),
    "a midnight twice": (datetime(2026, 4, 3, 15, 0, tzinfo=UTC), "America/Santiago"),
    "no midnight": (datetime(2026, 9, 4, 15, 0, tzinfo=UTC), "America/Santiago"),
    "a year's end": (datetime(2026, 12, 30, 6, 0, tzinfo=UTC), "America/New_York"),
}
BRANDS = ("Here", "Kiri")
NAMES = ("A", "B")
SOURCES = ("google", "meta")
MODES = st.sampled_from(["", "pause_resume", "pause", "alert_only"])
FIRST_MODES = st.sampled_from(["pause", "", "pause", "alert_only"])


class World(RuleBasedStateMachine):
    """What the rules of the machine act on; they are its subclass."""

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.ledger = ModelLedger(sources={name: ModelSource() for name in SOURCES})
        self.model: dict[str, ModelBrand] = {}
        self.brand_ids: dict[str, UUID] = {}
        self.ids: dict[tuple[str, str], UUID] = {}
        self.nodes: dict[tuple[str, str], UUID] = {}
        self.leaves: dict[UUID, tuple[str, str]] = {}
        self.appended: list[NewSpend] = []
        # Each entry that can be reversed, with its source if that one restates.
        self.entries: list[tuple[UUID, Place, Decimal, str]] = []
        self.adjustments: list[tuple[str, str, UUID, Any]] = []
        self.last_report_at = self.now = datetime(2026, 1, 1, tzinfo=UTC)

    @initialize(world=st.sampled_from(sorted(WORLDS)), here=FIRST_MODES, there=FIRST_MODES)
    def begin(self, world, here, there):
        self.now, zone = WORLDS[world]
        self.earliest_report_at = self.now - timedelta(days=1)
        self._make_brand("Here", zone)
        self._make_brand("Kiri", "Pacific/Kiritimati")
        for key in BRANDS:
            # At each level limits that one spend or two will cross.
            for name, daily, monthly in (("root", 40, 100), ("G", 25, 60), ("A", 10, 40)):
                self.set_limits(key, name, {DAILY: Decimal(daily), MONTHLY: Decimal(monthly)})
            self.move(key, "A", "G")
        self.set_mode("Here", "root", here, 100)
        self.set_mode("Kiri", "root", there, 90)

    def _make_brand(self, key: str, zone: str) -> None:
        brand = make_brand(key, time_zone=zone, now=self.now)
        group = budgets.create_group(brand_id=brand.id, name="G", now=self.now, by=ANN)
        model = ModelBrand(key, zone, self.ledger, groups={"G": ModelNode()})
        for name in NAMES:
            campaign = make_campaign(brand, name, now=self.now)
            self.ids[key, name] = campaign.id
            self.nodes[key, name] = campaign.budget_id
            self.leaves[campaign.budget_id] = (key, name)
            model.campaigns[name] = ModelCampaign()
        self.nodes[key, "root"] = Budget.objects.get(brand=brand, kind=BudgetKind.ROOT).id
        self.nodes[key, "G"] = group.id
        self.brand_ids[key], self.model[key] = brand.id, model

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    def at(self, key: str, name: str) -> ModelCampaign:
        return self.model[key].campaigns[name]

    def place(self, key: str, name: str, ago: int, is_daily: bool) -> Place:
        return Place(key, name, self.today(key) - timedelta(days=ago), is_daily)

    def today(self, key: str) -> date:
        return self.model[key].today(self.now)

    def is_archived(self, key: str, name: str) -> bool:
        return name in NAMES and self.at(key, name).is_archived

    # What the beginning and the rules share

    def set_limits(self, key: str, name: str, changes: Any, ahead: int = 0) -> None:
        """Set limits from today on, or from `ahead` days later on, by the service of faces."""
        day = self.today(key) + timedelta(days=ahead)
        for reason, limit in changes.items():
            self.model[key].node(name).limits[reason][day] = limit
        asked: Any = changes | ({"from_day": day} if ahead else {})
        if name == "root":
            brands.update_brand(brand_id=self.brand_ids[key], changes=asked, now=self.now, by=ANN)
        elif name == "G":
            self._update_budget(key, name, asked)
        else:
            self.update_campaign(key, name, asked)

    def set_mode(self, key: str, name: str, mode: str, stop_at: int) -> None:
        node = self.model[key].node(name)
        node.mode, node.stop_at = mode, stop_at
        self._update_budget(key, name, {"mode": mode, "stop_at": stop_at})

    def _update_budget(self, key: str, name: str, changes: Any) -> None:
        node = self.nodes[key, name]
        budgets.update_budget(budget_id=node, changes=changes, now=self.now, by=ANN)

    def update_campaign(self, key: str, name: str, changes: Any) -> None:
        campaigns.update_campaign(
            campaign_id=self.ids[key, name], changes=changes, now=self.now, by=ANN
        )

    def move(self, key: str, name: str, group: str | None) -> None:
        self.update_campaign(key, name, {"group": group and self.nodes[key, group]})
        self.at(key, name).group = group

    # What then is

    @invariant()
    def it_equals_the_model(self):
        for model in self.model.values():
            model.decide(self.now)
        stored: dict[UUID, Counter[Any]] = {key: Counter() for key in self.ids.values()}
        for hold in Hold.with_alerts.filter(released_at=None).select_related("budget"):
            told: Any = hold.reason
            if hold.budget and hold.origin:
                told = (hold.reason, hold.budget.kind, hold.origin, hold.period_start)
            elif hold.budget:
                told = (hold.reason, hold.budget.kind, hold.mode, hold.period_start)
                told += (hold.limit, hold.stop_at, hold.until)
            stored[hold.campaign_id][told] += 1
        statuses = dict(Campaign.objects.values_list("id", "status"))
        for (key, name), campaign_id in self.ids.items():
            model = self.model[key]
            expected: Counter[Any] = Counter(model.spent_limits(name, self.now))
            expected += Counter(model.other_reasons(name, self.now))
            for (reason, level), period in self.at(key, name).waits.items():
                expected[reason, level, "waits", period] += 1
            wrong, missing = stored[campaign_id] - expected, expected - stored[campaign_id]
            assert (wrong, missing) == (Counter(), Counter()), f"{name} {wrong=} {missing=}"
            assert statuses[campaign_id] == model.status(name, self.now), (key, name)

    @invariant()
    def the_invariants_hold(self):
        assert audit().violations == []

    @invariant()
    def every_total_equals_the_models(self):
        totals: dict[Any, Decimal] = defaultdict(Decimal)
        for place, amount in self.ledger.figures():
            totals[place.brand, place.day, place.is_daily] += amount
        stored: dict[Any, Decimal] = {}
        keys = {node: key for (key, name), node in self.nodes.items() if name == "root"}
        for total in SpendTotal.objects.filter(budget_id__in=keys):
            stored[keys[total.budget_id], total.day, True] = total.daily_amount
            stored[keys[total.budget_id], total.day, False] = total.monthly_only_amount
        assert {k: v for k, v in stored.items() if v} == {k: v for k, v in totals.items() if v}
