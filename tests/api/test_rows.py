"""Rows of a batch are read as their serializer reads one, to the word."""

from decimal import Decimal

import pytest
from rest_framework.exceptions import ValidationError

from api.fields import Text
from api.resources.batches import BatchRow
from api.rows import RowReader
from tests.conftest import NOBODY

GOOD = {"campaign": NOBODY, "amount": "10.50", "spend_date": "2026-03-01"}
WORDS = [
    *("", " ", "x", " x ", "5", "-5", "5.", "1e3", "NaN", "true", "DAILY", "daily", "entry:1"),
    *(NOBODY, NOBODY.upper(), "2026-02-30", "20260301", "2026-03-01T09:00:00Z", "é" * 256),
    *(None, True, False, 0, 1, Decimal("1.5"), [], ["x"], {}, {"x": 1}),
]


def slowly(row):
    serializer = BatchRow(data=row)
    return serializer.validated_data if serializer.is_valid() else serializer.errors


def quickly(reader, row):
    try:
        return reader.read(row)
    except ValidationError as bad:
        return bad.detail


@pytest.mark.parametrize(
    "text",
    ["x", "a b", " x ", "", " ", "x" * 5, "x" * 6, "x    y", "\t", "x\n", "a\0", "é", "\ud800"],
)
def test_a_text_is_read_the_same_with_and_without_the_short_way(text):
    field = Text(max_length=5)
    words = []
    for plain_length_max in (field.plain_length_max, 0):
        field.plain_length_max = plain_length_max
        try:
            words.append(field.run_validation(text))
        except ValidationError as bad:
            words.append(bad.detail)
    assert words[0] == words[1]


@pytest.mark.parametrize("name", [*BatchRow().fields, "nonsense"])
def test_a_word_means_in_each_column_what_it_means_to_the_serializer(name):
    reader = RowReader(BatchRow())
    # Twice: the second time the words are known.
    for word in WORDS * 2:
        row = GOOD | {name: word}
        assert quickly(reader, row) == slowly(row), word


@pytest.mark.parametrize("left_out", GOOD)
def test_a_row_that_lacks_something_is_told_so(left_out):
    row = {name: word for name, word in GOOD.items() if name != left_out}
    assert quickly(RowReader(BatchRow()), row) == slowly(row)
    assert left_out in slowly(row)


def test_every_fault_of_a_row_is_told():
    row = GOOD | {"amount": "x", "spend_date": None, "nonsense": 1}
    assert quickly(RowReader(BatchRow()), row) == slowly(row)
    assert set(slowly(row)) == {"amount", "spend_date", "nonsense"}


def test_one_is_not_true():
    reader = RowReader(BatchRow())
    assert reader.read(GOOD | {"correction": True})["correction"] is True
    with pytest.raises(ValidationError):
        reader.read(GOOD | {"correction": 1})
