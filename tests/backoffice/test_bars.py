"""The colour, the length and the words of a bar."""

from decimal import Decimal

import pytest

from backoffice.bars import Colour, Gauge, bar, colour, percent


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
