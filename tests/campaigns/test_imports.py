"""What a file of spend means: a campaign a line, by id or by name; no cent lost or doubled."""

from argparse import ArgumentTypeError
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from budgets.models import Brand, BrandSource, Budget, SourceMode, SpendEntry, SpendType
from campaigns.audit import audit
from campaigns.management.commands.import_spend import column_map
from campaigns.models import Campaign, StatusChange
from campaigns.services.imports import import_spend
from campaigns.spend_file import SpendLine, UnreadableFile, read_spend_file
from kernel.errors import Conflict
from tests.conftest import ANN, NOON, make_brand, make_campaign

HEADER = "date,campaign,cost,platform,campaign_external_id"
COLUMNS = {"amount": "cost"}


@pytest.fixture(autouse=True)
def sound(acme):
    """Whatever a test imports, the invariants of ledger and design hold after it."""
    yield
    assert audit().violations == []


def read(*lines):
    text = "\n".join([HEADER, *lines])
    return read_spend_file(text.encode(), columns=COLUMNS, date_format="%Y-%m-%d").lines


def bring(*lines, brand_name="Northwind", **options):
    return import_spend(
        lines=read(*lines), columns=COLUMNS, brand_name=brand_name, now=NOON, by=ANN, **options
    )


def refusals(*lines):
    """Import lines that can't be; return what is told of which."""
    with pytest.raises(UnreadableFile) as refused:
        bring(*lines)
    return [str(bad) for bad in refused.value.bad]


def spent(**campaign):
    budget_id = Campaign.objects.get(**campaign).budget_id
    return SpendEntry.objects.filter(budget_id=budget_id).aggregate(sum=Sum("amount"))["sum"]


NAMELESS = "2026-03-01,Spring,10.00,,"
WITH_ID = "2026-03-01,Spring,10.00,,123"


@pytest.mark.parametrize("pair", [(NAMELESS, WITH_ID), (WITH_ID, NAMELESS)])
@pytest.mark.parametrize("stored_id", [None, "", "123"])
def test_a_line_with_an_id_and_one_without_are_one_campaign_and_so_a_repeat(pair, stored_id):
    if stored_id is not None:
        make_campaign(make_brand(), "Spring", external_id=stored_id)
    told = ["line 3, column -: it repeats the campaign, date and type of line 2."]
    assert refusals(*pair) == told
    assert not SpendEntry.objects.exists()


@pytest.mark.parametrize("ids", [("123", ""), ("", "123")])
def test_a_campaign_is_found_by_its_name_on_the_day_that_does_not_tell_its_id(ids):
    bring(f"2026-03-01,Spring,10,,{ids[0]}", f"2026-03-02,spring,11,,{ids[1]}")
    assert spent(name__iexact="spring", external_id="123") == 21


def test_a_later_file_that_tells_the_id_counts_nothing_twice():
    bring(NAMELESS)
    assert (bring(WITH_ID).recorded, bring(WITH_ID).known) == (0, 1)
    assert spent(name="Spring") == 10


def test_the_same_id_on_two_platforms_is_two_campaigns():
    done = bring("2026-03-01,Spring G,10,google,123", "2026-03-01,Spring M,11,meta,123")
    assert (done.recorded, done.new_campaigns) == (2, 2)
    assert (spent(platform="google"), spent(platform="meta")) == (10, 11)


def test_an_id_finds_the_campaign_whatever_it_is_called_in_the_file():
    make_campaign(make_brand(), "Renamed", platform="google", external_id="123")
    bring("2026-03-01,Spring,10,google,123", "2026-03-02,Spring again,11,google,123")
    assert spent(name="Renamed") == 21


@pytest.mark.parametrize(
    ("line", "stored"),
    [
        ("2026-03-01,spring,10,,124", {"external_id": "123"}),
        ("2026-03-01,spring,10,meta,123", {"external_id": "123", "platform": "google"}),
        ("2026-03-01,spring,10,meta,", {"platform": "google"}),
    ],
)
def test_a_name_of_another_id_or_platform_is_refused_by_line_and_credits_nobody(line, stored):
    make_campaign(make_brand(), "Spring", **stored)
    told = "column campaign: Northwind has a campaign named 'spring' already."
    assert refusals("2026-03-01,Other,1,,", line) == [f"line 3, {told}"]
    assert list(Campaign.objects.values_list("name", flat=True)) == ["Spring"]
    assert Budget.objects.filter(kind="leaf").count() == 1


def test_two_ids_of_one_name_are_not_both_the_campaign_that_has_none():
    make_campaign(make_brand(), "Spring")
    told = refusals("2026-03-01,Spring,10,,123", "2026-03-02,Spring,11,,124")
    assert [bad.partition(":")[0] for bad in told] == ["line 3, column campaign"]


def test_names_repeats_and_days_that_are_bad_are_told_at_once():
    bring("2026-03-01,Known,1,,")
    told = refusals(
        "2026-03-01,Spring,10,,123",
        "2026-03-01,Spring,10,,124",
        "2026-03-01,Spring,10,,",
        "2199-03-01,Spring,10,,123",
    )
    assert [bad.partition(":")[0] for bad in told] == [
        "line 3, column campaign",
        "line 4, column -",
        "line 5, column date",
    ]
    assert SpendEntry.objects.count() == Campaign.objects.count() == 1


@pytest.mark.parametrize(
    ("said", "field", "told"),
    [
        ({"currency": "USD"}, "currency", "spends EUR, not USD"),
        ({"time_zone": "UTC"}, "time_zone", "are those of Europe/Riga, not UTC"),
    ],
)
def test_an_existing_brand_of_another_currency_or_zone_is_refused(said, field, told):
    make_brand(currency="EUR", time_zone="Europe/Riga")
    with pytest.raises(Conflict, match=told) as refused:
        bring(NAMELESS, **said)
    assert refused.value.field == field
    assert not Campaign.objects.exists()
    assert not BrandSource.objects.exists()


@pytest.mark.parametrize("said", [{}, {"currency": "EUR", "time_zone": "Europe/Riga"}])
def test_an_existing_brand_takes_a_file_that_says_the_same_or_nothing(said):
    make_brand(currency="EUR", time_zone="Europe/Riga")
    assert bring(NAMELESS, **said).recorded == 1
    assert Brand.objects.get().currency == "EUR"


@pytest.mark.parametrize(
    ("said", "made"),
    [
        ({}, ("USD", "UTC")),
        ({"currency": "EUR", "time_zone": "Europe/Riga"}, ("EUR", "Europe/Riga")),
    ],
)
def test_a_brand_that_is_made_has_what_was_said_or_dollars_and_utc(said, made):
    bring(NAMELESS, **said)
    assert Brand.objects.values_list("currency", "time_zone").get() == made


def test_campaigns_that_are_made_are_decided_with_their_first_status_change():
    make_brand(daily="50")
    bring("2026-03-02,Search,50,,", "2026-03-01,Video,1,,")
    assert set(Campaign.objects.values_list("status", "status_version")) == {("PAUSED", 1)}
    changes = StatusChange.objects.values_list("version", "from_status", "to_status", "reasons")
    assert list(changes) == [(1, "", "PAUSED", ["daily_budget"])] * 2
    bring("2026-03-01,Next,1,,", brand_name="Other")
    assert Campaign.objects.get(name="Next").status == "ACTIVE"


def statements(count, brand_name):
    lines = [f"2026-03-0{day},C{n},{n},,{n}" for n in range(count) for day in (1, 2)]
    with CaptureQueriesContext(connection) as captured:
        assert bring(*lines, brand_name=brand_name).new_campaigns == count
    return [query["sql"] for query in captured.captured_queries]


def test_it_takes_the_same_statements_for_any_number_of_new_campaigns():
    bring(NAMELESS)
    assert len(statements(1, "One")) == len(statements(40, "Forty"))


def test_it_locks_source_then_brand_then_keys_and_the_agencys_outbox_once_and_last():
    ran = statements(3, "Northwind")

    def places(words):
        return [place for place, sql in enumerate(ran) if words in sql]

    (outbox,) = places("pg_advisory_xact_lock")
    source, brand = places('INSERT INTO "budgets_brandsource"'), places("FOR NO KEY UPDATE")
    known = places('FROM "campaigns_campaign"')
    keys, totals = places("INTO budgets_spendentry"), places("INTO budgets_spendtotal")
    assert brand[0] < known[0] < source[0] < keys[0] < totals[0] < outbox
    assert places('INTO "campaigns_campaign"')[0] < outbox


def test_a_source_that_restates_can_not_import():
    said = {"name": "import", "mode": SourceMode.RESTATE, "first_used_at": NOON}
    BrandSource.objects.create(brand=make_brand(), **said)
    with pytest.raises(Conflict, match="restates, for life"):
        bring(NAMELESS)
    assert not Campaign.objects.exists()


def test_an_amount_is_kept_to_the_sixth_decimal():
    bring("2026-03-01,Spring,0.000001,,")
    assert spent(name="Spring") == Decimal("0.000001")


def test_a_column_that_is_there_twice_is_refused_rather_than_guessed():
    file = b"date,campaign,cost,cost\n2026-03-01,Search,10,1"
    with pytest.raises(UnreadableFile, match="line 1: the column cost is there more than once"):
        read_spend_file(file, columns=COLUMNS, date_format="%Y-%m-%d")


def test_a_field_that_is_mapped_twice_is_refused():
    with pytest.raises(ArgumentTypeError, match="amount is mapped twice"):
        column_map("amount=cost,amount=leads")


# A source that restates ---------------------------------------------------------------------------
MORNING = NOON.replace(hour=8)


def restate(*lines, hours=0, **options):
    options = {"source": "google", "as_of": MORNING + timedelta(hours=hours)} | options
    return bring(*lines, **options)


def test_a_file_of_a_restating_source_replaces_what_the_source_said():
    first = restate("2026-03-01,Spring,100,,", "2026-03-01,Autumn,5,,")
    assert (first.recorded, first.new_campaigns) == (2, 2)
    later = restate("2026-03-01,Spring,80,,", "2026-03-01,Autumn,5,,", hours=1)
    assert (later.restated, later.known, later.new_campaigns) == (1, 1, 0)
    assert (spent(name="Spring"), spent(name="Autumn")) == (80, 5)


def test_an_older_file_of_a_restating_source_is_stale():
    restate(NAMELESS, hours=1)
    older = restate("2026-03-01,Spring,99,,")
    assert (older.stale, older.recorded, older.restated) == (1, 0, 0)
    assert spent(name="Spring") == 10


def test_a_restated_file_holds_and_releases_in_the_same_transaction():
    make_brand(daily="50")
    restate("2026-03-02,Spring,50,,")
    assert Campaign.objects.get().status == "PAUSED"
    restate("2026-03-02,Spring,49.99,,", hours=1)
    assert Campaign.objects.get().status == "ACTIVE"


def test_a_campaign_made_for_nothing_spent_is_decided_too():
    make_campaign(make_brand(), "Autumn")
    assert restate("2026-03-01,Spring,0,,", "2026-03-01,Autumn,5,,").new_campaigns == 1
    assert set(Campaign.objects.values_list("status", "status_version")) == {("ACTIVE", 1)}


def test_the_same_instant_with_another_amount_is_told_by_line_and_column():
    restate(NAMELESS)
    with pytest.raises(UnreadableFile) as refused:
        restate("2026-03-01,Autumn,1,,", "2026-03-01,Spring,11,,")
    (told,) = refused.value.bad
    assert (told.line, told.column) == (3, "cost")
    assert spent(name="Spring") == 10
    assert Campaign.objects.count() == 1


def test_another_restating_source_is_refused_unless_it_is_said_to_be_beside_it():
    restate(NAMELESS)
    with pytest.raises(UnreadableFile) as refused:
        restate(NAMELESS, source="meta")
    assert "'google' restates this day already" in str(refused.value.bad[0])
    restate(NAMELESS, source="meta", is_additional=True)
    assert spent(name="Spring") == 20


def test_a_figure_that_is_restated_keeps_no_description():
    line = SpendLine(
        line=2,
        campaign="Spring",
        campaign_external_id="",
        platform="",
        day=MORNING.date(),
        amount=Decimal(1),
        spend_type=SpendType.DAILY,
        description="A fee",
    )
    with pytest.raises(UnreadableFile) as refused:
        import_spend(lines=[line], brand_name="N", source="google", as_of=MORNING, now=NOON, by=ANN)
    assert [(bad.line, bad.column) for bad in refused.value.bad] == [(2, "description")]


def test_a_source_that_appends_can_not_restate():
    bring(NAMELESS, source="google")
    with pytest.raises(Conflict, match="appends, for life"):
        restate(NAMELESS)


def test_a_restated_file_locks_source_then_brand_then_keys_totals_and_the_outbox():
    with CaptureQueriesContext(connection) as captured:
        restate("2026-03-01,Spring,10,,", "2026-03-01,Autumn,0,,")
    ran = [query["sql"] for query in captured.captured_queries]
    source, *brands = (sql for sql in ran if "FOR NO KEY UPDATE" in sql)
    assert "budgets_spendsource" in source
    assert "budgets_brand" in brands[0]
    words = ("INTO budgets_spendentry", "INTO budgets_spendtotal", "pg_advisory_xact_lock")
    places = [next(place for place, sql in enumerate(ran) if word in sql) for word in words]
    assert ran.index(brands[0]) < places[0] < places[1] < places[2]
