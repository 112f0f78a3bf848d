"""`seed_data` fills agencies in bulk, and what it leaves is as if the services had made it."""

from collections import Counter
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from budgets.models import Brand, Budget, SpendEntry, SpendTotal
from campaigns.audit import audit
from campaigns.enforcement import enforce_delivery
from campaigns.models import Campaign, Status, StatusChange
from dayparting.models import Window
from demo.seeding import Seeded, SeedPlan, seed_agency
from kernel.actor import SYSTEM
from tenants.contexts import platform_context, tenant_context
from tenants.models import Agency
from tests.conftest import NOON, PASSWORD, make_brand


@pytest.fixture
def seed_data(world, settings, tmp_path):
    """Return a function that runs the command and returns its lines."""
    settings.PACELINE_HOME = tmp_path
    settings.PACELINE_DEMO_PASSWORD = ""

    def run(*words: str) -> list[str]:
        out = StringIO()
        with platform_context():
            call_command("seed_data", *words, stdout=out)
        return out.getvalue().splitlines()

    return run


def sow(now=NOON, **numbers) -> Seeded:
    plan = SeedPlan(**{"brands": 2, "campaigns_per_brand": 4, "days": 3} | numbers)
    return seed_agency(plan=plan, now=now, by=SYSTEM)


def test_it_makes_what_the_plan_says(acme):
    assert sow() == Seeded(brands=2, campaigns=8, windows=56, entries=24)
    assert Brand.objects.count() == 2
    assert Campaign.objects.filter(is_live=True).count() == 8
    assert Window.objects.count() == 56
    assert SpendEntry.objects.count() == 24
    kinds = Counter(Budget.objects.values_list("kind", flat=True))
    assert kinds == {"root": 2, "group": 2, "leaf": 8}


def test_every_invariant_holds_and_nothing_is_left_to_decide(acme):
    sow(brands=8, campaigns_per_brand=30, days=5)
    assert audit().violations == []
    assert Campaign.objects.exclude(status=Status.ACTIVE).exists()
    brands = {brand.id: brand for brand in Brand.objects.select_for_update()}
    assert enforce_delivery(brands, now=NOON, by=SYSTEM).differences == []


def test_each_nodes_total_is_the_sum_of_the_entries_below_it(acme):
    sow()
    for brand in Brand.objects.all():
        for node in brand.budgets.all():
            leaves = [leaf for leaf in brand.budgets.filter(kind="leaf") if is_below(leaf, node)]
            entries = SpendEntry.objects.filter(budget__in=leaves).order_by("day")
            sums = entries.values_list("day").annotate(Sum("amount"))
            totals = SpendTotal.objects.filter(budget=node).order_by("day")
            assert list(sums) == list(totals.values_list("day", "daily_amount"))


def is_below(leaf: Budget, node: Budget) -> bool:
    chain = {leaf.id, leaf.parent_id}
    if leaf.parent is not None:
        chain.add(leaf.parent.parent_id)
    return node.id in chain


def test_each_campaign_has_a_first_status_change(acme):
    sow()
    assert set(StatusChange.objects.values_list("version", "from_status")) == {(1, "")}
    assert StatusChange.objects.count() == 8


def test_it_takes_the_same_statements_for_any_number_of_campaigns(acme, world):
    counts = []
    # Enough in both that the ledger takes its lines by COPY.
    for agency, campaigns in ((world.acme, 30), (world.zeta, 60)):
        with tenant_context(agency), CaptureQueriesContext(connection) as queries:
            sow(brands=3, campaigns_per_brand=campaigns)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_same_seed_draws_the_same_money_and_another_another(acme, world):
    def total() -> Decimal:
        return SpendEntry.objects.aggregate(Sum("amount"))["amount__sum"]

    sow(seed=5)
    first = total()
    with tenant_context(world.zeta):
        sow(seed=5)
        assert total() == first
    sow(brands=4, seed=6)
    assert total() != 2 * first


def test_a_second_seeding_adds_only_what_is_missing(acme):
    sow()
    before = set(SpendEntry.objects.values_list("id", flat=True))
    assert sow() == Seeded(known_brands=2)
    assert sow(brands=3) == Seeded(known_brands=2, brands=1, campaigns=4, windows=28, entries=12)
    assert set(SpendEntry.objects.values_list("id", flat=True)) > before
    assert audit().violations == []


def test_what_is_there_of_somebody_elses_is_left_as_it_is(acme):
    brand = make_brand(daily="100")
    decided_at = brand.decided_at
    sow()
    brand.refresh_from_db()
    assert brand.decided_at == decided_at


def test_no_days_is_no_spend(acme):
    assert sow(days=0).entries == 0
    assert audit().violations == []


def test_without_arguments_it_makes_two_agencies(seed_data):
    lines = seed_data()
    assert lines[1].startswith("seed-1: 3 brands, 15 campaigns, 105 windows, 450 spends; http://")
    assert lines[3].startswith("seed-2: 3 brands, 15 campaigns, 105 windows, 450 spends; http://")
    assert lines[4].startswith("Total: 6 brands, 30 campaigns, 210 windows, 900 spends; ")
    with platform_context():
        agencies = list(Agency.objects.filter(slug__startswith="seed-"))
    for agency in agencies:
        with tenant_context(agency):
            owner = User.objects.get()
            assert (owner.email, owner.role) == (f"owner@{agency.slug}.example", "owner")
            assert not owner.has_usable_password()
            assert audit().violations == []


def test_an_owner_gets_the_demos_password_or_a_link(seed_data, settings):
    numbers = ("--brands=1", "--campaigns-per-brand=1")
    [link, *_] = seed_data("--agencies=1", *numbers)
    assert link.startswith("seed-1: owner@seed-1.example sets the password here, once: http://")
    settings.PACELINE_DEMO_PASSWORD = PASSWORD
    lines = seed_data("--agencies=2", *numbers)
    assert lines[0].startswith(
        "seed-1: 0 brands, 0 campaigns, 0 windows, 0 spends (besides 1 brand);"
    )
    assert lines[1] == "seed-2: owner@seed-2.example logs in with the demo's password."
    with platform_context():
        second = Agency.objects.get(slug="seed-2")
    with tenant_context(second):
        assert User.objects.get().check_password(PASSWORD)


def test_it_fills_one_agency_and_lets_nobody_in(seed_data, world):
    lines = seed_data("--agency=zeta", "--brands=1", "--campaigns-per-brand=2", "--days=1")
    assert lines[0] == (
        "zeta: 1 brand, 2 campaigns, 14 windows, 2 spends; http://zeta.localhost:8000/"
    )
    assert len(lines) == 2
    with tenant_context(world.zeta):
        assert [user.email for user in User.objects.all()] == ["zoe@zeta.example"]
    with tenant_context(world.acme):
        assert not Brand.objects.exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--agencies=0"], "argument --agencies: must be 1 or more, not 0"),
        (["--brands=-1"], "argument --brands: must be 1 or more, not -1"),
        (["--campaigns-per-brand=0"], "argument --campaigns-per-brand: must be 1 or more"),
        (["--days=-1"], "argument --days: must be 0 or more, not -1"),
        (["--days=a"], "argument --days: 'a' is no whole number"),
        (["--agency=nobody"], "No agency has the slug 'nobody'"),
        (["--agency=acme", "--agencies=2"], "not allowed with argument"),
    ],
)
def test_bad_arguments_are_named(seed_data, words, complaint):
    with pytest.raises(CommandError, match=complaint):
        seed_data(*words)
