"""Many spends in one request: all of them or none, each counted once."""

import json

import pytest

from budgets import ledger
from budgets.models import SpendEntry
from campaigns.audit import audit
from campaigns.models import Campaign
from kernel import clock
from tests.conftest import NOBODY, make_brand, make_campaign

PATH = "/api/spends/batch/"
DAY = "2026-03-01"


@pytest.fixture
def client(acme, api):
    return api("manager")


@pytest.fixture
def campaign(acme):
    return make_campaign(make_brand(daily="100"))


def row(campaign, /, **fields):
    return {"campaign": str(campaign.id), "amount": "10.50", "spend_date": DAY} | fields


def post(client, rows, **fields):
    body = json.dumps({"rows": rows, **fields})
    return client.post(PATH, body, content_type="application/json")


def test_it_records_all_rows_and_tells_what_they_paused(client, campaign):
    rows = [row(campaign, external_id=f"k{n}") for n in range(3)]
    answer = post(client, rows, source="google")
    assert (answer.status_code, answer.json()["recorded"]) == (201, 3)
    assert set(SpendEntry.objects.values_list("source", flat=True)) == {"google"}
    again = post(client, rows, source="google")
    assert (again.status_code, again.json()["duplicates"]) == (200, 3)
    assert SpendEntry.objects.count() == 3


def test_spend_of_today_over_the_limit_is_told_as_held(client, campaign):
    today = clock.read().date().isoformat()
    answer = post(client, [row(campaign, amount="100", spend_date=today)])
    assert answer.json()["held"] == [str(campaign.id)]
    assert Campaign.objects.get().status == "PAUSED"


def test_every_bad_row_is_named_and_nothing_is_stored(client, campaign):
    rows = [
        row(campaign),
        row(campaign, amount="x"),
        row(campaign, campaign=NOBODY),
        row(campaign, spend_date="2026-02-30", nonsense=1),
    ]
    answer = post(client, rows)
    assert answer.status_code == 422
    named = {(error["row"], error["field"]) for error in answer.json()["errors"]}
    assert named == {(1, "amount"), (2, "campaign"), (3, "spend_date"), (3, "nonsense")}
    assert not SpendEntry.objects.exists()


def test_conflicts_alone_are_409_and_all_are_named(client, campaign):
    rows = [row(campaign, external_id=f"k{n}") for n in range(3)]
    post(client, rows)
    changed = [rows[0], *({**r, "amount": "11"} for r in rows[1:])]
    answer = post(client, changed)
    assert (answer.status_code, [e["row"] for e in answer.json()["errors"]]) == (409, [1, 2])
    assert SpendEntry.objects.count() == 3


# From 100 rows on, they are stored in another way.
@pytest.mark.parametrize("others", [0, 150])
def test_a_key_twice_in_one_batch_counts_once(client, campaign, others):
    more = [row(campaign, external_id=f"o{n}") for n in range(others)]
    twice = [*more, row(campaign, external_id="k"), row(campaign, external_id="k")]
    answer = post(client, twice)
    assert (answer.json()["recorded"], answer.json()["duplicates"]) == (others + 1, 1)
    other = [*more, row(campaign, external_id="n"), row(campaign, external_id="n", amount="1")]
    refused = post(client, other)
    assert (refused.status_code, refused.json()["errors"][0]["row"]) == (409, others + 1)
    assert SpendEntry.objects.count() == others + 1


@pytest.mark.parametrize("others", [0, 150])
def test_the_known_keys_among_new_ones_count_once(client, campaign, others):
    known = [row(campaign, external_id=f"k{n}") for n in range(3)]
    post(client, known)
    more = [row(campaign, external_id=f"o{n}") for n in range(others + 1)]
    answer = post(client, [*more, *known])
    assert (answer.json()["recorded"], answer.json()["duplicates"]) == (others + 1, 3)
    assert SpendEntry.objects.count() == others + 4
    assert audit().violations == []


def test_a_known_key_that_the_first_look_misses_counts_once(client, campaign, monkeypatch):
    copied, copy = [], ledger._copy

    def counting(lines, chains):
        copied.append(len(lines))
        return copy(lines, chains)

    monkeypatch.setattr(ledger, "_copy", counting)
    rows = [row(campaign, external_id=f"k{n:03}") for n in range(160)]
    post(client, [rows[55]])
    answer = post(client, rows)
    assert (answer.json()["recorded"], answer.json()["duplicates"]) == (159, 1)
    # All of them in vain, then the new ones.
    assert copied == [160, 159]
    assert SpendEntry.objects.count() == 160
    assert audit().violations == []


def test_a_duplicate_of_what_was_reversed_is_told(client, campaign):
    rows = [row(campaign, external_id=f"k{n}") for n in range(3)]
    answer = post(client, rows)
    assert (answer.json()["reversed"], answer.json()["reversed_rows"]) == (False, [])
    client.delete(f"/api/spends/{SpendEntry.objects.get(key='k1').id}/")
    again = post(client, [row(campaign, external_id="k3"), *rows])
    assert (again.json()["recorded"], again.json()["duplicates"]) == (1, 3)
    assert (again.json()["reversed"], again.json()["reversed_rows"]) == (True, [2])


def test_another_currency_than_the_brands_is_refused(client, campaign):
    answer = post(client, [row(campaign, currency="EUR")])
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "currency")


def test_ten_thousand_rows_are_the_most(client, campaign):
    answer = post(client, [row(campaign)] * 10_001)
    assert answer.status_code == 400
    assert "rows" in answer.json()


def test_a_csv_file_is_recorded_too(client, campaign):
    text = (
        "\ufeffcampaign,spend_date,amount,external_id,description,correction\r\n"
        f'{campaign.id},{DAY},10.50,a,"one, two",\r\n{campaign.id},{DAY},-1,b,why,true\r\n'
    )
    answer = client.post(f"{PATH}?source=meta", text.encode(), content_type="text/csv")
    assert (answer.status_code, answer.json()["recorded"]) == (201, 2)
    assert set(SpendEntry.objects.values_list("description", flat=True)) == {"one, two", "why"}


@pytest.mark.parametrize(
    "text",
    [
        b"campaign,amount\n1,2,3\n",
        b'campaign\n"open',
        b"\xff\xfe\x00",
        b"campaign\na\x00b\n",
    ],
)
def test_a_malformed_file_is_400(client, campaign, text):
    assert client.post(PATH, text, content_type="text/csv").status_code == 400
    assert not SpendEntry.objects.exists()


@pytest.mark.parametrize("body", ["{", "[]", '{"rows": 5}', '{"rows": [5]}', "{}"])
def test_a_malformed_body_is_400(client, body):
    assert client.post(PATH, body, content_type="application/json").status_code == 400


def test_a_viewer_may_not(acme, api, campaign):
    assert post(api("viewer"), [row(campaign)]).status_code == 403


def test_a_stranger_finds_no_such_campaign(acme, api, campaign):
    answer = post(api("owner", "zeta"), [row(campaign)])
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "campaign")
    assert not SpendEntry.objects.exists()
