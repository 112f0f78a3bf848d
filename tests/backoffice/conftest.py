"""The admin's world: Monday noon, people logged in, addresses of pages."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.admin import AdminSite
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.models import User
from backoffice.sites import platform_site
from kernel import clock
from tenants.contexts import platform_context
from tests.conftest import NOON, PASSWORD


@pytest.fixture(autouse=True)
def monday_noon(monkeypatch):
    monkeypatch.setattr(clock, "read", lambda: NOON)


@pytest.fixture
def ann(log_in) -> Client:
    """Acme's owner."""
    return log_in("ann@acme.example")


@pytest.fixture
def max_(log_in) -> Client:
    """Acme's manager."""
    return log_in("max@acme.example")


@pytest.fixture
def vic(log_in) -> Client:
    """Acme's viewer."""
    return log_in("vic@acme.example")


@pytest.fixture
def zoe(log_in) -> Client:
    """Zeta's owner, a stranger to Acme."""
    return log_in("zoe@zeta.example")


@pytest.fixture
def platform(db) -> Iterator[None]:
    """The platform's schema, entered."""
    with platform_context():
        yield


@pytest.fixture
def pat(platform) -> Client:
    """One of the platform's staff."""
    staff = User.objects.create_superuser("pat@paceline.example", PASSWORD, name="Pat")
    client = Client(HTTP_HOST="localhost:8000")
    client.force_login(staff, "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def committed(django_capture_on_commit_callbacks) -> Callable[[], object]:
    """A context in which what waits for the commit is run at its end."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def page(model: type[Model], name: str, *args: object, site: AdminSite | None = None) -> str:
    """Return a page's address: `page(Brand, "change", brand.pk)`."""
    options = model._meta
    urlconf = "config.urls_public" if site is platform_site else "config.urls"
    return reverse(
        f"admin:{options.app_label}_{options.model_name}_{name}", urlconf=urlconf, args=args
    )


def messages_of(response) -> str:
    """Return the messages on the page that a redirect led to."""
    return " ".join(str(message) for message in response.context["messages"])


def errors_of(response) -> dict[str, list[str]]:
    """Return the form's errors by field."""
    assert response.status_code == 200, response
    return dict(response.context["adminform"].form.errors)
