"""The trail's page: who changed what, in sentences, for who may read it."""

import html
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User, create_api_key
from accounts.roles import Role
from campaigns.models import Campaign
from tests.conftest import NOBODY, make_brand, make_campaign
from trail.models import Entry


def page(client, **query):
    answer = client.get("/trail/", query)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def deeds(client, **query):
    return [
        re.sub(r"</?b>", "", line)
        for line in re.findall(r"<li>(<b>.*?)<small>", page(client, **query))
    ]


def rename(client, campaign, name):
    data = {"name": name, "stop_at": "100"}
    answer = client.post(f"/campaigns/{campaign.id}/edit/", data)
    assert answer.status_code == 302, answer.content


def test_what_a_person_changes_is_told_in_a_sentence(manager, campaign):
    rename(manager, campaign, "Spring sale")
    assert deeds(manager)[0] == "Max changed campaign Spring sale: name Search → Spring sale"


def test_what_is_changed_of_people_and_keys_is_told_too(owner, acme):
    vic = User.objects.get(email="vic@acme.example")
    key, _ = create_api_key(name="Loader", role=Role.BUYER)
    data = {"name": "Vic", "role": "manager", "is_active": "on"}
    assert owner.post(f"/people/{vic.id}/", data).status_code == 302
    assert owner.post(f"/people/keys/{key.id}/revoke/").status_code == 302
    assert deeds(owner)[:2] == [
        "Ann revoked API key Loader",
        "Ann changed person Vic: role Viewer → Manager",
    ]


def test_a_name_is_text_on_the_page(manager, campaign):
    rename(manager, campaign, "<b>x</b>")
    assert b"&lt;b&gt;x&lt;/b&gt;" in manager.get("/trail/").content


def test_it_is_filtered_by_who_by_kind_by_brand_and_by_the_thing(manager, campaign):
    other = make_campaign(make_brand("Contoso"), "Other")
    rename(manager, campaign, "Spring sale")
    max_ = User.objects.get(email="max@acme.example")
    changed = "Max changed campaign Spring sale: name Search → Spring sale"
    assert deeds(manager, actor=max_.id) == [changed]
    assert changed not in deeds(manager, actor="system")
    assert deeds(manager, kind="brand")[0].startswith("Paceline created brand Contoso")
    assert changed in deeds(manager, campaign=campaign.id)
    assert changed not in deeds(manager, campaign=other.id)
    assert changed in deeds(manager, brand=campaign.brand_id)
    assert changed not in deeds(manager, brand=other.brand_id)
    assert deeds(manager, object=campaign.id)[0] == changed
    assert len(deeds(manager, object=campaign.id)) == 2


def test_the_filter_keeps_what_was_asked_for_and_the_file_is_of_the_same(manager, campaign):
    key, _ = create_api_key(name="Loader", role=Role.BUYER)
    shown = page(
        manager,
        actor=key.id,
        kind="campaign",
        brand=campaign.brand_id,
        campaign=campaign.id,
        object=campaign.id,
        start_date="2026-03-01",
        end_date="2026-03-02",
    )
    for value in (key.id, "campaign", campaign.brand_id, campaign.id):
        assert f'<option value="{value}" selected>' in shown
    (file,) = re.findall(r'href="(/api/trail/\?[^"]*)"', shown)
    answer = manager.get(file)
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content).startswith(b"id,at,by_kind")
    assert "from=2026-03-01T00%3A00%3A00Z" in file
    assert "to=2026-03-03T00%3A00%3A00Z" in file


def test_days_are_the_brands_where_there_is_one(manager, acme):
    brand = make_brand("Far", time_zone="Pacific/Auckland")
    shown = page(manager, brand=brand.id, start_date="2026-03-02")
    assert "Pacific/Auckland" in shown
    assert "from=2026-03-01T11%3A00%3A00Z" in shown


def test_it_goes_on_where_a_page_ends(manager, campaign, monkeypatch):
    monkeypatch.setattr("portal.views.trail.ENTRIES_A_PAGE", 3)
    whole: list[str] = []
    query: dict[str, str] = {}
    for _ in range(20):
        shown = page(manager, **query)
        whole += re.findall(r"<li>(<b>.*?)<small>", shown)
        more = re.search(r'before=(\d+)" rel="next"', shown)
        if more is None:
            break
        query = {"before": more[1]}
    assert len(whole) == Entry.objects.count() > 3
    assert "← Newest" in shown


@pytest.mark.parametrize(
    "query",
    [
        {"actor": NOBODY},
        {"campaign": NOBODY},
        {"object": NOBODY},
        {"before": "1"},
        {"start_date": "2199-01-01"},
    ],
    ids=lambda query: next(iter(query)),
)
def test_where_nothing_fits_it_says_so(manager, campaign, query):
    assert "Nothing that was changed fits the filter." in page(manager, **query)


@pytest.mark.parametrize("name", ["actor", "kind", "brand", "object", "start_date", "before"])
def test_what_is_no_filter_is_as_good_as_absent_or_finds_nothing(manager, campaign, name):
    page(manager, **{name: "\0'\";--"})


def test_who_is_gone_is_told_by_name(manager, campaign):
    Campaign.objects.filter(id=campaign.id).delete()
    assert ">Search</option>" in page(manager, campaign=campaign.id)


def test_it_takes_the_same_statements_for_any_number(manager, campaign):
    def statements():
        with CaptureQueriesContext(connection) as queries:
            page(manager)
        return len(queries)

    before = statements()
    for number in range(10):
        make_campaign(campaign.brand, f"Sale {number}", daily="5")
    assert statements() == before


def test_pages_lead_to_it_for_who_may_read_it(manager, viewer, campaign):
    for path in (f"/campaigns/{campaign.id}/history/", f"/brands/{campaign.brand_id}/"):
        assert "/trail/?" in manager.get(path).content.decode()
        assert "/trail/" not in viewer.get(path).content.decode()


def test_a_viewer_is_refused_and_a_stranger_sees_nothing_of_it(viewer, stranger, campaign):
    assert viewer.get("/trail/").status_code == 403
    assert "Search" not in " ".join(deeds(stranger))
    assert deeds(stranger, campaign=campaign.id) == []
