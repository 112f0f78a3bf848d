"""Anything that people, sources and time may do, in any order, over the real database.

After every step the invariants hold, and totals, holds and statuses equal those of the model.
"""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from budgets.models import Brand, Budget, BudgetKind, SpendType
from campaigns import sweep
from campaigns.audit import audit
from campaigns.models import Campaign, Hold
from campaigns.services import brands, budgets, campaigns, schedules
from campaigns.services.restatements import ReportedSpend, restate_spends
from campaigns.services.spend import NewSpend, record_spend, reverse_spend
from tests.conftest import ANN, make_brand, make_campaign
from tests.model import ModelBrand, ModelCampaign, ModelNode

# The clock of Riga jumps on 29 March 2026, and the month ends two days later.
START = datetime(2026, 3, 28, 9, 0, tzinfo=UTC)
ZONES = {"Riga": "Europe/Riga", "Kiri": "Pacific/Kiritimati"}
NAMES = ("A", "B", "C")
LIMITS = st.sampled_from([None, Decimal(0), Decimal(10), Decimal("25.50"), Decimal(100)])
AMOUNTS = st.sampled_from(
    [Decimal(0), Decimal("0.000001"), Decimal(5), Decimal("9.99"), Decimal(40)]
)
BRANDS = st.sampled_from(sorted(ZONES))
CAMPAIGNS = st.sampled_from(NAMES)
RECENT = st.integers(0, 1)
HOURS = st.builds(time, st.sampled_from([0, 3, 9, 18, 22]), st.sampled_from([0, 30]))


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.now = START
        self.model: dict[str, ModelBrand] = {}
        self.brands: dict[str, Brand] = {}
        self.ids: dict[tuple[str, str], Any] = {}
        self.groups: dict[str, Budget] = {}
        self.statements = 0
        self.entries: list[tuple[str, str, Any, tuple[date, Decimal, bool]]] = []
        for key, zone in ZONES.items():
            self._make_brand(key, zone)

    def _make_brand(self, key: str, zone: str) -> None:
        brand = make_brand(key, time_zone=zone, now=self.now)
        group = budgets.create_group(brand_id=brand.id, name="G", now=self.now, by=ANN)
        model = ModelBrand(zone, groups={"G": ModelNode()})
        for name in NAMES:
            campaign = make_campaign(brand, name, now=self.now)
            self.ids[key, name] = campaign.id
            model.campaigns[name] = ModelCampaign()
        self.brands[key], self.groups[key], self.model[key] = brand, group, model

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    def at(self, key: str, name: str) -> ModelCampaign:
        return self.model[key].campaigns[name]

    @rule(key=BRANDS, name=CAMPAIGNS, amount=AMOUNTS, ago=st.integers(0, 3), daily=st.booleans())
    def spend(self, key, name, amount, ago, daily):
        self._record(key, name, amount, ago, daily, is_correction=False)

    @rule(key=BRANDS, name=CAMPAIGNS, amount=AMOUNTS, ago=st.integers(0, 1))
    def correct_down(self, key, name, amount, ago):
        self._record(key, name, -amount, ago, True, is_correction=True)

    def _record(self, key, name, amount, ago, daily, *, is_correction):
        day = self.model[key].today(self.now) - timedelta(days=ago)
        spend = NewSpend(
            self.ids[key, name],
            amount,
            day,
            SpendType.DAILY if daily else SpendType.MONTHLY,
            description="said",
            external_id=f"k{len(self.entries)}",
            is_correction=is_correction,
        )
        first = record_spend(spend=spend, now=self.now, by=ANN)
        again = record_spend(spend=spend, now=self.now, by=ANN)
        assert (first.is_new, again.is_new) == ([True], [False])
        line = (day, amount, daily)
        self.at(key, name).spends.append(line)
        self.entries.append((key, name, first.entries[0].id, line))

    # On few places, so that statements and corrections meet.
    @rule(key=BRANDS, name=st.just("A"), amount=AMOUNTS, ago=RECENT, hour=st.integers(0, 50))
    def restate(self, key, name, amount, ago, hour):
        day = self.model[key].today(self.now) - timedelta(days=ago)
        # An instant of its own for each statement: two equal ones would contradict each other.
        as_of = START + timedelta(hours=hour, microseconds=self.statements)
        self.statements += 1
        row = ReportedSpend(self.ids[key, name], amount, day, as_of)
        for _ in range(2):
            restate_spends(source="platform", rows=[row], now=self.now, by=ANN)
        self.at(key, name).said.setdefault(day, []).append((as_of, amount))

    @rule(key=BRANDS, name=st.just("A"), amount=AMOUNTS, ago=RECENT)
    def correct_the_source(self, key, name, amount, ago):
        day = self.model[key].today(self.now) - timedelta(days=ago)
        spend = NewSpend(
            self.ids[key, name],
            -amount,
            day,
            description="said",
            is_correction=True,
            corrects_source="platform",
        )
        record_spend(spend=spend, now=self.now, by=ANN)
        model = self.at(key, name)
        heard = len(model.said.get(day, []))
        model.corrected.setdefault(day, []).append((heard, -amount))

    @precondition(lambda self: self.entries)
    @rule(data=st.data())
    def reverse(self, data):
        place = data.draw(st.integers(0, len(self.entries) - 1))
        key, name, entry_id, (day, amount, daily) = self.entries[place]
        _, is_new = reverse_spend(entry_id=entry_id, now=self.now, by=ANN)
        if is_new:
            self.at(key, name).spends.append((day, -amount, daily))

    @rule(key=BRANDS, name=st.sampled_from([*NAMES, "root", "G"]), daily=LIMITS, monthly=LIMITS)
    def limit(self, key, name, daily, monthly):
        model = self.model[key]
        nodes = {"root": model.root, "G": model.groups["G"]}
        node = nodes[name] if name in nodes else model.campaigns[name].own
        changes: Any = {"daily_budget": daily, "monthly_budget": monthly}
        if name == "root":
            brands.update_brand(brand_id=self.brands[key].id, changes=changes, now=self.now, by=ANN)
        elif name == "G":
            budgets.update_budget(
                budget_id=self.groups[key].id, changes=changes, now=self.now, by=ANN
            )
        elif not self.at(key, name).is_archived:
            campaigns.update_campaign(
                campaign_id=self.ids[key, name], changes=changes, now=self.now, by=ANN
            )
        else:
            return
        today = model.today(self.now)
        if node.on(today) != (daily, monthly):
            node.set(today, daily, monthly)

    @rule(key=BRANDS, name=CAMPAIGNS, inside=st.booleans())
    def change_group(self, key, name, inside):
        if self.at(key, name).is_archived:
            return
        group = self.groups[key].id if inside else None
        campaigns.update_campaign(
            campaign_id=self.ids[key, name], changes={"group": group}, now=self.now, by=ANN
        )
        self.at(key, name).group = "G" if inside else None

    @rule(key=BRANDS, name=CAMPAIGNS, status=st.sampled_from(["ACTIVE", "PAUSED", "INACTIVE"]))
    def command(self, key, name, status):
        model = self.at(key, name)
        if model.is_archived:
            return
        campaigns.command(campaign_ids=[self.ids[key, name]], status=status, now=self.now, by=ANN)
        model.is_live = status != "INACTIVE"
        model.is_paused = {"PAUSED": True, "ACTIVE": False}.get(status, model.is_paused)

    @rule(key=BRANDS, name=CAMPAIGNS, start=st.integers(-3, 3), length=st.integers(0, 3))
    def flight(self, key, name, start, length):
        if self.at(key, name).is_archived:
            return
        first = self.model[key].today(self.now) + timedelta(days=start)
        last = first + timedelta(days=length)
        changes: Any = {"start_date": first, "end_date": last}
        campaigns.update_campaign(
            campaign_id=self.ids[key, name], changes=changes, now=self.now, by=ANN
        )
        self.at(key, name).start, self.at(key, name).end = first, last

    @rule(key=BRANDS, name=CAMPAIGNS, day=st.integers(0, 6), start=HOURS, end=HOURS)
    def window(self, key, name, day, start, end):
        if self.at(key, name).is_archived or start == end:
            return
        schedules.add_window(
            campaign_id=self.ids[key, name],
            day_of_week=day,
            start_time=start,
            end_time=end,
            now=self.now,
            by=ANN,
        )
        self.at(key, name).windows.append((day, start, end))

    @rule(key=BRANDS, name=CAMPAIGNS)
    def archive(self, key, name):
        model = self.at(key, name)
        if not model.spends:
            return
        campaigns.remove_campaign(campaign_id=self.ids[key, name], now=self.now, by=ANN)
        model.is_live, model.is_archived = False, True

    @rule(minutes=st.sampled_from([1, 30, 60, 6 * 60, 15 * 60, 24 * 60, 3 * 24 * 60]))
    def let_time_pass(self, minutes):
        self.now += timedelta(minutes=minutes)
        # What is due is enough: the rest would not have changed by time alone.
        sweep.enforce(sweep.due_brands(now=self.now), now=self.now)

    @invariant()
    def the_invariants_hold(self):
        assert audit().violations == []

    @invariant()
    def it_equals_the_model(self):
        held: dict[Any, set[tuple[str, str]]] = {}
        for hold in Hold.objects.filter(released_at=None).select_related("budget"):
            level = hold.budget.kind if hold.budget else ""
            held.setdefault(hold.campaign_id, set()).add((hold.reason, level))
        statuses = dict(Campaign.objects.values_list("id", "status"))
        for (key, name), campaign_id in self.ids.items():
            model = self.model[key]
            assert held.get(campaign_id, set()) == model.reasons(name, self.now), (key, name)
            assert statuses[campaign_id] == model.status(name, self.now), (key, name)

    @invariant()
    def every_total_equals_the_models(self):
        for key, brand in self.brands.items():
            root = Budget.objects.get(brand=brand, kind=BudgetKind.ROOT)
            total = sum(
                (t.daily_amount + t.monthly_only_amount for t in root.totals.all()), Decimal(0)
            )
            said = [s for c in self.model[key].campaigns.values() for s in c.lines()]
            assert total == sum((amount for _, amount, _ in said), Decimal(0))


def test_anything_in_any_order_agrees_with_the_model(acme):
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            # Shrinking a failure takes minutes; add Phase.shrink to look into one.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
