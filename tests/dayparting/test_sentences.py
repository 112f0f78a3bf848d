"""How hours are told in words."""

from datetime import time

import pytest

from dayparting.models import Window
from dayparting.sentences import weekly


def _window(day: int, start: int, end: int, *, is_active: bool = True) -> Window:
    return Window(day_of_week=day, start_time=time(start), end_time=time(end), is_active=is_active)


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        ([], "Always"),
        ([_window(0, 9, 18, is_active=False)], "Always"),
        ([_window(day, 9, 18) for day in range(5)], "Mon–Fri 09:00–18:00"),
        ([_window(0, 9, 18), _window(1, 9, 18)], "Mon Tue 09:00–18:00"),
        (
            [Window(day_of_week=0, start_time=time(9, 0, 30), end_time=time(0))],
            "Mon 09:00:30–00:00",
        ),
        ([_window(5, 10, 14), _window(0, 22, 2)], "Mon 22:00–02:00, Sat 10:00–14:00"),
    ],
)
def test_hours_are_told_in_spans_of_days(windows, expected):
    assert weekly(windows) == expected
