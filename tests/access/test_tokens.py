"""Every token is made in Acme and tried at Zeta and on the platform's site: nothing is shown, and
nothing changes. What makes or takes tokens and is not in this walk fails a test.
"""

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa import app_settings as mfa_settings
from django.conf import settings
from django.test import Client
from django.urls import get_resolver, resolve

from accounts.confirmations import Confirmation, ConfirmEmail
from accounts.models import User
from tenants.contexts import platform_context, tenant_context
from tests.conftest import PASSWORD, World, make_brand, make_campaign

from .tokens import (
    BRAND,
    CARRIED,
    GUEST,
    IN_ADDRESSES,
    NEW_PASSWORD,
    PENDING,
    PURPOSES,
    REASON,
    ROUTES,
    TESS,
    Try,
    made_in,
    rows_of,
)

pytestmark = pytest.mark.usefixtures("clean_cache")

HOSTS = {"acme": "acme.localhost:8000", "zeta": "zeta.localhost:8000", "platform": "localhost:8000"}
ELSEWHERE = ["zeta", "platform"]
LOGINS = ["nobody", "somebody", "twin"]
BODY = {
    "password1": NEW_PASSWORD,
    "password2": NEW_PASSWORD,
    "name": "Eve",
    "email": "eve@evil.example",
    "role": "owner",
    "action_add": "",
}


@pytest.fixture(autouse=True)
def switched_on(settings) -> None:
    settings.SIGN_UP = True


@pytest.fixture
def made(world: World) -> dict[str, list[Try]]:
    return made_in(world)


def browser(world: World, at: str, login: str) -> Client:
    """Return a browser at a host: of nobody, of somebody there, or of the twin of Acme's Tess."""
    client = Client(HTTP_HOST=HOSTS[at], raise_request_exception=True)
    email = {"zeta": "zoe@zeta.example", "platform": "pat@paceline.example"}[at]
    with tenant_context(world.zeta) if at == "zeta" else platform_context():
        if login != "nobody":
            user = User.objects.get(email=email if login == "somebody" else TESS)
            client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def answers(client: Client, one: Try) -> Iterator[Any]:
    """Yield the answers to what is tried, and to what they lead to."""
    for name, value in one.cookies.items():
        client.cookies[name] = value
    for method in ("GET", "HEAD", "POST"):
        data = BODY if method == "POST" else {}
        answer = getattr(client, method.lower())(one.path, data, headers=one.headers)
        yield answer
        if answer.status_code == 302:
            yield client.get(answer["Location"], headers=one.headers)


def told(answer: Any, login: str = "nobody") -> list[str]:
    """Return what of Acme an answer shows. Who is logged in as the twin sees the own name."""
    secret = [PENDING, GUEST, REASON, BRAND, 'name="password1"']
    if login != "twin":
        secret += [TESS, "Tess"]
    text = answer.content.decode()
    return [word for word in secret if word in text]


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("at", ELSEWHERE)
@pytest.mark.parametrize("token", IN_ADDRESSES)
def test_a_link_of_one_agency_is_nothing_elsewhere(world, made, token, at, login):
    there = world.zeta if at == "zeta" else None
    client = browser(world, at, login)
    before = rows_of(there), rows_of(world.acme)
    for one in made[token]:
        for answer in answers(client, one):
            assert answer.status_code < 500
            assert told(answer, login) == [], one.path
    assert (rows_of(there), rows_of(world.acme)) == before


@pytest.mark.parametrize("at", ELSEWHERE)
@pytest.mark.parametrize("token", CARRIED)
def test_what_a_browser_of_one_agency_carries_is_nothing_elsewhere(world, made, token, at):
    there = world.zeta if at == "zeta" else None
    before = rows_of(there), rows_of(world.acme)
    for one in made[token]:
        for answer in answers(browser(world, at, "nobody"), one):
            assert answer.status_code < 500
            assert told(answer) == [], one.path
    assert (rows_of(there), rows_of(world.acme)) == before


@pytest.mark.parametrize("token", ["support", "email_confirmation", "password", "invitation"])
def test_the_walk_would_see_what_is_shown_and_changed(world, made, token):
    """At Acme itself each of them opens what it is for."""
    client, before = Client(HTTP_HOST=HOSTS["acme"]), rows_of(world.acme)
    found = [answer for one in made[token] for answer in answers(client, one)]
    assert any(map(told, found))
    assert rows_of(world.acme) != before


def tess_of(world: World) -> User:
    with tenant_context(world.acme):
        return User.objects.get(name="Tess")


@pytest.mark.parametrize("token", IN_ADDRESSES)
def test_a_token_is_nothing_for_another_purpose(world, made, token):
    """Each is tried at Acme itself, at the address of every other."""
    own, _, word = made[token][0].path.strip("/").rpartition("/")
    others = {made[other][0].path.strip("/").rpartition("/")[0] for other in IN_ADDRESSES} - {own}
    uid = user_pk_to_url_str(tess_of(world))
    before = rows_of(world.acme), rows_of(None)
    for start in others:
        for said in (word, f"{uid}-{word}", word.removeprefix(f"{uid}-")):
            for at in ("acme", "platform"):
                client = Client(HTTP_HOST=HOSTS[at])
                for answer in answers(client, Try(f"/{start}/{said}/")):
                    assert answer.status_code < 500
                    assert told(answer) == [], (start, said)
    assert (rows_of(world.acme), rows_of(None)) == before


def test_what_the_api_remembers_of_one_agency_is_nothing_in_another(world, api):
    """Idempotency keys and cursors are words without a signature: they mean what the own agency
    has of them."""
    with tenant_context(world.acme):
        campaign = make_campaign(make_brand(BRAND))
    said = {"campaign": str(campaign.id), "amount": "1.00", "spend_date": "2026-03-02"}
    headers = {"Idempotency-Key": "one"}
    ours, theirs = api("owner"), api("owner", "zeta")
    first = ours.post("/api/spends/", said, "application/json", headers=headers)
    assert first.status_code == 201
    theirs.get("/api/brands/")  # It is noted that the key was used.
    before = rows_of(world.zeta)
    again = theirs.post("/api/spends/", said, "application/json", headers=headers)
    assert again.status_code in (400, 404)
    assert "Idempotent-Replayed" not in again
    assert rows_of(world.zeta) == before
    cursors = [
        ("/api/trail/?page_size=1", "cursor"),
        ("/api/status-changes/?page_size=1", "after"),
    ]
    for path, word in cursors:
        cursor = ours.get(path).json()["next"]
        answer = theirs.get(f"{path}&{word}={cursor}")
        assert answer.status_code == 200
        assert BRAND not in answer.content.decode()


def test_staff_confirms_an_address_on_the_platforms_own_site(world):
    with platform_context():
        pat = User.objects.create_superuser("pat@paceline.example", PASSWORD, name="Pat")
        address = EmailAddress.objects.create(user=pat, email="new@paceline.example")
        path = f"/accounts/confirm-email/{Confirmation(address).key}/"
    client = Client(HTTP_HOST=HOSTS["platform"])
    assert "new@paceline.example" in client.get(path).content.decode()
    client.post(path)
    with platform_context():
        assert User.objects.get(pk=pat.pk).email == "new@paceline.example"
    # It is used up.
    assert client.post(path).status_code == 404


# What is not in the walk --------------------------------------------------------------------------

# Parameters that name rows by id, pages and days: whoever knows them may do nothing by it.
NO_TOKENS = {"object_id", "content_type_id", "pk", "app_label", "url", "path", "day"}
SIGNING = re.compile(
    r"\bsigning\b|\bSigner\b|TokenGenerator|token_generator|salted_hmac|signed_cookie|secrets\.|KeyGenerator"
    r"|get_random_string|token_urlsafe|token_hex"
)
# Whatever of ours signs something, or makes a word that nobody guesses.
OURS = {
    "accounts/tokens.py": "the one place that signs",
    "accounts/passwords.py": "`password`, with the salt of `tokens`",
    "accounts/invitations.py": "`invitation`: random, stored hashed in the agency's schema",
    "accounts/models.py": "`API key`: random, stored hashed in the agency's schema; and the hash"
    " that a session carries",
    "accounts/second_factors.py": "encrypts what lies in the database; nobody is sent it",
    "platform/embedded/home.py": "passwords of the local servers",
    "tenants/models.py": "names of schemas",
}
# What of installed packages does, and why that is no token of its own.
PACKAGES = {
    "allauth/account/adapter.py": "codes by mail and generated keys: switched off",
    "allauth/account/app_settings.py": "names the generator, which is ours",
    "allauth/account/forms.py": "`Django's password`: replaced by ours",
    "allauth/account/internal/flows/email_verification.py": "a word in a comment",
    "allauth/account/internal/flows/password_reset.py": "makes `password`",
    "allauth/account/models.py": "`allauth's confirmation`: replaced by ours",
    "allauth/core/internal/cryptokit.py": "codes by mail: switched off",
    "allauth/mfa/internal/flows/trust.py": "`trusted browser`: switched off",
    "allauth/mfa/totp/internal/auth.py": "the secret of an app, stored encrypted",
    "allauth/mfa/recovery_codes/internal/auth.py": "the seed of codes, stored encrypted",
    "django/conf/global_settings.py": "names a backend that is not used",
    "django/contrib/auth/base_user.py": "the hash that a `session` carries: ours in models.py",
    "django/contrib/auth/forms.py": "a form that no page has",
    "django/contrib/auth/views.py": "views that no route has",
    "django/contrib/auth/hashers.py": "salts of passwords",
    "django/contrib/auth/tokens.py": "`Django's password`: replaced by ours",
    "django/contrib/messages/storage/cookie.py": "not used: messages are in the `session`",
    "django/contrib/sessions/backends/base.py": "`session`, with the salt of `tokens`",
    "django/contrib/sessions/backends/signed_cookies.py": "not used: sessions are rows",
    "django/contrib/sessions/serializers.py": "a name for JSON",
    "django/utils/text.py": "lengths of compressed answers",
    "django/core/files/storage/base.py": "names of files",
    "django/core/management/utils.py": "for startproject",
    "django/core/signing.py": "what signs",
    "django/db/backends/oracle/creation.py": "another database",
    "django/http/request.py": "signed cookies, which nothing reads",
    "django/http/response.py": "signed cookies, which nothing sets",
    "django/middleware/csrf.py": "is of a browser and of nobody: it gives no access",
    "django/utils/crypto.py": "what signs",
    "rest_framework_api_key/crypto.py": "`API key`",
    "rest_framework_api_key/models.py": "a model that we have not",
}
_ROOT = Path(settings.BASE_DIR)


def signing_in(folder: Path) -> set[str]:
    """Return the files in and below a folder that sign something, by their paths from there."""
    return {
        file.relative_to(folder).as_posix()
        for file in folder.rglob("*.py")
        if SIGNING.search(file.read_text())
    }


def test_no_other_code_of_ours_signs():
    folders = ["accounts", "budgets", "campaigns", "dayparting", "tenants", "platform"]
    assert {f"{f}/{path}" for f in folders for path in signing_in(_ROOT / f)} == {*OURS}


def test_no_other_package_signs():
    names = {entry.partition(".")[0] for entry in (*settings.INSTALLED_APPS, *settings.MIDDLEWARE)}
    names |= {"django", "allauth", "rest_framework_api_key"}
    found = set()
    for name in names:
        spec = find_spec(name)
        assert spec is not None, name
        folder = Path(next(iter(spec.submodule_search_locations or ())))
        if not folder.is_relative_to(_ROOT) or "site-packages" in folder.parts:
            found |= {f"{name}/{path}" for path in signing_in(folder)}
    apps = tuple(entry.replace(".", "/") + "/" for entry in settings.INSTALLED_APPS)
    # Of packages that bring several apps, those that are not installed do nothing.
    parts = (
        *("allauth/socialaccount/", "allauth/idp/", "allauth/usersessions/", "allauth/headless/"),
        "rest_framework/authtoken/",
    )
    assert not [part for part in parts if part in apps]
    assert {path for path in found if not path.startswith(parts)} == {*PACKAGES}


def test_every_purpose_is_in_the_walk():
    assert set(purposes()) == {*PURPOSES}


def purposes() -> Iterator[str]:
    """Yield the purposes for which code of ours signs: constants, or names of the module's."""
    for file in (_ROOT / "accounts").rglob("*.py"):
        tree = ast.parse(file.read_text())
        constants = {
            target.id: str(node.value.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "tokens"
            ):
                purpose = ast.unparse(node.args[0])
                yield constants.get(purpose, purpose.strip("'"))


@pytest.mark.parametrize("urlconf", ["config.urls", "config.urls_public"])
def test_every_route_that_takes_a_token_is_in_the_walk(urlconf):
    found = {
        pattern
        for pattern in walked(get_resolver(urlconf), "")
        for kind, name in re.findall(r"(?:<|\(\?P<)(?:(\w+):)?(\w+)>", pattern)
        if kind != "uuid" and name not in NO_TOKENS
    }
    assert found <= {*ROUTES}
    assert (
        found if urlconf == "config.urls_public" else found == {*ROUTES} - {"sign-up/<str:token>/"}
    )


def walked(resolver: Any, before: str) -> Iterator[str]:
    for one in resolver.url_patterns:
        path = before + str(one.pattern)
        if hasattr(one, "url_patterns"):
            yield from walked(one, path)
        else:
            yield path


@pytest.mark.parametrize("urlconf", ["config.urls", "config.urls_public"])
@pytest.mark.parametrize("key", ["a:b:c", "a", "-", "Aé:1", "1:-_"])
def test_every_confirmation_comes_to_our_page(urlconf, key):
    found = resolve(f"/accounts/confirm-email/{key}/", urlconf)
    assert getattr(found.func, "view_class", None) is ConfirmEmail


def test_what_is_switched_off_is_off():
    assert not mfa_settings._TRUST_STAGE_ENABLED
    assert settings.SESSION_ENGINE == "accounts.sessions"
    assert settings.MESSAGE_STORAGE == "django.contrib.messages.storage.session.SessionStorage"
