"""`create_demo` makes what is missing, leaves alone what is not its own, and prints what works."""

import stat
from datetime import time

import pytest
from django.core.management import CommandError
from django.db.models import F
from django.test import Client

from accounts.models import ApiKey, User, find_api_key
from accounts.roles import Role
from budgets.models import Brand, LimitVersion, SpendEntry
from budgets.queries import figures_on
from campaigns.audit import audit
from campaigns.models import Campaign, Hold, Reason, Status
from campaigns.queries import brand_days
from dayparting.models import Window
from demo.cast import ACME, AGENCIES
from demo.keys import KEY_NAME, agencies_with_keys, read_key
from kernel import clock
from tenants.contexts import platform_context, tenant_context
from tenants.models import Agency, Domain
from tenants.services import create_agency
from tests.conftest import PASSWORD
from tests.demo.conftest import MINI, agency_of

# Whom the demo lets in.
ROLES = (Role.OWNER, Role.MANAGER, Role.VIEWER)


def log_in(email: str, password: str, slug: str = "mini") -> bool:
    """Log in as a person does, on the agency's own page; return whether it let him in."""
    client = Client(HTTP_HOST=f"{slug}.localhost:8000")
    answer = client.post("/accounts/login/", {"login": email, "password": password})
    return answer.status_code == 302


@pytest.mark.usefixtures("clean_cache")
def test_the_log_ins_that_it_prints_work(create_demo):
    line = create_demo().strip()
    assert line == (
        "Mini Ads: http://mini.localhost:8000/  owner@mini.example manager@mini.example"
        " viewer@mini.example  password: first password"
    )
    for role in ROLES:
        assert log_in(f"{role}@mini.example", "first password")
    with tenant_context(agency_of(MINI)):
        assert set(User.objects.values_list("email", "role")) == {
            (f"{role}@mini.example", role) for role in ROLES
        }


@pytest.mark.usefixtures("clean_cache")
def test_another_password_is_given_to_the_demos_people_and_to_nobody_else(create_demo):
    create_demo()
    with tenant_context(agency_of(MINI)):
        User.objects.create_user("guest@mini.example", PASSWORD, role=Role.VIEWER)
    assert "password: second password" in create_demo(password="second password")
    assert log_in("owner@mini.example", "second password")
    assert not log_in("owner@mini.example", "first password")
    assert log_in("guest@mini.example", PASSWORD)


def test_a_person_who_was_switched_off_is_not_printed(create_demo):
    create_demo()
    with tenant_context(agency_of(MINI)):
        User.objects.filter(email="viewer@mini.example").update(is_active=False)
    assert "viewer@mini.example" not in create_demo()


def test_a_second_run_changes_nothing(create_demo):
    first = create_demo()
    key = read_key("mini")
    with tenant_context(agency_of(MINI)):
        before = list(SpendEntry.objects.order_by("id").values())
        hashes = list(User.objects.values_list("password", flat=True))
    assert create_demo() == first
    assert read_key("mini") == key
    with tenant_context(agency_of(MINI)):
        assert list(SpendEntry.objects.order_by("id").values()) == before
        assert list(User.objects.values_list("password", flat=True)) == hashes
        assert Brand.objects.count() == 1


def test_an_agency_that_somebody_else_made_is_left_alone(create_demo, world):
    assert create_demo(ACME) == (
        "Acme Media: http://acme.localhost:8000/ is no demo agency; it is left alone.\n"
    )
    assert agencies_with_keys() == []
    with tenant_context(world.acme):
        assert not Brand.objects.exists()
        assert not ApiKey.objects.exists()
        assert User.objects.get(email="ann@acme.example").check_password(PASSWORD)


def test_an_agency_without_anything_in_it_is_filled(create_demo):
    with platform_context():
        create_agency(name=MINI.name, slug=MINI.slug)
    assert "password:" in create_demo()
    with tenant_context(agency_of(MINI)):
        assert SpendEntry.objects.exists()


def test_an_agency_that_a_crash_left_without_tables_is_made_anew(create_demo):
    with platform_context():
        broken = Agency.objects.create(name=MINI.name, slug=MINI.slug)
        Domain.objects.create(domain=MINI.slug, tenant=broken, is_primary=True)
    assert "password:" in create_demo()
    assert agency_of(MINI).schema_name != broken.schema_name


def test_an_agency_that_somebody_is_making_is_not_touched(create_demo):
    with platform_context():
        theirs = Agency.objects.create(name="Their name", slug=MINI.slug)
        # Just now, by the clock that decides whether its maker was killed.
        Agency.objects.filter(pk=theirs.pk).update(created_at=clock.read())
    assert create_demo() == "Mini Ads: not made. The address 'mini' is in use.\n"
    assert agency_of(MINI) == theirs


def test_the_simulators_key_is_in_a_private_file_and_in_clear_nowhere_else(create_demo, tmp_path):
    out = create_demo()
    file = tmp_path / "demo" / "mini.key"
    secret = file.read_text().strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert secret not in out
    with tenant_context(agency_of(MINI)):
        key = find_api_key(secret, now=clock.read())
        assert key is not None
        assert key.role == Role.MANAGER
        assert secret not in str(ApiKey.objects.values_list().get())


@pytest.mark.parametrize("loss", ["file", "content", "revoked"])
def test_a_lost_key_is_replaced_and_the_old_one_revoked(create_demo, tmp_path, loss):
    create_demo()
    file = tmp_path / "demo" / "mini.key"
    old = file.read_text().strip()
    with tenant_context(agency_of(MINI)):
        match loss:
            case "file":
                file.unlink()
            case "content":
                file.write_text("nonsense\n")
            case "revoked":
                ApiKey.objects.update(revoked_at=clock.read())
    create_demo()
    new = read_key("mini")
    with tenant_context(agency_of(MINI)):
        assert find_api_key(old, now=clock.read()) is None
        assert new is not None
        assert find_api_key(new, now=clock.read()) is not None
        assert ApiKey.objects.filter(name=KEY_NAME, revoked_at=None).count() == 1


def test_without_a_password_it_says_what_to_set(create_demo):
    with pytest.raises(CommandError, match="PACELINE_DEMO_PASSWORD is not set"):
        create_demo(password="")
    with platform_context():
        assert not Agency.objects.filter(slug=MINI.slug).exists()


def test_a_sold_out_day_was_held_from_its_report_to_the_brands_midnight(create_demo):
    create_demo()
    with tenant_context(agency_of(MINI)):
        brand = Brand.objects.get()
        holds = Hold.objects.filter(reason=Reason.DAILY_BUDGET, campaign__name="Search")
        [hold] = holds.exclude(released_at=None)
        day = brand.calendar.today(hold.placed_at)
        assert brand.calendar.local(hold.placed_at).time() == time(16, 45)
        assert hold.released_at == brand.calendar.next_day(hold.placed_at)
        assert hold.spent is not None
        assert hold.spent >= 100
        assert (brand.calendar.today(hold.released_at) - day).days == 1


@pytest.mark.parametrize("plan", AGENCIES, ids=lambda plan: plan.slug)
def test_the_real_cast_shows_what_it_promises(create_demo, plan, world):
    # The known world has an Acme of its own.
    with platform_context():
        Agency.objects.filter(slug="acme").update(slug="acme-of-the-tests")
        Domain.objects.filter(domain="acme").delete()
    create_demo(plan)
    with tenant_context(agency_of(plan)):
        assert audit().violations == []
        now = clock.read()
        brands = list(Brand.objects.all())
        assert len({brand.currency for brand in brands}) >= 3
        assert len({brand.time_zone for brand in brands}) >= 3
        figures = figures_on(brand_days(brands, now=now), now=now).values()
        assert any(f.limits.daily and 0.8 <= f.spent.today / f.limits.daily < 1 for f in figures)
        holds = Hold.objects.filter(released_at=None)
        assert holds.filter(reason=Reason.MANUAL, placed_by_kind="person").exists()
        assert holds.filter(reason=Reason.FLIGHT, until=None).exists(), "one has ended"
        assert holds.filter(reason=Reason.FLIGHT, until__gt=now).exists(), "one is to come"
        assert (
            Window.objects.filter(start_time__gt=F("end_time")).exclude(end_time=time(0)).exists()
        ), "one runs overnight"
        limited = LimitVersion.objects.exclude(daily_limit=None, monthly_limit=None)
        assert set(limited.values_list("budget__kind", flat=True)) == {"root", "group", "leaf"}
        assert len(set(SpendEntry.objects.values_list("source", flat=True))) >= 3
        span = set(SpendEntry.objects.values_list("day", flat=True))
        assert (max(span) - min(span)).days >= 30
        fast = Campaign.objects.filter(external_id__startswith="pulse-")
        assert fast.count() == 2
        assert set(fast.values_list("status", flat=True)) <= {Status.ACTIVE, Status.PAUSED}
