"""Anything that people, sources and time may do, in any order, over the real database.

After every step the invariants hold, and totals, holds and statuses equal those of the model.
"""

from datetime import time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from budgets.models import EntryKind, Period, SpendEntry, SpendType
from campaigns import sweep
from campaigns.services import budgets, campaigns, schedules
from campaigns.services.restatements import CompleteRange, ReportedSpend, restate_spends
from campaigns.services.spend import BadRows, NewSpend, record_spend, record_spends, reverse_spend
from kernel.errors import Conflict
from tests.campaigns.machine import BRANDS, MODES, NAMES, SOURCES, World
from tests.conftest import ANN
from tests.model import DAILY, MONTHLY, REASONS
from tests.model_ledger import ModelReport, Place

NODES = (*NAMES, "root", "G")
LIMITS = st.sampled_from([None, *map(Decimal, ("10", "25.50", "40", "0", "100"))])
AMOUNTS = st.sampled_from([Decimal(a) for a in ("0", "0.000001", "5", "9.99", "12.75", "40")])
ADDED = st.sampled_from([Decimal(a) for a in ("-100", "-12.75", "-5", "5", "15", "60")])
COMMANDS = st.sampled_from(["ACTIVE", "ACTIVE", "PAUSED", "INACTIVE"])
KEYS, CAMPAIGNS, LEVELS = (st.sampled_from(names) for names in (BRANDS, NAMES, NODES))
RECENT = st.integers(0, 1)
HOURS = st.builds(time, st.sampled_from([0, 3, 9, 18, 22]), st.sampled_from([0, 30]))
# Few places, so that what is said of one meets what else is said of it.
ROWS = st.dictionaries(
    st.tuples(KEYS, CAMPAIGNS, RECENT, st.sampled_from([True, True, False])),
    AMOUNTS,
    min_size=1,
    max_size=3,
)
MAYBE_ROWS: st.SearchStrategy[Any] = st.one_of(st.just({}), ROWS)
ACTS = ("spend", "ACTIVE", "PAUSED", "INACTIVE", "pause", "alert_only", "no group")
EVERY_A = frozenset((key, "A") for key in BRANDS)
MINUTES = st.sampled_from([1, 30, 60, 6 * 60, 15 * 60, 24 * 60, 3 * 24 * 60])


class Machine(World):
    # What is spent

    @rule(rows=ROWS)
    def spend_some(self, rows):
        self.spend(rows)

    def spend(self, rows):
        spends = [self._spend(self.place(*where), amount) for where, amount in rows.items()]
        first = record_spends(spends=spends, now=self.now, by=ANN)
        assert all(first.is_new)
        self.appended += spends
        for entry, (where, amount) in zip(first.entries, rows.items(), strict=True):
            self.ledger.lines.append((self.place(*where), amount))
            self.entries.append((entry.id, self.place(*where), amount, ""))

    @rule(key=KEYS, name=CAMPAIGNS, reason=st.sampled_from(REASONS), short=st.booleans())
    def spend_the_rest(self, key, name, reason, short):
        """To the very point at which a limit counts as spent, or just not to it."""
        brand, today = self.model[key], self.today(key)
        for level in reversed([*brand.levels(name)]):
            limit = level.node.binding(reason, today, self.now)
            spent = brand.spent(level.spenders, reason, today)
            if limit and (rest := limit * level.node.stop_at / 100 - spent) > 0:
                amount = rest - (Decimal("0.000001") if short else 0)
                self.spend({(key, name, 0, reason == DAILY): amount})
                return

    @precondition(lambda self: self.appended)
    @rule(order=st.randoms(use_true_random=False))
    def spend_again(self, order):
        order.shuffle(self.appended)
        again = record_spends(spends=self.appended, now=self.now, by=ANN)
        assert not any(again.is_new)

    @rule(key=KEYS, name=CAMPAIGNS, amount=AMOUNTS, ago=RECENT)
    def correct_down(self, key, name, amount, ago):
        place = self.place(key, name, ago, True)
        correction = self._spend(place, -amount, is_correction=True)
        entry = record_spend(spend=correction, now=self.now, by=ANN).entries[0]
        self.ledger.lines.append((place, -amount))
        self.entries.append((entry.id, place, -amount, ""))

    def _spend(self, place: Place, amount: Decimal, **fields: Any) -> NewSpend:
        return NewSpend(
            self.ids[place.brand, place.campaign],
            amount,
            place.day,
            SpendType.DAILY if place.is_daily else SpendType.MONTHLY,
            description="said",
            external_id=f"k{len(self.entries)}-{place}",
            **fields,
        )

    @rule(source=st.sampled_from(SOURCES), rows=ROWS, hour=st.integers(-1, 8))
    def restate(self, source, rows, hour):
        as_of = self.earliest_report_at + timedelta(hours=hour)
        if hour < 0:
            as_of = self.last_report_at
        places = {self.place(*where): amount for where, amount in rows.items()}
        report = ModelReport(as_of, places)
        if self.ledger.sources[source].contradicts(report):
            with pytest.raises(BadRows) as refusal:
                self._restate(source, report)
            assert refusal.value.are_conflicts
            return
        self._hear(source, report)

    @rule(
        source=st.sampled_from(SOURCES),
        rows=MAYBE_ROWS,
        hour=st.integers(0, 8),
        ago=st.tuples(RECENT, st.integers(0, 2)),
        covered=st.sampled_from(["all", "Here A", "both A"]),
        is_confirmed=st.booleans(),
    )
    def complete(self, source, rows, hour, ago, covered, is_confirmed):
        # An instant of its own: what an equal one does not list, it would contradict.
        as_of = self.earliest_report_at + timedelta(hours=hour, seconds=len(self.entries) + 1)
        as_of += timedelta(microseconds=len(self.ledger.sources[source].heard))
        last = self.today("Here") - timedelta(days=ago[0])
        named = {"all": None, "Here A": frozenset({("Here", "A")}), "both A": EVERY_A}
        report = ModelReport(
            as_of,
            {self.place(*where): amount for where, amount in rows.items()},
            (last - timedelta(days=ago[1]), last),
            named[covered],
        )
        if not is_confirmed and self.ledger.sources[source].falls(report):
            with pytest.raises(Conflict) as refusal:
                self._restate(source, report)
            assert refusal.value.field == "confirm_decrease"
            return
        self._hear(source, report, confirm_decrease=is_confirmed)

    def _hear(self, source: str, report: ModelReport, **options: Any) -> None:
        """Let the source say it twice: what it changes is appended, once."""
        before, heard = self.ledger.sources[source], list(self.ledger.sources[source].heard)
        after = before.with_report(report)
        changes = {
            place: after.figure(place).amount - before.figure(place).amount
            for place in after.places()
        }
        result = self._restate(source, report, **options)
        assert result.stale == before.stale(report)
        known = {entry_id for entry_id, *_ in self.entries}
        appended = {}
        new = SpendEntry.objects.filter(source=source, kind=EntryKind.RESTATEMENT)
        for entry in new.exclude(id__in=known):
            is_daily = entry.spend_type == SpendType.DAILY
            place = Place(*self.leaves[entry.budget_id], entry.day, is_daily)
            appended[place] = entry.amount
            self.entries.append((entry.id, place, entry.amount, source))
        assert appended == {place: amount for place, amount in changes.items() if amount}
        self.entries.sort(key=lambda entry: (entry[1], entry[3], entry[2]))
        before.heard = [*heard, report]
        self.last_report_at = report.as_of
        again = self._restate(source, report, **options)
        assert (again.recorded, again.restated) == (0, [])

    def _restate(self, source: str, report: ModelReport, **options: Any) -> Any:
        rows = [
            ReportedSpend(
                self.ids[place.brand, place.campaign],
                amount,
                place.day,
                report.as_of,
                SpendType.DAILY if place.is_daily else SpendType.MONTHLY,
                is_additional=True,
            )
            for place, amount in report.rows.items()
        ]
        if report.days is not None:
            named = report.campaigns
            ids = None if named is None else frozenset(self.ids[who] for who in named)
            options["complete"] = CompleteRange(*report.days, report.as_of, ids)
        return restate_spends(source=source, rows=rows, now=self.now, by=ANN, **options)

    @rule(source=st.sampled_from(SOURCES), key=KEYS, name=CAMPAIGNS, amount=AMOUNTS, ago=RECENT)
    def correct_the_source(self, source, key, name, amount, ago):
        place = self.place(key, name, ago, True)
        correction = self._spend(place, -amount, is_correction=True, corrects_source=source)
        entry = record_spend(spend=correction, now=self.now, by=ANN).entries[0]
        self.ledger.sources[source].heard.append((place, -amount))
        self.entries.append((entry.id, place, -amount, source))

    @precondition(lambda self: self.entries)
    @rule(data=st.data())
    def reverse_any(self, data):
        self.reverse(data.draw(st.integers(0, len(self.entries) - 1)))

    def reverse(self, index):
        entry_id, place, amount, source = self.entries[index]
        _, is_new = reverse_spend(entry_id=entry_id, now=self.now, by=ANN)
        if is_new:
            line = (place, -amount)
            (self.ledger.sources[source].heard if source else self.ledger.lines).append(line)

    # What may be spent

    @rule(key=KEYS, name=LEVELS, daily=LIMITS, monthly=LIMITS, named=st.integers(0, 2))
    def change_limits(self, key, name, daily, monthly, named):
        self._change_limits(key, name, daily, monthly, named, ahead=0)

    @rule(
        key=KEYS,
        name=LEVELS,
        daily=LIMITS,
        monthly=LIMITS,
        named=st.integers(0, 2),
        ahead=st.sampled_from([1, 2, 4]),
    )
    def announce_limits(self, key, name, daily, monthly, named, ahead):
        self._change_limits(key, name, daily, monthly, named, ahead)

    def _change_limits(self, key, name, daily, monthly, named, ahead):
        changes = [{DAILY: daily, MONTHLY: monthly}, {DAILY: daily}, {MONTHLY: monthly}][named]
        if not self.is_archived(key, name):
            self.set_limits(key, name, changes, ahead)

    @rule(key=KEYS, name=LEVELS)
    def withdraw_coming_limits(self, key, name):
        days = self.model[key].node(name).coming(self.today(key))
        if not days or self.is_archived(key, name):
            return
        budgets.withdraw_limits(
            budget_id=self.nodes[key, name], from_day=days[0], now=self.now, by=ANN
        )
        self.model[key].node(name).withdraw(days[0])

    @rule(key=KEYS, name=LEVELS, mode=MODES, stop_at=st.sampled_from([100, 100, 90, 51, 50]))
    def change_mode(self, key, name, mode, stop_at):
        if not self.is_archived(key, name):
            self.set_mode(key, name, mode, stop_at)

    @rule(
        key=KEYS,
        name=LEVELS,
        amount=ADDED,
        period=st.sampled_from(list(Period)),
        minutes=st.sampled_from([None, None, 1, 60, 10 * 60, 30 * 60]),
    )
    def adjust(self, key, name, amount, period, minutes):
        if self.is_archived(key, name):
            return
        expires_at = None if minutes is None else self.now + timedelta(minutes=minutes)
        node, today = self.model[key].node(name), self.today(key)
        reason = DAILY if period == Period.DAY else MONTHLY
        given: Any = {"amount": amount, "period": period, "note": "Why", "expires_at": expires_at}
        asked: Any = {"budget_id": self.nodes[key, name], "now": self.now, "by": ANN} | given
        if node.limit(reason, today) is None:
            with pytest.raises(Conflict):
                budgets.adjust_budget(**asked)
            return
        stored = budgets.adjust_budget(**asked)
        adjustment = node.adjust(reason, today, amount, expires_at)
        self.adjustments.append((key, name, stored.id, adjustment))

    @precondition(lambda self: self.adjustments)
    @rule(data=st.data())
    def withdraw_any_adjustment(self, data):
        self.withdraw_adjustment(data.draw(st.integers(0, len(self.adjustments) - 1)))

    def withdraw_adjustment(self, index):
        key, name, stored_id, adjustment = self.adjustments[index]
        node = self.model[key].node(name)
        asked: Any = {"budget_id": self.nodes[key, name], "adjustment_id": stored_id}
        if self.is_archived(key, name):
            return
        if adjustment in node.adjustments and adjustment.is_running(self.today(key), self.now):
            budgets.withdraw_adjustment(**asked, now=self.now, by=ANN)
            node.adjustments.remove(adjustment)
        else:
            with pytest.raises(Conflict):
                budgets.withdraw_adjustment(**asked, now=self.now, by=ANN)

    # What may run

    @rule(key=KEYS, name=CAMPAIGNS, group=st.sampled_from([None, "G"]))
    def change_group(self, key, name, group):
        if not self.is_archived(key, name):
            self.move(key, name, group)

    @rule(key=KEYS, name=CAMPAIGNS, status=COMMANDS)
    def command(self, key, name, status):
        model = self.at(key, name)
        if model.is_archived:
            return
        campaigns.command(campaign_ids=[self.ids[key, name]], status=status, now=self.now, by=ANN)
        model.is_live = status != "INACTIVE"
        model.is_paused = {"PAUSED": True, "ACTIVE": False}.get(status, model.is_paused)
        if status == "ACTIVE":
            model.waits.clear()

    @rule(key=KEYS, name=CAMPAIGNS, start=st.integers(-3, 3), length=st.integers(0, 3))
    def flight(self, key, name, start, length):
        if self.is_archived(key, name):
            return
        first = self.today(key) + timedelta(days=start)
        last = first + timedelta(days=length)
        self.update_campaign(key, name, {"start_date": first, "end_date": last})
        self.at(key, name).start, self.at(key, name).end = first, last

    @rule(key=KEYS, name=CAMPAIGNS, day=st.integers(0, 6), start=HOURS, end=HOURS)
    def window(self, key, name, day, start, end):
        if self.is_archived(key, name) or start == end:
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

    @rule(key=KEYS, is_sure=st.booleans())
    def archive_b(self, key, is_sure):
        # What has no entry would be deleted.
        has_spend = any((p.brand, p.campaign) == (key, "B") for _, p, *_ in self.entries)
        if has_spend and is_sure:
            campaigns.remove_campaign(campaign_id=self.ids[key, "B"], now=self.now, by=ANN)
            self.at(key, "B").is_live, self.at(key, "B").is_archived = False, True

    # What time does; and as it passes, money is spent

    @rule(minutes=MINUTES, rows=MAYBE_ROWS)
    def let_time_pass(self, minutes, rows):
        self._pass_to(self.now + timedelta(minutes=minutes), rows)

    @rule(key=KEYS, rows=MAYBE_ROWS)
    def let_midnight_come(self, key, rows):
        self._pass_to(self._midnight(key), rows)

    @precondition(lambda self: self._expiries())
    @rule(rows=MAYBE_ROWS)
    def let_an_adjustment_expire(self, rows):
        self._pass_to(min(self._expiries()), rows)

    @rule(key=KEYS, name=CAMPAIGNS, act=st.sampled_from(ACTS), rows=ROWS)
    def let_a_sweep_be_late(self, key, name, act, rows):
        """Who comes first after a midnight finds all decided anew, and decides himself."""
        self._decide_at(self._midnight(key))
        if act == "spend":
            self.spend(rows)
        elif act in ("pause", "alert_only"):
            self.change_mode(key, "root", act, 100)
        elif act == "no group":
            self.change_group(key, name, None)
        else:
            self.command(key, name, act)
        sweep.enforce(sweep.due_brands(now=self.now), now=self.now)

    def _midnight(self, key):
        return self.model[key].start_of(self.today(key) + timedelta(days=1))

    def _expiries(self):
        ends = [adjustment.expires_at for *_, adjustment in self.adjustments]
        return [end for end in ends if end is not None and end > self.now]

    def _pass_to(self, instant, rows):
        self._decide_at(instant)
        # What is due is enough: the rest would not have changed by time alone.
        sweep.enforce(sweep.due_brands(now=self.now), now=self.now)
        self.it_equals_the_model()
        self.spend(rows)

    def _decide_at(self, instant):
        self.now = instant
        for model in self.model.values():
            model.decide(instant)


def test_anything_in_any_order_agrees_with_the_model(acme):
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=14,
            stateful_step_count=60,
            deadline=None,
            # Shrinking a failure takes minutes; add Phase.shrink to look into one.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
