"""Ids sort by the time they were made, and are read once."""

from uuid import UUID, uuid4

import pytest
from django.db import connection

from kernel.ids import read_id, uuid7, uuid7s


def test_many_ids_of_one_moment_differ_and_say_their_version():
    made = uuid7s(1000)
    assert len(set(made)) == 1000
    assert {(key.version, key.variant) for key in made} == {(7, "specified in RFC 4122")}


def test_a_later_id_sorts_after_an_earlier_one(monkeypatch):
    monkeypatch.setattr("kernel.ids.time.time_ns", lambda: 1_000_000_000)
    earlier = uuid7s(5)
    monkeypatch.setattr("kernel.ids.time.time_ns", lambda: 1_001_000_000)
    assert max(earlier) < uuid7()


def test_none_are_made_of_nothing():
    assert uuid7s(0) == []


def test_an_id_is_read_as_python_reads_it():
    key = uuid4()
    assert read_id(str(key)) == key
    with pytest.raises(ValueError, match="badly formed"):
        read_id("no id")


def test_an_id_that_the_database_answers_is_known_the_second_time(acme):
    key = uuid4()
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::uuid, %s::uuid, NULL::uuid", [key, key])
        first, second, none = cursor.fetchone()
    assert first == key
    assert type(first) is UUID
    assert first is second
    assert none is None
