"""The colour, the length and the words of a bar; and how a week's hours are told."""

from datetime import time
from decimal import Decimal

import pytest

from backoffice.bars import Colour, Gauge, bar, colour, percent
from backoffice.words import weekly
from dayparting.models import Window


@pytest.mark.parametrize(
    ("spent", "expected"),
    [
        ("-5", Colour.GREEN),
        ("79.99", Colour.GREEN),
        ("80.00", Colour.AMBER),
        ("99.99", Colour.AMBER),
        ("100.00", Colour.RED),
        ("100.01", Colour.RED),
    ],
)
def test_the_colour_turns_at_80_percent_and_when_spent(spent, expected):
    assert colour(Decimal(spent), Decimal(100)) == expected


@pytest.mark.parametrize(
    ("spent", "expected"),
    [
        ("71.99", Colour.GREEN),
        ("72.00", Colour.AMBER),
        ("89.99", Colour.AMBER),
        ("90.00", Colour.RED),
    ],
)
def test_one_that_stops_early_turns_early(spent, expected):
    assert colour(Decimal(spent), Decimal(100), 90) == expected


def test_a_limit_of_nothing_is_spent():
    assert colour(Decimal(0), Decimal(0)) == Colour.RED
    assert percent(Decimal(0), Decimal(0)) == 100


def test_a_bar_is_not_full_before_the_limit_is_spent():
    assert percent(Decimal("99.999"), Decimal(100)) == 99


def test_a_bar_ends_where_it_is_full_and_tells_more():
    drawn = bar(Gauge(Decimal(150), Decimal(100), "USD"))
    assert 'width="100" height="6" rx="1"/></svg>' in drawn
    assert "150 % spent" in drawn
    assert "150.00 of 100.00 USD" in drawn


def test_a_bar_carries_no_inline_style():
    assert "style=" not in bar(Gauge(Decimal(1), Decimal(2), "USD", "Northwind"))


def test_without_a_limit_only_the_amount_is_told():
    drawn = bar(Gauge(Decimal(1500), None, "JPY"))
    assert "1,500 JPY" in drawn
    assert "svg" not in drawn


def test_a_name_is_escaped():
    assert "<b>" not in bar(Gauge(Decimal(1), Decimal(2), "USD", "<b>"))


def _window(day: int, start: int, end: int, *, is_active: bool = True) -> Window:
    return Window(day_of_week=day, start_time=time(start), end_time=time(end), is_active=is_active)


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        ([], "Always"),
        ([_window(0, 9, 18, is_active=False)], "Always"),
        ([_window(day, 9, 18) for day in range(5)], "Mon–Fri 09:00–18:00"),
        ([_window(0, 9, 18), _window(1, 9, 18)], "Mon Tue 09:00–18:00"),
        ([_window(5, 10, 14), _window(0, 22, 2)], "Mon 22:00–02:00, Sat 10:00–14:00"),
    ],
)
def test_hours_are_told_in_spans_of_days(windows, expected):
    assert weekly(windows) == expected
