"""Second factors rest encrypted, count once, and are asked of whom the agency says."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from allauth.mfa.webauthn.internal import auth as webauthn
from cryptography.fernet import InvalidToken

from accounts.models import User
from accounts.roles import Role
from accounts.second_factors import LogInForm, MFAAdapter, _spend, has_factor, is_asked
from tests.conftest import NOON

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STEP = int(NOON.timestamp()) // 30


def code(step: int = STEP) -> str:
    return format_hotp_value(hotp_value(SECRET, step))


@pytest.fixture
def vic(acme) -> User:
    """Vic, with an app."""
    vic = User.objects.get(email="vic@acme.example")
    TOTP.activate(vic, SECRET)
    return vic


@pytest.fixture
def steps(monkeypatch) -> list[int]:
    """The time steps whose codes are right: now, and a little before and after."""
    import accounts.second_factors as ours

    now = [STEP - 1, STEP, STEP + 1]
    monkeypatch.setattr(ours, "yield_hotp_counters_from_time", lambda: iter(now))
    return now


def test_a_secret_rests_encrypted(vic):
    stored = str(Authenticator.objects.get(user=vic).data)
    assert SECRET not in stored
    assert TOTP(Authenticator.objects.get(user=vic)).validate_code("000000") is False


def test_a_secret_is_read_with_the_key_of_before_and_with_no_other(settings):
    adapter = MFAAdapter()
    told = adapter.encrypt(SECRET)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key"
    assert adapter.decrypt(told) == SECRET
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(InvalidToken):
        adapter.decrypt(told)


def test_a_code_counts_once_also_where_the_cache_forgot(vic, steps):
    authenticator = Authenticator.objects.get(user=vic)
    assert _spend(authenticator, code())
    assert not _spend(authenticator, code())
    # Nor does an older one, that was seen over a shoulder.
    assert not _spend(authenticator, code(STEP - 1))
    assert _spend(authenticator, code(STEP + 1))


def test_the_forms_of_the_site_are_those_that_count_once(settings):
    assert settings.MFA_FORMS["authenticate"] == f"{LogInForm.__module__}.{LogInForm.__name__}"
    assert settings.MFA_FORMS["reauthenticate"].endswith("ConfirmForm")


@pytest.mark.parametrize(
    ("role", "asked"),
    [
        (Role.OWNER, True),
        (Role.FINANCE, True),
        (Role.MANAGER, False),
        (Role.BUYER, False),
        (Role.VIEWER, False),
        (Role.CLIENT_VIEWER, False),
    ],
)
def test_owners_and_finance_are_asked_where_the_agency_wants_it(acme, role, asked):
    assert not is_asked(User(role=role), acme)
    acme.requires_second_factor = True
    assert is_asked(User(role=role), acme) is asked


def test_recovery_codes_alone_are_no_second_factor(acme):
    vic = User.objects.get(email="vic@acme.example")
    Authenticator.objects.create(user=vic, type=Authenticator.Type.RECOVERY_CODES, data={})
    assert not has_factor(vic)


def test_the_last_factor_of_who_needs_one_stays(acme):
    acme.requires_second_factor = True
    ann = User.objects.get(email="ann@acme.example")
    TOTP.activate(ann, SECRET)
    app = Authenticator.objects.get(user=ann)
    assert not MFAAdapter().can_delete_authenticator(app)
    Authenticator.objects.create(user=ann, type=Authenticator.Type.WEBAUTHN, data={})
    assert MFAAdapter().can_delete_authenticator(app)


def test_passkeys_are_not_cut_off_by_a_change_of_allauths_names():
    # What our templates and scripts call by name.
    assert webauthn.STATE_SESSION_KEY == "mfa.webauthn.state"
