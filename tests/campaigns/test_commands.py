"""Every command by hand: one line an agency with its counters, a total, and 1 where one failed."""

import io
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from budgets.models import Brand, SpendEntry, SpendTotal
from campaigns import sweep
from campaigns.models import Campaign, Hold, StatusChange
from campaigns.services import brands
from campaigns.services.spend import NewSpend, record_spend
from kernel import clock
from tenants.contexts import current_agency, owner_context, platform_context, tenant_context
from tests.conftest import ANN, NOON, make_brand, make_campaign

LATER = "2026-03-03T09:00:00+00:00"
PASSES = ["enforce_budgets", "enforce_dayparting", "reset_spends"]


def run(*words, err=None):
    out = io.StringIO()
    with platform_context():
        call_command(*words, stdout=out, stderr=err or io.StringIO())
    return out.getvalue()


@pytest.fixture
def spent(acme, monkeypatch):
    """A campaign of Acme that its brand's daily budget holds, on Monday noon."""
    campaign = make_campaign(make_brand(daily="50"))
    spend = NewSpend(campaign.id, Decimal(50), NOON.date())
    record_spend(spend=spend, now=NOON, by=ANN)
    monkeypatch.setattr(clock, "read", lambda: NOON + timedelta(days=1))
    return campaign


@pytest.mark.parametrize("command", PASSES)
def test_a_pass_tells_its_counters_and_changes_nothing_the_second_time(spent, command):
    told = run(command, "--agency", "acme")
    line = "checked=1 paused_daily=0 paused_monthly=0 paused_daypart=0 paused_flight=0"
    assert told.splitlines() == [
        f"acme: {line} reactivated=1 errors=0",
        f"total: {line} reactivated=1 errors=0",
    ]
    assert Campaign.objects.get(id=spent.id).status == "ACTIVE"
    assert "reactivated=0" in run(command, "--agency", "acme")


def test_resetting_changes_no_total(spent):
    before = list(SpendTotal.objects.values_list("budget", "day", "daily_amount"))
    run("reset_spends", "--both")
    assert list(SpendTotal.objects.values_list("budget", "day", "daily_amount")) == before


def test_only_the_brands_whose_month_turned_are_decided_by_a_monthly_reset(spent):
    assert "checked=0" in run("reset_spends", "--monthly", "--agency", "acme")
    assert Campaign.objects.get(id=spent.id).status == "PAUSED"
    assert "checked=1" in run("reset_spends", "--daily", "--agency", "acme")


def test_as_of_an_instant_it_only_tells_unless_it_is_told_to_apply(spent):
    told = run("enforce_budgets", "--agency", "acme", "--at", LATER)
    assert "would change Search: PAUSED → ACTIVE (nothing holds it)" in told
    assert Campaign.objects.get(id=spent.id).status == "PAUSED"
    run("enforce_budgets", "--agency", "acme", "--at", LATER, "--apply")
    assert Campaign.objects.get(id=spent.id).status == "ACTIVE"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--at", "2026-03-03T09:00:00"], "no instant with an offset"),
        (["--at", "noon"], "no instant with an offset"),
        (["--apply"], "--apply goes with --at"),
        (["--agency", "nobody"], "No agency has the slug 'nobody'"),
    ],
)
def test_bad_options_are_named(world, words, message):
    with pytest.raises(CommandError, match=message):
        run("enforce_budgets", *words)


def test_an_agency_that_failed_makes_the_command_fail_after_the_others(spent, zeta, monkeypatch):
    real = sweep.all_brands

    def broken():
        if not Brand.objects.exists():
            raise RuntimeError("Zeta is broken")
        return real()

    monkeypatch.setattr(sweep, "all_brands", broken)
    with pytest.raises(CommandError, match="1 of 2 agencies failed") as failure:
        run("enforce_budgets")
    assert failure.value.returncode == 1
    assert Campaign.objects.get(id=spent.id).status == "ACTIVE"


def test_the_statuses_are_told_with_holds_and_spend_and_nothing_is_changed(spent):
    rows = (Hold.objects.count(), StatusChange.objects.count())
    told = run("check_campaign_statuses", "--agency", "acme", "--at", "2026-03-02T20:00:00Z")
    assert "Northwind / Search" in told
    assert "PAUSED" in told
    assert "daily budget of Northwind spent, 50.00 of 50.00 USD. Resumes 00:00 UTC." in told
    assert "1 campaigns, 1 held" in told
    assert (Hold.objects.count(), StatusChange.objects.count()) == rows


def test_the_audit_finds_each_kind_of_damage(spent):
    assert "violations=0" in run("audit_ledger", "--agency", "acme")
    damages = [
        ("I1", lambda: SpendTotal.objects.filter(budget=spent.budget_id).update(daily_amount=1)),
        ("I2", lambda: Hold.objects.update(released_at=NOON)),
        ("I3", lambda: Campaign.objects.update(status="INACTIVE")),
        ("I4", lambda: _delete_as_owner(StatusChange.objects.filter(version=1))),
    ]
    for invariant, damage in damages:
        damage()
        err = io.StringIO()
        with platform_context(), pytest.raises(CommandError):
            call_command("audit_ledger", "--agency", "acme", stdout=io.StringIO(), stderr=err)
        assert f"acme: {invariant}: " in err.getvalue()


def _delete_as_owner(rows):
    agency = current_agency()
    with owner_context(), tenant_context(agency):
        rows.delete()


FILE = """day,name,id,cost
03/01/2026,Search,17,10.50
03/02/2026,Search,17,20
03/01/2026,Video,18,0
"""
COLUMNS = "--map=date=day,campaign=name,campaign_external_id=id,amount=cost"


def run_import(tmp_path, text, *words):
    file = tmp_path / "spend.csv"
    file.write_text(text)
    options = ("--agency", "acme", "--brand", "Northwind", "--date-format", "%m/%d/%Y")
    err = io.StringIO()
    try:
        return run("import_spend", str(file), *options, COLUMNS, *words, err=err)
    except CommandError as error:
        return f"{err.getvalue()}{error}"


def test_a_file_is_imported_once(acme, tmp_path):
    assert "3 rows imported, 0 known, 2 campaigns made" in run_import(tmp_path, FILE)
    assert "0 rows imported, 3 known, 0 campaigns made" in run_import(tmp_path, FILE)
    assert SpendEntry.objects.count() == 3
    assert set(Campaign.objects.values_list("name", "external_id")) == {
        ("Search", "17"),
        ("Video", "18"),
    }


def test_a_file_finds_the_brands_campaigns_by_external_id_and_by_name(acme, tmp_path):
    brand = make_brand()
    renamed = make_campaign(brand, "Renamed", external_id="17")
    run_import(tmp_path, FILE)
    assert SpendEntry.objects.filter(budget=renamed.budget_id).count() == 2


def test_every_bad_value_is_named_with_line_and_column_and_nothing_is_stored(acme, tmp_path):
    text = FILE + "2026-03-01,Search,17,x\n03/01/2026,,19,-1\n03/02/2026,Search,17,9,extra\n"
    told = run_import(tmp_path, text)
    for bad in (
        "line 5, column day: '2026-03-01' is no date",
        "line 5, column cost: 'x' is no amount",
        "line 6, column cost: a spend can't be negative",
        "line 6, column name: the campaign's name is missing",
        "line 7, column -: the line has more values",
        "5 bad values; nothing was stored",
    ):
        assert bad in told
    assert not Brand.objects.exists()


def test_a_line_that_repeats_anothers_key_is_refused(acme, tmp_path):
    told = run_import(tmp_path, FILE + "03/02/2026,Search,17,5\n")
    assert "line 5, column -: it repeats the campaign, date and type of line 3" in told
    assert not SpendEntry.objects.exists()


def test_a_line_refused_by_the_ledger_takes_brand_and_campaigns_back(acme, tmp_path):
    told = run_import(tmp_path, FILE + "03/02/2199,Search,17,5\n")
    assert "line 5, column day: 2199-03-02 is after" in told
    assert not Brand.objects.exists()


def test_the_same_line_with_another_amount_is_a_conflict(acme, tmp_path):
    run_import(tmp_path, FILE)
    told = run_import(tmp_path, FILE.replace("20\n", "21\n"))
    assert "line 3, column cost" in told
    assert SpendEntry.objects.count() == 3


def test_a_column_that_is_not_there_is_named(acme, tmp_path):
    told = run_import(tmp_path, FILE.replace("cost", "price"))
    assert "the file has no column cost" in told


GOOGLE = """Campaign report
"March 1, 2026 - March 2, 2026"
Campaign\tDay\tCurrency code\tCost
Search\t2026-03-01\tUSD\t1,234.56
Video\t2026-03-02\tUSD\t --
Total: Account\t --\tUSD\t1,234.56
"""


def import_google(tmp_path, text, *words):
    file = tmp_path / "Campaign report.csv"
    file.write_bytes(text.encode("utf-16"))
    return run(
        "import_spend", str(file), "--agency", "acme", "--brand", "Northwind", *words,
        "--map", "date=Day,campaign=Campaign,amount=Cost",
    )  # fmt: skip


def test_a_download_of_google_ads_is_imported_as_it_came(acme, tmp_path):
    told = import_google(tmp_path, GOOGLE)
    assert "2 rows imported, 0 known, 2 campaigns made" in told
    assert "totals passed over on line 6" in told
    assert set(SpendEntry.objects.values_list("amount", flat=True)) == {0, Decimal("1234.56")}


def test_a_download_of_a_source_that_restates_says_as_of_when(acme, tmp_path):
    words = ("--source", "google", "--mode", "restate", "--as-of")
    import_google(tmp_path, GOOGLE, *words, "2026-03-02T08:00:00Z")
    text = GOOGLE.replace("1,234.56", "1,230.00")
    told = import_google(tmp_path, text, *words, "2026-03-02T09:00:00Z")
    assert "0 rows imported, 1 known, 1 restated, 0 stale, 0 campaigns made" in told
    assert sum(SpendEntry.objects.values_list("amount", flat=True)) == 1230


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--mode", "restate"], "--mode restate and --as-of go together"),
        (["--as-of", LATER], "--mode restate and --as-of go together"),
        (["--additional"], "--additional goes with --mode restate"),
        (["--decimal-mark", ","], "1 bad values"),
    ],
)
def test_bad_options_of_an_import_are_named(acme, tmp_path, words, message):
    with pytest.raises(CommandError, match=message):
        import_google(tmp_path, GOOGLE, *words)
    assert not Brand.objects.exists()


@pytest.mark.parametrize(("mark", "amount"), [(".", "1.234"), (",", "1234")])
def test_an_amount_that_could_be_two_is_what_the_decimal_mark_makes_it(
    acme, tmp_path, mark, amount
):
    text = FILE.replace("10.50", "1.234")
    assert "line 2, column cost: '1.234' could be 1234 or 1.234" in run_import(tmp_path, text)
    run_import(tmp_path, text, "--decimal-mark", mark)
    assert SpendEntry.objects.filter(amount=Decimal(amount)).count() == 1


def test_a_daily_budget_tells_who_would_have_been_held(acme, tmp_path, monkeypatch):
    run_import(tmp_path, FILE)
    brand = Brand.objects.get()
    brands.update_brand(
        brand_id=brand.id, changes={"daily_budget": Decimal(10)}, now=clock.read(), by=ANN
    )
    told = run("check_campaign_statuses", "--agency", "acme", "--at", "2026-03-01T20:00:00Z")
    assert "2 campaigns, 2 held" in told
    assert "10.50 of 10.00 USD" in told


def test_zeta_sees_nothing_of_an_import_into_acme(acme, zeta, tmp_path):
    run_import(tmp_path, FILE)
    with tenant_context(zeta):
        assert not SpendEntry.objects.exists()


def test_without_an_instant_what_is_stored_is_told(spent):
    Campaign.objects.update(status="ACTIVE")
    told = run("check_campaign_statuses", "--agency", "acme")
    assert "ACTIVE" in told
    assert "Paused since 2 Mar 12:00: daily budget of Northwind spent" in told
