"""The lists of both admins answer the lookups that they offer, and no others."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin import ModelAdmin
from django.db.models import Field, Model
from django.test import RequestFactory

from accounts.models import User
from backoffice.sites import OwnSite, agency_site, platform_site
from budgets.models import SpendEntry
from dayparting.models import SharedSchedule

from .conftest import page

LOOKUPS = ("", "__exact", "__startswith", "__regex", "__gt", "__isnull", "__in", "__year")
# What the lists name, by model: everything else is refused. A new filter is written down here.
OFFERED = {
    "accounts.user": {"role__exact", "role__isnull", "is_active__exact", "is_active__isnull"},
    "accounts.apikey": {"role__exact", "role__isnull"},
    "budgets.brand": {"currency", "currency__isnull", "time_zone", "time_zone__isnull"},
    "budgets.budget": {"kind__exact", "kind__isnull"},
    "campaigns.campaign": {"status__exact", "status__isnull", "platform", "platform__isnull"},
    "budgets.spendentry": {
        "kind__exact", "kind__isnull", "spend_type__exact", "spend_type__isnull", "day__year",
    },
    "campaigns.hold": {"reason__exact", "reason__isnull"},
    "tenants.agency": {"is_active__exact", "is_active__isnull"},
}  # fmt: skip
EVERY = [
    (site, admin) for site in (agency_site, platform_site) for admin in site._registry.values()
]


def paths_of(model: type[Model], depth: int = 2) -> Iterator[str]:
    """Yield the path to each field and relation, also of other rows, so many steps far."""
    for field in model._meta.get_fields(include_hidden=True):
        name = field.name if isinstance(field, Field) else field.get_accessor_name() or field.name
        names = {field.name, name.rstrip("+")}
        for one in names:
            yield one
            if depth > 1 and field.is_relation and isinstance(field.related_model, type):
                yield from (f"{one}__{rest}" for rest in paths_of(field.related_model, depth - 1))


@pytest.mark.parametrize(("site", "admin"), EVERY, ids=lambda one: str(one))
def test_a_list_takes_the_lookups_that_it_offers(acme, site, admin):
    request = RequestFactory().get("/")
    request.user = User(role="owner")
    asked = {path + lookup for path in paths_of(admin.model) for lookup in LOOKUPS}
    asked |= {"pk", "pk__in", "id__in", "password__startswith", "nonsense"}
    filters = {
        getattr(item, "parameter_name", None)
        for item in admin.get_list_filter(request)
        if isinstance(item, type)
    }
    taken = {lookup for lookup in asked if admin.lookup_allowed(lookup, "1", request)} - filters
    offered = OFFERED.get(admin.opts.label_lower, set())
    own = {
        name for name in offered if site is agency_site or admin.opts.label_lower != "accounts.user"
    }
    if "django_celery_beat" not in admin.opts.label_lower:
        assert taken == own
    assert len(asked) > 12


@pytest.mark.parametrize(("site", "admin"), EVERY, ids=lambda one: str(one))
def test_what_is_not_offered_leads_back_to_the_list(acme, ann, pat, site: OwnSite, admin: Any):
    client = ann if site is agency_site else pat
    address = page(admin.model, "changelist", site=site)
    for field in admin.model._meta.get_fields():
        for lookup in ("__startswith", "__regex", "__gt"):
            answer = client.get(address, {f"{field.name}{lookup}": "a"})
            assert (answer.status_code, answer["Location"]) == (302, f"{address}?e=1"), field.name


def test_a_hash_is_not_read_letter_by_letter(acme, ann):
    person = User.objects.get(email="max@acme.example")
    for guess in (person.password[:10], "nothing"):
        said = {"email__exact": person.email, "password__startswith": guess}
        assert ann.get(page(User, "changelist"), said).status_code == 302


def test_a_viewer_finds_no_rows_by_their_relations(acme, vic):
    for lookup in ("users__gt", "users__id__gt", "users__campaign__brand__name__startswith"):
        assert vic.get(page(SharedSchedule, "changelist"), {lookup: "0"}).status_code == 302


@pytest.mark.parametrize("number", ["9" * 14, "9" * 5000, "-1", "1.5", "١", "", "x", "\0"])
@pytest.mark.parametrize("part", ["year", "month", "day"])
def test_a_part_of_a_date_that_is_none_is_refused(acme, vic, part, number):
    said = {"day__year": "2026", "day__month": "3", "day__day": "2", f"day__{part}": number}
    assert vic.get(page(SpendEntry, "changelist"), said).status_code == 302


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"day__year": "2026", "day__month": "3", "day__day": "2"}, 200),
        ({"day__year": "2026", "day__month": "3"}, 200),
        ({"day__year": "2026"}, 200),
        ({"day__year": "2026", "day__month": "2", "day__day": "30"}, 302),
        ({"day__year": "2026", "day__month": "99"}, 302),
        ({"day__year": "0"}, 302),
        ({"day__year": "9999"}, 302),
        ({"day__year": "9999", "day__month": "12", "day__day": "31"}, 302),
        ({"day__month": "2"}, 200),
        ({"day__day": "99"}, 200),
    ],
)
def test_any_day_is_a_list_or_leads_back_to_it(acme, vic, said, status):
    assert vic.get(page(SpendEntry, "changelist"), said).status_code == status


@pytest.mark.parametrize("name", ["vic", "pat"])
@pytest.mark.parametrize("object_id", ["notauuid", "1", "00000000-0000-0000-0000-000000000000"])
def test_there_is_no_shortcut_to_any_row(acme, request, name, object_id):
    client = request.getfixturevalue(name)
    for content_type in range(1, 40):
        assert client.get(f"/admin/r/{content_type}/{object_id}/").status_code == 404


def test_an_admin_that_answers_any_lookup_is_not_registered():
    with pytest.raises(AssertionError):
        OwnSite("probe").register(User, ModelAdmin)
