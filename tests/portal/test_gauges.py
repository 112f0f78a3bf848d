"""A bar is near its limit from 80 % on, and never says 100 % before it is spent."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from kernel.local_time import Calendar
from portal.gauges import Gauge, Level, month_pace


@pytest.mark.parametrize(
    ("spent", "level", "percent"),
    [
        ("0", Level.FINE, 0),
        ("79.99", Level.FINE, 79),
        ("80.00", Level.NEAR, 80),
        ("99.99", Level.NEAR, 99),
        ("100.00", Level.SPENT, 100),
        ("130.00", Level.SPENT, 130),
        ("-5.00", Level.FINE, 0),
    ],
)
def test_it_tells_how_close_a_limit_is(spent, level, percent):
    gauge = Gauge(Decimal(spent), Decimal(100), "USD")
    assert (gauge.level, gauge.percent) == (level, percent)


@pytest.mark.parametrize(
    ("spent", "level", "left"),
    [
        ("71.99", Level.FINE, "18.01"),
        ("72.00", Level.NEAR, "18.00"),
        ("89.99", Level.NEAR, "0.01"),
        ("90.00", Level.SPENT, "0.00"),
        ("95.00", Level.SPENT, "-5.00"),
    ],
)
def test_one_that_stops_early_is_near_and_spent_early(spent, level, left):
    gauge = Gauge(Decimal(spent), Decimal(100), "USD", stop_at=90)
    assert (gauge.level, gauge.left, gauge.stop_units) == (level, Decimal(left), 900)


@pytest.mark.parametrize(("spent", "units"), [("-5", 0), ("0", 0), ("50", 500), ("130", 1000)])
def test_its_filled_part_stays_inside_the_bar(spent, units):
    assert Gauge(Decimal(spent), Decimal(100), "USD").units == units


def test_a_limit_of_nothing_is_spent():
    gauge = Gauge(Decimal(0), Decimal(0), "USD")
    assert (gauge.level, gauge.percent, gauge.units) == (Level.SPENT, 100, 1000)


def test_without_a_limit_it_shows_the_amount_alone():
    gauge = Gauge(Decimal("1234.5"), None, "USD")
    assert (gauge.level, gauge.percent, gauge.units) == (Level.UNLIMITED, None, 0)
    assert gauge.sentence == "1,234.50 USD, no limit"


def test_it_writes_amounts_in_the_currencys_minor_units():
    assert Gauge(Decimal(1500), Decimal(20000), "JPY").sentence == "1,500 of 20,000 JPY"


@pytest.mark.parametrize(
    ("now", "thousandths"),
    [
        (datetime(2026, 3, 31, 21, 0, tzinfo=UTC), 0),  # Midnight of 1 April in Riga.
        (datetime(2026, 4, 15, 21, 0, tzinfo=UTC), 500),
        (datetime(2026, 4, 30, 20, 59, tzinfo=UTC), 999),
    ],
)
def test_the_pace_is_that_of_the_brands_own_month(now, thousandths):
    assert month_pace(Calendar("Europe/Riga"), now=now) == thousandths
