"""Geometry: whole units, on one scale from zero."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest

from dayparting.models import Window
from portal.charts import CHART_HEIGHT, month_chart, pick_month, scale_of, week_timetable
from portal.series import DayFigures

MARCH = date(2026, 3, 1)


def month(*amounts, limits=None):
    limits = limits or [None] * len(amounts)
    return [
        DayFigures(
            MARCH + timedelta(days=place),
            Decimal(amount),
            Decimal(0),
            None if limit is None else Decimal(limit),
        )
        for place, (amount, limit) in enumerate(zip(amounts, limits, strict=True))
    ]


@pytest.mark.parametrize(
    ("highest", "step", "count"),
    [("0", "1", 1), ("0.01", "0.0025", 5), ("100", "25", 5), ("400", "100", 5), ("77", "20", 5)],
)
def test_a_scale_has_round_steps_and_ends_above_the_highest_value(highest, step, count):
    assert scale_of(Decimal(highest)) == (Decimal(step), count)
    assert Decimal(step) * count > Decimal(highest)


def test_a_bar_is_as_high_as_its_share_of_the_scale():
    chart = month_chart(month("100", "50", "0", "-20"), currency="USD", today=MARCH)
    heights = [bar.height for bar in chart.bars]
    assert heights == [CHART_HEIGHT * 100 // 125, CHART_HEIGHT * 50 // 125, 0, 0]
    assert all(bar.y + bar.height == CHART_HEIGHT for bar in chart.bars)


def test_the_limits_line_steps_where_it_changed_and_gaps_where_there_was_none():
    series = month("0", "0", "0", "0", limits=["100", "50", None, "50"])
    chart = month_chart(series, currency="USD", today=MARCH)
    assert chart.limit_path == "M0 40 H20 V120 H40 M60 120 H80"


def test_a_bar_says_its_day_and_its_figures():
    chart = month_chart(month("100", limits=["100"]), currency="USD", today=MARCH)
    assert chart.bars[0].label == "Sun 1 Mar: 100.00 of 100.00 USD"
    assert chart.bars[0].level == "spent"


def test_a_month_without_spend_is_empty():
    assert month_chart(month("0", "0"), currency="USD", today=MARCH).is_empty


def window(day, start, end, is_active=True):
    return Window(
        day_of_week=day,
        start_time=time.fromisoformat(start),
        end_time=time.fromisoformat(end),
        is_active=is_active,
    )


def spans(*windows):
    rows = week_timetable(windows, local_now=datetime(2026, 3, 2, 12, 30))
    return {row.weekday: [(span.x, span.width) for span in row.spans] for row in rows if row.spans}


def test_a_window_past_midnight_goes_on_in_the_next_day():
    assert spans(window(4, "22:00", "02:00")) == {4: [(1320, 120)], 5: [(0, 120)]}


def test_sundays_night_goes_on_in_monday():
    assert spans(window(6, "23:00", "01:00")) == {6: [(1380, 60)], 0: [(0, 60)]}


def test_midnight_as_an_end_is_the_end_of_that_day():
    assert spans(window(0, "18:00", "00:00")) == {0: [(1080, 360)]}


def test_the_marker_of_now_is_on_todays_row_only():
    rows = week_timetable([], local_now=datetime(2026, 3, 2, 12, 30))
    assert [row.now for row in rows] == [750, None, None, None, None, None, None]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (None, (MARCH, date(2026, 2, 1), None)),
        (date(2026, 1, 1), (date(2026, 1, 1), date(2025, 12, 1), date(2026, 2, 1))),
    ],
)
def test_one_can_go_back_but_not_ahead_of_the_running_month(asked, expected):
    assert pick_month(asked, today=date(2026, 3, 2)) == expected
