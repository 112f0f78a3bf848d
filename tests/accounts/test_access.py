"""What a caller may do and with which brands; keys never outdo or outlive who made them."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.access import Access
from accounts.keys import NOTED_SECONDS, make_key, note_use
from accounts.models import ApiKey, User, create_api_key, find_api_key
from accounts.roles import LIMITABLE, RIGHTS, Right, Role
from accounts.services import add_person, change_person
from budgets.models import Brand
from kernel.errors import InvalidValue, NotAllowed
from tenants.contexts import platform_context
from tests.conftest import NOBODY, NOON, make_brand

ONE, TWO = UUID(NOBODY), UUID("0195d9a1-0000-7000-8000-000000000002")


def ann() -> User:
    return User.objects.get(email="ann@acme.example")


def let_go(person: User, **changes) -> User:
    changes = {"role": Role(person.role), "is_active": False, "brand_ids": None, **changes}
    return change_person(user_id=person.id, name=person.name, now=NOON, **changes)


def test_every_role_tells_what_it_is_in_a_sentence():
    assert all(role.explanation.endswith(".") for role in Role)


@pytest.mark.parametrize(
    ("role", "lacks"),
    [
        (Role.BUYER, {Right.EDIT_BUDGETS, Right.EDIT_BRANDS, Right.MANAGE_PEOPLE}),
        (Role.FINANCE, {Right.EDIT_CAMPAIGNS, Right.EDIT_SCHEDULES, Right.EDIT_BRANDS}),
        (Role.CLIENT_VIEWER, set(Right) - {Right.VIEW}),
    ],
)
def test_a_role_lacks_what_is_not_its_work(role, lacks):
    assert not RIGHTS[role] & lacks


def test_who_is_limited_sees_the_named_brands_only():
    limited = Access.of(Role.BUYER, [ONE])
    assert limited.sees(ONE)
    assert not limited.sees(TWO)
    assert Access.of(Role.BUYER, None).sees(TWO)
    assert not Access.of(Role.CLIENT_VIEWER, []).sees(ONE)


def test_who_sees_all_pays_nothing(acme):
    rows = Brand.objects.all()
    assert Access.of(Role.VIEWER, None).narrow(rows, "id") is rows


@pytest.mark.parametrize(
    ("one", "other", "does"),
    [
        (Access.of(Role.MANAGER, None), Access.of(Role.OWNER, None), False),
        (Access.of(Role.OWNER, None), Access.of(Role.MANAGER, None), True),
        (Access.of(Role.FINANCE, None), Access.of(Role.BUYER, None), True),
        (Access.of(Role.BUYER, [ONE]), Access.of(Role.BUYER, [ONE, TWO]), False),
        (Access.of(Role.BUYER, [ONE, TWO]), Access.of(Role.BUYER, [ONE]), True),
        (Access.of(Role.VIEWER, None), Access.of(Role.BUYER, [ONE]), True),
    ],
)
def test_more_rights_or_more_brands_are_more(one, other, does):
    assert one.exceeds(other) is does


@pytest.mark.parametrize("role", [role for role in Role if role not in LIMITABLE])
def test_only_who_may_be_limited_is(acme, role):
    with pytest.raises(InvalidValue) as refused:
        add_person(email="new@acme.example", role=role, brand_ids=[ONE])
    assert refused.value.field == "brands"


@pytest.mark.parametrize("brand_ids", [None, []])
def test_a_client_without_a_brand_is_refused(acme, brand_ids):
    with pytest.raises(InvalidValue):
        add_person(email="new@acme.example", role=Role.CLIENT_VIEWER, brand_ids=brand_ids)


def test_the_database_refuses_a_client_who_sees_all(acme):
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("new@acme.example", role=Role.CLIENT_VIEWER)


def test_a_key_never_does_more_than_its_maker(acme):
    owner = ann()
    User.objects.filter(id=owner.id).update(role=Role.MANAGER)
    with pytest.raises(NotAllowed):
        make_key(name="Probe", role=Role.VIEWER, maker=owner, now=NOON)


@pytest.mark.parametrize("brand_ids", [None, []])
def test_a_clients_key_names_its_brands(acme, brand_ids):
    with pytest.raises(InvalidValue):
        make_key(name="Probe", role=Role.CLIENT_VIEWER, brand_ids=brand_ids, maker=ann(), now=NOON)


def test_a_key_goes_with_who_made_it(acme):
    two = add_person(email="two@acme.example", role=Role.OWNER)
    _, own = make_key(name="Hers", role=Role.VIEWER, maker=two, now=NOON)
    _, other = make_key(name="Ann's", role=Role.VIEWER, maker=ann(), now=NOON)
    _, operators = make_key(name="The operator's", role=Role.VIEWER, maker=None, now=NOON)
    let_go(two)
    assert find_api_key(own, now=NOON) is None
    assert find_api_key(other, now=NOON)
    assert find_api_key(operators, now=NOON)


def test_a_lesser_role_ends_the_keys_that_exceed_it(acme):
    two = add_person(email="two@acme.example", role=Role.OWNER)
    _, more = make_key(name="More", role=Role.MANAGER, maker=two, now=NOON)
    _, less = make_key(name="Less", role=Role.VIEWER, maker=two, now=NOON)
    let_go(two, role=Role.BUYER, is_active=True)
    assert find_api_key(more, now=NOON) is None
    assert find_api_key(less, now=NOON)
    assert "another role" in ApiKey.objects.get(name="More").revoked_because


def found(secret: str) -> ApiKey:
    key = find_api_key(secret, now=NOON)
    assert key is not None
    return key


def test_the_use_of_a_key_is_noted_once_a_minute(acme):
    key, secret = create_api_key(name="probe", role=Role.VIEWER)
    minute = timedelta(seconds=NOTED_SECONDS)
    for passed in (timedelta(), minute / 2, minute - timedelta(microseconds=1)):
        note_use(found(secret), now=NOON + passed)
        assert ApiKey.objects.get(id=key.id).last_used_at == NOON
    note_use(found(secret), now=NOON + minute)
    assert ApiKey.objects.get(id=key.id).last_used_at == NOON + minute


def test_a_key_that_was_just_noted_writes_nothing(acme):
    _, secret = create_api_key(name="probe", role=Role.VIEWER)
    note_use(found(secret), now=NOON)
    with CaptureQueriesContext(connection) as asked:
        note_use(found(secret), now=NOON)
    assert len(asked) == 1  # The one that finds the key.


def command(*words: str, capsys) -> str:
    with platform_context():
        call_command("create_api_key", "--agency", "acme", "--name", "probe", *words)
    return capsys.readouterr().out.splitlines()[-1]


def test_the_command_limits_a_key_to_brands_by_name_or_id(acme, capsys):
    one, two = make_brand("Northwind"), make_brand("Contoso")
    words = ["--role", "buyer", "--brand", "northwind", "--brand", str(two.id)]
    key = find_api_key(command(*words, capsys=capsys), now=NOON)
    assert key
    assert set(key.brand_ids or ()) == {one.id, two.id}


@pytest.mark.parametrize("said", ["2099-12-31", "2100-01-01T00:00Z"])
def test_the_command_lets_a_key_expire(acme, capsys, said):
    key = find_api_key(command("--expires", said, capsys=capsys), now=NOON)
    assert key
    assert key.expires_at
    assert key.expires_at.isoformat() == "2100-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--brand", "Nobody"], "no brand"),
        (["--brand", NOBODY], "no brand"),
        (["--role", "client_viewer"], "at least one brand"),
        (["--expires", "soon"], "no day"),
        (["--expires", "2099-12-31T10:00"], "lacks its offset"),
        (["--expires", "2001-01-01"], "can't have expired"),
    ],
)
def test_the_command_says_what_is_wrong(acme, capsys, words, told):
    with pytest.raises(CommandError, match=told):
        command(*words, capsys=capsys)
    assert not ApiKey.objects.exists()
