"""An agency makes so many exports at a time; a closed answer gives its place back."""

import gc

import pytest

from api import exports
from api.exports import AT_ONCE_MAX, csv_answer
from kernel.errors import Busy
from tenants.contexts import tenant_context

ROWS = [{"id": "1"}]


def export(rows=ROWS):
    return csv_answer(["id"], rows, name="spends")


@pytest.fixture
def all_places(acme):
    """All places of Acme, whose context is entered."""
    # Django's test client refers to itself from each answer. One that another test dropped unread
    # keeps its place until the garbage collector finds it; a web server closes all of them.
    gc.collect()
    answers = [export() for _ in range(AT_ONCE_MAX)]
    yield answers
    for answer in answers:
        answer.close()


def test_one_too_many_is_busy_and_another_agency_has_its_own(world, all_places):
    with pytest.raises(Busy, match="Other exports of this agency"):
        export()
    with tenant_context(world.zeta):
        export().close()


def test_a_place_is_given_back_once(all_places):
    for _ in range(2):
        all_places[0].close()
    all_places.append(export())
    with pytest.raises(Busy):
        export()


def test_an_export_that_fails_on_its_way_gives_its_place_back(all_places):
    all_places[0].close()
    broken = export({"id": 1 / none} for none in [0])
    with pytest.raises(ZeroDivisionError):
        broken.getvalue()
    broken.close()
    all_places.append(export())


def test_an_answer_that_nobody_closes_gives_its_place_back(all_places):
    all_places[0].close()
    _dropped = export()
    del _dropped
    all_places.append(export())


def test_whoever_asks_for_too_many_is_told_when_to_come_back(all_places, api):
    answer = api("manager").get("/api/spends/?format=csv")
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert "Other exports" in answer.json()["detail"]


def test_an_export_has_an_end(acme, monkeypatch):
    monkeypatch.setattr(exports, "SECONDS_MAX", -1)
    answer = export()
    with pytest.raises(Busy):
        answer.getvalue()
    answer.close()
