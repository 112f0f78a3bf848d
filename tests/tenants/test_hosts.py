"""The host names the agency; a host that nobody serves is a 404 without a hint."""

import pytest
from django.test import Client

from tenants.contexts import platform_context
from tenants.models import Agency, Domain


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("acme.localhost:8000", 200),
        ("ACME.localhost.:8000", 200),
        ("localhost:8000", 200),
        ("nobody.localhost:8000", 404),
        ("acme", 404),
        ("a.acme.localhost", 404),
        ("acme.localhost.example.com", 404),
        ("acme.example.com", 404),
        ("127.0.0.1:8000", 404),
        ("[::1]:8000", 404),
        ("acme.localhost\x00", 404),
        ("public.localhost", 404),
    ],
)
def test_a_host_is_an_agency_the_platform_or_nothing(world, host, status):
    answer = Client().get("/healthz", HTTP_HOST=host)
    assert answer.status_code == status
    assert status == 200 or answer.content == b"Not found.\n"


def test_an_agency_that_is_not_active_is_not_there(world):
    with platform_context():
        Agency.objects.filter(slug="acme").update(is_active=False)
    assert Client().get("/healthz", HTTP_HOST="acme.localhost").status_code == 404


def test_an_agency_may_have_a_host_of_its_own(world):
    with platform_context():
        Domain.objects.create(domain="ads.acme.example", tenant=world.acme, is_primary=False)
    assert Client().get("/healthz", HTTP_HOST="ads.acme.example").status_code == 200
    # A slug below somebody else's domain is not below ours.
    assert Client().get("/healthz", HTTP_HOST="zeta.acme.example").status_code == 404


def test_a_forged_forwarded_host_changes_nothing(world):
    answer = Client().get(
        "/healthz", HTTP_HOST="nobody.localhost", HTTP_X_FORWARDED_HOST="acme.localhost"
    )
    assert answer.status_code == 404
