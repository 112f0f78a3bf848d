"""Monday noon (UTC) at Acme, with one brand and one campaign; and everybody who may look at it."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
import time_machine
from django.test import Client

from budgets.models import Brand
from campaigns.models import Campaign
from campaigns.services.spend import NewSpend, record_spend
from tests.conftest import ANN, NOON, make_brand, make_campaign


@pytest.fixture
def noon() -> Iterator[None]:
    """Stop the clock at Monday noon."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def owner(log_in: Callable[[str], Client], noon: None) -> Client:
    return log_in("ann@acme.example")


@pytest.fixture
def manager(log_in: Callable[[str], Client], noon: None) -> Client:
    return log_in("max@acme.example")


@pytest.fixture
def viewer(log_in: Callable[[str], Client], noon: None) -> Client:
    return log_in("vic@acme.example")


@pytest.fixture
def stranger(log_in: Callable[[str], Client], noon: None) -> Client:
    """The owner of Zeta, on Zeta's own host."""
    return log_in("zoe@zeta.example")


@pytest.fixture
def brand(acme: object, noon: None) -> Brand:
    return make_brand(daily="100", monthly="2000")


@pytest.fixture
def campaign(brand: Brand) -> Campaign:
    return make_campaign(brand)


def part(pattern: str, text: str) -> str:
    """Return the first group of the first match; a page without one fails the test."""
    match = re.search(pattern, text)
    assert match is not None, f"no {pattern!r} in {text!r}"
    return match[1]


def spend(campaign: Campaign, amount: str, **fields: object) -> None:
    """Record a spend of Monday, as the API would."""
    day = fields.pop("day", NOON.date())
    new = NewSpend(campaign.id, Decimal(amount), day, **fields)  # type: ignore[arg-type]
    record_spend(spend=new, now=NOON, by=ANN)
