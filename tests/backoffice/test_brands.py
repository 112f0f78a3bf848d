"""Brands: made, changed and removed through the services, and what they refuse on the form."""

from decimal import Decimal

import psycopg
import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client

from accounts.models import User
from accounts.roles import Role
from budgets.models import Brand
from budgets.services import current_limits, root_of
from budgets.terms import Limits
from campaigns.models import Campaign, Status
from tests.backoffice.conftest import errors_of, messages_of, page
from tests.backoffice.rows import make_spend
from tests.conftest import NOON, make_brand, make_campaign

NORTHWIND = {
    "name": "Northwind",
    "currency": "EUR",
    "time_zone": "Europe/Riga",
    "daily_budget": "100.50",
    "monthly_budget": "",
}


def _limits(brand: Brand) -> Limits:
    return current_limits(root_of(brand), on=NOON.date())


def test_a_brand_is_made_with_its_limits(acme, ann):
    response = ann.post(page(Brand, "add"), NORTHWIND, follow=True)
    brand = Brand.objects.get()
    assert "was added successfully" in messages_of(response)
    assert (brand.name, brand.currency, brand.time_zone) == ("Northwind", "EUR", "Europe/Riga")
    assert _limits(brand) == Limits(Decimal("100.50"), None)


def test_the_page_of_a_brand_shows_its_limits_in_its_currency(acme, ann):
    brand = make_brand(daily="100", currency="JPY")
    form = ann.get(page(Brand, "change", brand.pk)).context["adminform"].form
    assert str(form["daily_budget"].value()) == "100"


def test_only_what_changed_on_the_page_is_changed(acme, ann):
    brand = make_brand(daily="100", monthly="2000", currency="EUR", time_zone="Europe/Riga")
    said = {**NORTHWIND, "daily_budget": "150", "monthly_budget": "2000.00"}
    ann.post(page(Brand, "change", brand.pk), said)
    assert _limits(brand) == Limits(Decimal(150), Decimal(2000))


def test_raising_the_limit_resumes_what_it_held(acme, ann):
    brand = make_brand(daily="100", currency="EUR", time_zone="Europe/Riga")
    campaign = make_campaign(brand)
    make_spend(campaign, "100")
    assert Campaign.objects.get().status == Status.PAUSED
    ann.post(page(Brand, "change", brand.pk), {**NORTHWIND, "daily_budget": "200"})
    assert Campaign.objects.get().status == Status.ACTIVE


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "northWIND", "A brand named 'northWIND' is here already."),
        ("name", "", "This field is required."),
        ("name", "n\0", "Null characters are not allowed."),
        ("daily_budget", "-1", "A budget can't be negative."),
        ("daily_budget", "0.001", "An amount in EUR has at most 2 decimals."),
        ("daily_budget", "1.0000001", "Ensure that there are no more than 6 decimal places."),
        ("monthly_budget", "NaN", "Enter a number."),
        ("monthly_budget", "1e30", "Ensure that there are no more than 18 digits in total."),
        ("currency", "EUX", "Select a valid choice. EUX is not one of the available choices."),
        ("time_zone", "Mars/Base", "Select a valid choice."),
    ],
)
def test_a_bad_value_is_an_error_on_its_field(acme, ann, field, value, sentence):
    make_brand("Northwind")
    response = ann.post(page(Brand, "add"), {**NORTHWIND, "name": "Other", field: value})
    (error,) = errors_of(response)[field]
    assert error.startswith(sentence)
    assert Brand.objects.count() == 1


def test_a_currency_does_not_change_once_there_is_spend(acme, ann):
    brand = make_brand("Northwind")
    make_spend(make_campaign(brand))
    said = {**NORTHWIND, "name": "Renamed", "time_zone": "UTC"}
    response = ann.post(page(Brand, "change", brand.pk), said)
    assert "has spend in USD" in errors_of(response)["currency"][0]
    # Nothing of a refused page is stored, what would have been accepted neither.
    assert Brand.objects.get().name == "Northwind"
    assert not LogEntry.objects.exists()


def test_a_brand_that_somebody_else_changes_is_told_on_the_page(own_agency):
    brand = make_brand()
    owner = User.objects.create_user("own@own.example", role=Role.OWNER)
    client = Client(HTTP_HOST=f"{own_agency.slug}.localhost:8000")
    client.force_login(owner, "django.contrib.auth.backends.ModelBackend")
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute(f'SELECT 1 FROM "{own_agency.schema_name}".budgets_brand FOR UPDATE')
        response = client.post(page(Brand, "change", brand.pk), NORTHWIND)
    with connection.cursor() as cursor:
        cursor.execute("RESET lock_timeout")
    (error,) = response.context["adminform"].form.non_field_errors()
    assert error.startswith("Somebody else is changing the same things.")


def test_a_brand_without_spend_is_deleted(acme, ann):
    brand = make_brand()
    make_campaign(brand)
    address = page(Brand, "delete", brand.pk)
    assert "will be deleted" in ann.get(address).content.decode()
    response = ann.post(address, {"post": "yes"}, follow=True)
    assert messages_of(response) == "Northwind was deleted."
    assert not Brand.objects.exists()


def test_a_brand_with_spend_is_archived_and_says_so(acme, ann):
    brand = make_brand()
    make_spend(make_campaign(brand))
    address = page(Brand, "delete", brand.pk)
    assert "will be archived" in ann.get(address).content.decode()
    response = ann.post(address, {"post": "yes"}, follow=True)
    assert messages_of(response) == "Northwind was archived, since it has spend."
    assert Brand.objects.get().archived_at is not None
    assert LogEntry.objects.get().get_change_message() == "Archived."


def test_removing_several_tells_how_many_went_which_way(acme, ann):
    gone, kept = make_brand("Gone"), make_brand("Kept")
    make_spend(make_campaign(kept))
    chosen = {"action": "delete_selected", "_selected_action": [gone.pk, kept.pk]}
    asked = ann.post(page(Brand, "changelist"), chosen)
    assert "Remove the selected brands?" in asked.content.decode()
    assert Brand.objects.count() == 2
    response = ann.post(page(Brand, "changelist"), {**chosen, "post": "yes"}, follow=True)
    assert "1 brand deleted." in messages_of(response)
    assert "1 brand archived, since it has spend." in messages_of(response)
    assert Brand.objects.get() == kept


def test_an_archived_brand_is_listed_on_demand_and_changes_no_more(acme, ann):
    brand = make_brand()
    make_spend(make_campaign(brand))
    ann.post(page(Brand, "delete", brand.pk), {"post": "yes"})
    changes = page(Brand, "change", brand.pk)
    assert changes not in ann.get(page(Brand, "changelist")).content.decode()
    assert changes in ann.get(page(Brand, "changelist") + "?archived=yes").content.decode()
    assert ann.post(changes, NORTHWIND).status_code == 403


def test_the_list_shows_bars_and_campaigns(acme, ann):
    brand = make_brand(daily="100", monthly="1000")
    make_spend(make_campaign(brand, "One"), "85")
    make_campaign(brand, "Two", status="PAUSED")
    listed = ann.get(page(Brand, "changelist")).content.decode()
    assert 'class="bar bar-amber"' in listed
    assert "85.00 of 100.00 USD" in listed
    assert 'class="bar bar-green"' in listed
    assert "1 active, 1 paused" in listed


def test_a_viewer_reads_the_limits(acme, vic):
    brand = make_brand(daily="1234.5")
    assert "1,234.50 USD" in vic.get(page(Brand, "change", brand.pk)).content.decode()
