"""Arrays that PostgreSQL reads back as what was written."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection

from kernel.arrays import array, id_array, text_array

ODD = [
    "",
    " ",
    "plain",
    'a "quoted" word',
    "back\\slash",
    "\\",
    '"',
    "NULL",
    "a,b",
    "{}",
    "tab\t",
    "ē\n",
]


def read(written, kind):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{kind}[]", [written])
        return cursor.fetchone()[0]


@pytest.mark.parametrize("texts", [[], ["one"], ODD], ids=["none", "one", "odd ones"])
def test_texts_come_back_as_they_are(acme, texts):
    assert read(text_array(texts), "text") == texts


def test_ids_come_back_as_they_are(acme):
    keys = [uuid4(), uuid4()]
    assert read(id_array(keys), "uuid") == keys
    assert read(id_array([]), "uuid") == []


def test_days_and_amounts_come_back_as_they_are(acme):
    days, amounts = [date(2026, 3, 2)], [Decimal("-0.000001"), Decimal("1E+3")]
    assert read(array(days), "date") == days
    assert read(array(amounts), "numeric") == amounts
