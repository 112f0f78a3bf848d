"""Limits of coming days, each on its own; and when time alone ends a hold that may wait."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from budgets.models import Budget, BudgetChange, BudgetMode, Period
from budgets.services import current_limits, root_of
from budgets.terms import Limits
from campaigns.models import Hold
from campaigns.sentences import Surroundings, hold_sentence
from campaigns.services import budgets
from campaigns.services.spend import NewSpend, record_spend
from tests.conftest import ANN, NOON, make_brand, make_campaign

TODAY = NOON.date()
TOMORROW, LATER = TODAY + timedelta(days=1), TODAY + timedelta(days=4)


@pytest.fixture
def root(acme):
    return root_of(make_brand(daily="10"))


def change(budget: Budget, *, from_day=TODAY, **limits: int) -> None:
    changes: Any = {f"{name}_budget": Decimal(limit) for name, limit in limits.items()}
    budgets.update_budget(
        budget_id=budget.id, changes=changes | {"from_day": from_day}, now=NOON, by=ANN
    )


def test_a_coming_daily_limit_leaves_the_monthly_one_as_it_is_set_until_then(root):
    change(root, from_day=TOMORROW, daily=20)
    change(root, monthly=100)
    assert current_limits(root, on=TOMORROW) == Limits(Decimal(20), Decimal(100))


def test_a_coming_limit_stands_though_it_was_todays(root):
    change(root, from_day=TOMORROW, daily=10)
    change(root, daily=50)
    assert current_limits(root, on=TODAY).daily == 50
    assert current_limits(root, on=TOMORROW).daily == 10
    told = BudgetChange.objects.get(from_day=TOMORROW)
    assert (told.before["daily_budget"], told.after["daily_budget"]) == ("10.00", "10.00")


def test_the_same_coming_limit_again_changes_nothing(root):
    for _ in range(2):
        change(root, from_day=TOMORROW, daily=20)
    assert BudgetChange.objects.filter(from_day=TOMORROW).count() == 1


def test_what_was_to_follow_a_withdrawn_limit_follows_the_one_before(root):
    change(root, from_day=TOMORROW, monthly=50)
    change(root, from_day=LATER, daily=7)
    budgets.withdraw_limits(budget_id=root.id, from_day=TOMORROW, now=NOON, by=ANN)
    assert current_limits(root, on=LATER) == Limits(Decimal(7), None)


@pytest.mark.parametrize(
    ("spent", "ends", "sentence"),
    [
        ("8", timedelta(hours=2), "Resumes 14:00 UTC."),
        ("10", None, "Resumes when the budget is raised"),
    ],
)
def test_a_hold_that_would_wait_ends_before_its_day_where_time_frees_it(
    root, spent, ends, sentence
):
    campaign = make_campaign(root.brand)
    asked: Any = {"budget_id": root.id, "now": NOON, "by": ANN}
    budgets.update_budget(changes={"mode": BudgetMode.PAUSE}, **asked)
    budgets.adjust_budget(
        amount=Decimal(-5),
        period=Period.DAY,
        note="A slow morning",
        expires_at=NOON + timedelta(hours=2),
        **asked,
    )
    record_spend(spend=NewSpend(campaign.id, Decimal(spent), TODAY), now=NOON, by=ANN)
    hold = Hold.objects.get()
    assert hold.until == (ends and NOON + ends)
    around = Surroundings("Northwind", "USD", root.brand.calendar)
    assert sentence in hold_sentence(hold, around, now=NOON)
