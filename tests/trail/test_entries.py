"""Every change of what is tracked is entered, whoever makes it and however, and stays so."""

import json
from contextlib import contextmanager, nullcontext

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from accounts.models import ApiKey, User, create_api_key
from accounts.roles import Role
from budgets.models import Brand, Budget, BudgetAdjustment, LimitVersion
from campaigns.models import Campaign
from campaigns.tracked import TRACKED, UNTRACKED
from dayparting.models import Schedule, ScheduleException, Window
from kernel.actor import Actor, ActorKind, acting
from kernel.request import bind_request_id
from tenants.contexts import owner_context, tenant_context
from tests.conftest import NOON, make_brand, make_campaign
from trail.models import Entry

OLIVIA = Actor(ActorKind.PERSON, "olivia", "Olivia Grant")
KINDS = {tracked.model: tracked.kind for tracked in TRACKED}


@pytest.fixture
def things(acme):
    """A row of each tracked model, and what an update changes of it."""
    brand = make_brand("Northwind")
    campaign = make_campaign(brand, "Spring sale")
    own, leaf = campaign.schedule, campaign.budget
    given = {
        "given_at": NOON,
        "given_by_kind": "person",
        "given_by_label": "Ann",
        "period_start": NOON.date(),
    }
    window = {"day_of_week": 0, "start_time": "09:00", "end_time": "17:00"}
    limit = {"from_day": NOON.date(), "set_at": NOON, "set_by_kind": "person"}
    return {
        Brand: (brand, {"name": "Southwind"}),
        Budget: (leaf, {"mode": "pause"}),
        LimitVersion: (
            LimitVersion.objects.create(budget=leaf, daily_limit="100.50", **limit),
            {"daily_limit": "200.25"},
        ),
        BudgetAdjustment: (
            BudgetAdjustment.objects.create(budget=leaf, period="DAY", amount=5, **given),
            {"withdrawn_at": NOON},
        ),
        Campaign: (campaign, {"name": "Summer sale"}),
        Schedule: (own, {"name": "Office hours"}),
        Window: (Window.objects.create(schedule=own, **window), {"end_time": "18:00"}),
        ScheduleException: (
            ScheduleException.objects.create(schedule=own, day=NOON.date()),
            {"note": "Closed"},
        ),
        User: (User.objects.create_user("nora@acme.example"), {"role": Role.OWNER}),
        ApiKey: (create_api_key(name="Loader", role=Role.BUYER)[0], {"name": "Unloader"}),
    }


def clear_the_way(row):
    """Delete what refers to the row."""
    if isinstance(row, Brand | Budget | Schedule):
        Campaign.objects.all().delete()
        Window.objects.all().delete()
        ScheduleException.objects.all().delete()
    if isinstance(row, Brand | Budget):
        Budget.objects.exclude(id=row.id).filter(kind="leaf").delete()
        LimitVersion.objects.all().delete()
        BudgetAdjustment.objects.all().delete()
    if isinstance(row, Brand):
        Budget.objects.all().delete()


def entries(row):
    return Entry.objects.filter(object_id=str(row.pk)).order_by("pgh_id")


def test_every_model_is_tracked_or_has_a_reason_not_to_be():
    asked = {
        model._meta.label
        for app in {model._meta.app_label for model in KINDS}
        for model in apps.get_app_config(app).get_models()
        if not model._meta.proxy
    }
    tracked = {model._meta.label for model in KINDS}
    assert tracked | UNTRACKED.keys() == asked
    assert not tracked & UNTRACKED.keys()


@pytest.mark.parametrize("model", KINDS, ids=KINDS.get)
def test_an_insert_enters_the_whole_row(things, model):
    row, _ = things[model]
    entry = entries(row).first()
    assert (entry.kind, entry.pgh_label, entry.before) == (KINDS[model], "insert", None)
    assert entry.after["id"] == (row.pk if isinstance(row.pk, int) else str(row.pk))


@pytest.mark.parametrize("way", ["save", "update", "raw"])
@pytest.mark.parametrize("model", KINDS, ids=KINDS.get)
def test_an_update_enters_what_changed(things, model, way):
    row, changes = things[model]
    ((name, value),) = changes.items()
    if way == "save":
        setattr(row, name, value)
        row.save()
    elif way == "update":
        model.objects.filter(pk=row.pk).update(**changes)
    else:
        table = model._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET {name} = %s WHERE id = %s", [value, row.pk])
    entry = entries(row).last()
    assert (entry.kind, entry.pgh_label) == (KINDS[model], "update")
    assert list(entry.before) == list(entry.after) == [name]
    assert entry.before != entry.after


@pytest.mark.parametrize("way", ["delete", "raw"])
@pytest.mark.parametrize("model", KINDS, ids=KINDS.get)
def test_a_deletion_enters_what_was_there_and_leaves_its_trail(things, model, way):
    row, _ = things[model]
    key = row.pk
    clear_the_way(row)
    if way == "delete":
        row.delete()
    else:
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE id = %s", [key])
    first, *_, last = Entry.objects.filter(object_id=str(key)).order_by("pgh_id")
    assert (first.pgh_label, last.pgh_label) == ("insert", "delete")
    assert (last.before, last.after) == (first.after, None)


@pytest.mark.parametrize("model", KINDS, ids=KINDS.get)
def test_an_update_that_changes_nothing_enters_nothing(things, model):
    row, _ = things[model]
    row.save()
    model.objects.filter(pk=row.pk).update(id=F("id"))
    assert entries(row).count() == 1


def test_what_follows_from_other_rows_is_not_entered(acme):
    brand = make_brand()
    campaign = make_campaign(brand)
    count = Entry.objects.count()
    Brand.objects.update(decided_at=NOON, next_check_at=NOON)
    Campaign.objects.update(status="PAUSED", status_version=F("status_version") + 1)
    User.objects.update(last_login=NOON)
    ApiKey.objects.update(last_used_at=NOON)
    assert Entry.objects.count() == count
    assert entries(campaign).get().after.keys().isdisjoint({"status", "updated_at"})


def test_of_a_password_it_is_told_that_it_changed(acme):
    user = User.objects.get(email="vic@acme.example")
    user.set_password("another battery staple")
    user.save()
    entry = entries(user).last()
    assert entry.before == entry.after == {"password": "***"}
    _, secret = create_api_key(name="Loader", role=Role.BUYER)
    hashes = [
        *User.objects.values_list("password", flat=True),
        *ApiKey.objects.values_list("secret_hash", flat=True),
    ]
    told = json.dumps([list(Entry.objects.values_list("before", "after"))], default=str)
    assert len(hashes) > 3
    assert not [word for word in [*hashes, secret.partition(".")[2]] if word in told]


def test_an_amount_of_money_is_no_float(acme):
    big = "123456789012.345678"
    make_campaign(make_brand(), daily="10")
    limit = LimitVersion.objects.get()
    LimitVersion.objects.filter(id=limit.id).update(daily_limit=big)
    assert str(entries(limit).last().after["daily_limit"]) == big


def test_it_names_who_and_the_request(acme):
    bind_request_id("r-1")
    with acting(lambda: OLIVIA):
        brand = make_brand("100% “Northwind”; it's \\ fine")
    entry = entries(brand).get()
    assert (entry.by_kind, entry.by_id, entry.by_label) == ("person", "olivia", "Olivia Grant")
    bind_request_id("")
    assert entry.request_id == "r-1"
    assert entry.name == "100% “Northwind”; it's \\ fine"


def test_who_acts_is_told_of_many_rows_too(acme):
    brand = make_brand()
    with acting(lambda: OLIVIA), connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE budgets_brand SET name = %s WHERE id = %s",
            [("A", brand.id), ("100%", brand.id)],
        )
        cursor.execute("WITH w AS (SELECT 1) UPDATE budgets_brand SET name = 'C'")
        cursor.execute("UPDATE budgets_brand SET name = '5%'")
    names = entries(brand).values_list("by_label", "after__name")
    told = [(by, name) for by, name in names]
    assert told[0][0] == "Paceline"
    assert told[1:] == [("Olivia Grant", name) for name in ("A", "100%", "C", "5%")]


def test_who_acts_has_a_quote_in_the_name(acme):
    with acting(lambda: Actor(ActorKind.PERSON, "1", """O'Hara "100%" \\ \u2603""")):
        brand = make_brand()
    assert entries(brand).get().by_label == """O'Hara "100%" \\ \u2603"""


def test_nobody_who_is_known_is_the_system(acme):
    entry = entries(make_brand()).get()
    assert (entry.by_kind, entry.by_label, entry.request_id) == ("system", "Paceline", "")


def test_the_next_transaction_is_not_taken_for_the_last_ones(own_agency):
    with acting(lambda: OLIVIA):
        brand = make_brand()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE budgets_brand SET name = 'Other'")
    assert [entry.by_kind for entry in entries(brand)] == ["person", "system"]


def test_a_statement_without_the_path_is_entered_where_its_table_lies(acme):
    brand = make_brand()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL search_path TO pg_catalog")
        cursor.execute(f"UPDATE {acme.schema_name}.budgets_brand SET name = 'Other'")
        cursor.execute(f"SET LOCAL search_path TO {acme.schema_name}")
    assert entries(brand).last().after == {"name": "Other"}


def test_telling_who_acts_is_no_statement_more(acme, django_assert_num_queries):
    brand = make_brand()
    with acting(lambda: OLIVIA), django_assert_num_queries(1):
        assert Brand.objects.filter(id=brand.id).update(name="Other") == 1
    with acting(lambda: OLIVIA), django_assert_num_queries(1):
        key = ApiKey.objects.create(name="K", prefix="p", secret_hash="h")
    assert ApiKey.objects.get().pk == key.pk
    schedule = Schedule.objects.create()
    window = {"schedule": schedule, "start_time": "09:00", "end_time": "10:00"}
    with acting(lambda: OLIVIA), django_assert_num_queries(1):
        Window.objects.bulk_create(Window(day_of_week=day, **window) for day in range(7))
    assert Entry.objects.filter(kind="window", by_id="olivia").count() == 7


def test_what_belongs_to_a_campaign_goes_by_its_name(things):
    campaign, _ = things[Campaign]
    for model in (LimitVersion, BudgetAdjustment, Window, ScheduleException):
        entry = entries(things[model][0]).first()
        assert entry.name == "Spring sale"
        assert (entry.campaign_id, entry.brand_id) == (campaign.id, campaign.brand_id)


def test_what_belongs_to_a_brand_or_to_a_shared_schedule_goes_by_theirs(acme):
    brand = make_brand("Northwind", daily="100")
    shared = Schedule.objects.create(name="Office hours")
    window = Window.objects.create(
        schedule=shared, day_of_week=0, start_time="09:00", end_time="10:00"
    )
    limit = LimitVersion.objects.get()
    assert (entries(limit).get().name, entries(limit).get().brand_id) == ("Northwind", brand.id)
    assert (entries(window).get().name, entries(window).get().brand_id) == ("Office hours", None)


@contextmanager
def owner(agency):
    with owner_context(), tenant_context(agency):
        yield


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE trail_entry SET name = 'x'",
        "UPDATE trail_entry SET name = 'x' WHERE false",
        "DELETE FROM trail_entry",
        "TRUNCATE trail_entry",
        "SELECT set_config('pgtrigger.ignore', '{pgtrigger_unchangeable_6a54b}', true);"
        " DELETE FROM trail_entry",
    ],
)
def test_an_entry_is_never_changed_by_sql(acme, sql):
    """The agency's role may not, and who owns the table is refused by its trigger."""
    make_brand()
    before = Entry.objects.count()
    for who, refusal in ((nullcontext(), "permission denied"), (owner(acme), "append-only")):
        with (
            pytest.raises(DatabaseError, match=refusal),
            transaction.atomic(),
            who,
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)
        assert Entry.objects.count() == before


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: Entry.objects.update(name="x"),
        lambda entry: Entry.objects.all().delete(),
        lambda entry: entry.save(),
        lambda entry: entry.delete(),
    ],
    ids=["update", "delete", "save", "delete one"],
)
def test_an_entry_is_never_changed_by_the_orm(acme, change):
    make_brand()
    for who, refusal in ((nullcontext(), "permission denied"), (owner(acme), "append-only")):
        with pytest.raises(DatabaseError, match=refusal), transaction.atomic(), who:
            change(Entry.objects.first())


def test_nothing_makes_the_trail_look_away(acme):
    names = [f"pgtrigger_trail_row_{suffix}" for suffix in ("a5079", "50421")]
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'pgtrigger_%'")
        names += [name for (name,) in cursor.fetchall()]
        cursor.execute(
            "SELECT set_config('pgtrigger.ignore', %s, true)", [f"{{{','.join(names)}}}"]
        )
    assert entries(make_brand()).exists()
