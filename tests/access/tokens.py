"""Every token there is, made in one agency; and twins of its rows elsewhere, so that nothing but
the signature tells the agencies apart.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.internal.flows.trust import encode_trust_cookie
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.tokens import default_token_generator
from django.contrib.sessions.models import Session
from django.db import connection, models

from accounts import invitations, sign_ups, support
from accounts.confirmations import Confirmation
from accounts.models import User, create_api_key
from accounts.passwords import PasswordTokens
from accounts.roles import Role
from tenants.contexts import platform_context, tenant_context
from tenants.models import Agency
from tests.conftest import NOON, PASSWORD, World, make_brand

BRAND = "Fjordlight"
TESS = "tess@acme.example"
PENDING = "pending@acme.example"
GUEST = "guest@acme.example"
REASON = "The budgets of Fjordlight look wrong."
NEW_PASSWORD = "another horse battery"


@dataclass(frozen=True)
class Try:
    """A request with a token: where, and what it carries. Both GET and POST are made of it."""

    path: str
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)


def made_in(world: World) -> dict[str, list[Try]]:
    """Return what can be tried with each token of Acme, whose people have twins elsewhere."""
    acme = world.acme
    with platform_context():
        pat = User.objects.create_superuser("pat@paceline.example", PASSWORD, name="Pat")
        access, entrance = support.begin(
            agency=acme, staff=pat, reason=REASON, minutes=30, may_edit=True, now=NOON
        )
    with tenant_context(acme):
        make_brand(BRAND)
        tess = User.objects.create_user(
            TESS, PASSWORD, name="Tess", role=Role.OWNER, is_superuser=True
        )
        EmailAddress.objects.create(user=tess, email=TESS, verified=True, primary=True)
        pending = EmailAddress.objects.create(user=tess, email=PENDING)
        _, invitation = invitations.invite(email=GUEST, role=Role.OWNER, now=NOON, by=tess.actor)
        _, secret = create_api_key(name="Tess's key", role=Role.OWNER, maker=tess)
        session = session_of(tess)
        found = {
            **_signed(tess, pending),
            "support": [_at(entrance)],
            "invitation": [Try(f"/invitations/{invitation}/"), Try("/invitations/accept/")],
            "session": _everywhere(cookies={settings.SESSION_COOKIE_NAME: session.session_key}),
            "API key": _everywhere(headers={"Authorization": f"Api-Key {secret}"}),
            "trusted browser": _everywhere(cookies={"mfa_trusted": encode_trust_cookie([])}),
        }
        rows = [tess, *EmailAddress.objects.filter(user=tess), session]
    for elsewhere in (tenant_context(world.zeta), platform_context()):
        with elsewhere:
            for row in (*rows, access):
                twin(row)
    return found


def _signed(tess: User, pending: EmailAddress) -> dict[str, list[Try]]:
    uid = user_pk_to_url_str(tess)
    sign_up = sign_ups.SignUp(tess.id, "Fjordlight", "fjordlight", PENDING)
    return {
        "email_confirmation": [Try(f"/accounts/confirm-email/{Confirmation(pending).key}/")],
        "allauth's confirmation": [
            Try(f"/accounts/confirm-email/{EmailConfirmationHMAC(pending).key}/")
        ],
        "password": [
            Try(f"/accounts/password/reset/key/{uid}-{PasswordTokens().make_token(tess)}/"),
            Try(f"/accounts/password/reset/key/{uid}-set-password/"),
        ],
        "Django's password": [
            Try(f"/accounts/password/reset/key/{uid}-{default_token_generator.make_token(tess)}/"),
            Try(f"/accounts/password/reset/key/{uid}-set-password/"),
        ],
        "sign_up": [Try(f"/sign-up/{sign_ups._token(sign_up, now=NOON)}/")],
    }


def _at(url: str) -> Try:
    return Try(f"/{url.split('/', 3)[3]}")


def _everywhere(**carried: Any) -> list[Try]:
    """Where somebody who is known is shown something, or may do something."""
    paths = ["/", "/people/", "/people/new/", "/admin/", "/admin/accounts/user/", "/api/brands/"]
    return [Try(path, **carried) for path in [*paths, "/accounts/email/"]]


def session_of(user: User) -> Session:
    """Log a person in, and return the row of the session."""
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.set_expiry(timedelta(days=1))
    store.create()
    return Session.objects.get(session_key=store.session_key)


def twin(row: models.Model) -> None:
    """Copy a row, with its number and every value, into the schema that is entered."""
    kind = type(row)
    if kind._meta.db_table not in connection.introspection.table_names():
        return
    kind._default_manager.filter(pk=row.pk).delete()
    values = {one.attname: getattr(row, one.attname) for one in kind._meta.concrete_fields}
    kind._default_manager.bulk_create([kind(**values)])


def rows_of(agency: Agency | None) -> dict[str, str]:
    """Return a hash of each table's rows, but for sessions, which every visitor may have."""
    with platform_context() if agency is None else tenant_context(agency):
        tables = sorted(set(connection.introspection.table_names()) - {"django_session"})
        with connection.cursor() as cursor:
            cursor.execute(
                " UNION ALL ".join(
                    f"SELECT '{table}', coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)),"
                    f" '') FROM \"{table}\" t"
                    for table in tables
                )
            )
            return dict(cursor.fetchall())


# What the walk tries. Those of `PURPOSES` are signed by `accounts.tokens`, under that name.
PURPOSES = ["email_confirmation", "password", "session", "sign_up", "support"]
IN_ADDRESSES = [
    *(purpose for purpose in PURPOSES if purpose != "session"),
    "allauth's confirmation",
    "Django's password",
    "invitation",
]
CARRIED = ["session", "API key", "trusted browser"]
# The routes that take a token in their address.
ROUTES = {
    r"accounts/^confirm-email/(?P<key>[-:\w]+)/$": "email_confirmation",
    r"accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": "password",
    "invitations/<str:token>/": "invitation",
    "sign-up/<str:token>/": "sign_up",
    "support/enter/<str:told>/": "support",
}
