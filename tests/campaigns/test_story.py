"""One path through the stateful machine, the same each time: what must be met in every run is met.

The machine looks for what nobody thought of; here is what everybody thinks of first.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from budgets.models import Period
from tests.campaigns.test_machine import Machine
from tests.model import DAILY


class Story:
    """Plays rules of the machine by their names; after each all must agree."""

    def __init__(self) -> None:
        self.machine = Machine()

    def __getattr__(self, name: str) -> Any:
        def play(*args: Any, **fields: Any) -> None:
            getattr(self.machine, name)(*args, **fields)
            self.machine.it_equals_the_model()
            self.machine.the_invariants_hold()
            self.machine.every_total_equals_the_models()

        return play

    def spend(self, key: str, name: str, amount: str, *, ago: int = 0, daily: bool = True) -> None:
        self.spend_some(rows={(key, name, ago, daily): Decimal(amount)})

    def say(self, source: str, amount: str, *, hour: int, name: str = "A") -> None:
        self.restate(source=source, rows={("Here", name, 0, True): Decimal(amount)}, hour=hour)

    def list_all(self, source: str, hour: int, *, is_confirmed: bool = True) -> None:
        """A complete statement of nothing, over today and yesterday."""
        told: Any = {"covered": "all", "rows": {}, "is_confirmed": is_confirmed}
        self.complete(source=source, hour=hour, ago=(0, 1), **told)

    def limit(self, key: str, name: str, daily: str | None, *, ahead: int = 0) -> None:
        limit = None if daily is None else Decimal(daily)
        self._change_limits(key, name, limit, None, 1, ahead)

    def add(self, key: str, name: str, amount: str, **fields: Any) -> None:
        self.adjust(key=key, name=name, amount=Decimal(amount), **{"minutes": None} | fields)

    def waits(self, key: str, name: str) -> set[tuple[str, str]]:
        return set(self.machine.at(key, name).waits)


@pytest.fixture
def story(acme) -> Iterator[Story]:
    told = Story()
    yield told
    told.machine.teardown()


def test_a_budget_that_pauses_over_a_jump_of_the_clock_and_a_month_end(story):
    # 28 March, 11:00 in Riga, where the night will lack an hour.
    story.begin(world="Riga's spring", here="pause", there="pause")
    story.spend_the_rest(key="Here", name="A", reason=DAILY, short=True)
    story.spend("Here", "A", "0.000001")
    story.limit("Here", "A", "40")
    story.spend("Here", "B", "35", daily=True)
    story.add("Here", "root", "60", period=Period.DAY, minutes=60)
    story.add("Here", "G", "-12.75", period=Period.MONTH)
    story.let_an_adjustment_expire(rows={})
    story.let_midnight_come(key="Here", rows={})
    assert story.waits("Here", "A") == story.waits("Here", "B") == {(DAILY, "root")}
    # Once more: one waits already.
    story.spend("Here", "B", "40")
    story.let_midnight_come(key="Here", rows={})
    story.command(key="Here", name="A", status="INACTIVE")
    assert story.waits("Here", "A") == {(DAILY, "root")}
    story.command(key="Here", name="A", status="ACTIVE")
    assert not story.waits("Here", "A")
    story.spend("Here", "A", "25")
    story.let_a_sweep_be_late(key="Here", name="A", act="no group", rows={})
    assert (DAILY, "group") in story.waits("Here", "A")
    story.let_a_sweep_be_late(key="Here", name="B", act="ACTIVE", rows={})
    assert not story.waits("Here", "B")
    story.let_time_pass(minutes=3 * 24 * 60, rows={})
    assert story.machine.today("Here").month == 4


def test_a_budget_that_alerts_stops_early_and_is_adjusted(story):
    story.begin(world="a midnight twice", here="alert_only", there="")
    story.change_mode(key="Here", name="root", mode="alert_only", stop_at=50)
    story.spend("Here", "B", "20")
    story.change_mode(key="Here", name="G", mode="pause_resume", stop_at=90)
    story.spend("Here", "A", "22.50")
    story.add("Here", "G", "5", period=Period.DAY)
    story.withdraw_adjustment(0)
    story.withdraw_adjustment(0)
    story.add("Here", "G", "60", period=Period.DAY, minutes=30 * 60)
    story.limit("Here", "G", "0")
    story.limit("Here", "G", "10", ahead=1)
    story.limit("Here", "root", "10", ahead=2)
    story.limit("Here", "root", None)
    story.withdraw_coming_limits(key="Here", name="root")
    story.add("Here", "A", "-100", period=Period.DAY, minutes=60)
    story.spend("Here", "A", "5", ago=1)
    story.let_an_adjustment_expire(rows={})
    story.let_midnight_come(key="Here", rows={("Here", "A", 1, True): Decimal(40)})
    story.change_group(key="Here", name="A", group=None)
    story.archive_b(key="Here", is_sure=True)
    story.spend("Here", "B", "40")
    story.let_midnight_come(key="Here", rows={})


def test_what_sources_say_and_people_correct(story):
    story.begin(world="Riga's autumn", here="", there="pause")
    story.say("google", "12.75", hour=2)
    story.say("google", "40", hour=1)
    story.say("google", "9.99", hour=2)
    correction = {"key": "Here", "name": "A", "amount": Decimal(5), "ago": 0}
    story.correct_the_source(source="google", **correction)
    story.correct_the_source(source="meta", **correction)
    story.say("meta", "9.99", hour=3)
    story.say("google", "40", hour=3)
    story.list_all("google", 5, is_confirmed=False)
    story.list_all("google", 4)
    story.say("google", "12.75", hour=3, name="B")
    story.say("google", "12.75", hour=6, name="B")
    story.reverse(0)
    story.reverse(0)
    story.correct_the_source(source="google", **correction)
    story.list_all("google", 7)
    story.list_all("meta", 1)
    story.let_midnight_come(key="Here", rows={})
