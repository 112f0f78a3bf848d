"""Settings by environment over `.env` over what a running `./run` chose."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.environment import Environment
from tests.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parent.parent.parent
CHOSEN = (
    "DATABASE_URL=postgresql://p:w@127.0.0.1:5/p\nREDIS_URL=redis://127.0.0.1:6/0\n"
    "SECRET_KEY=chosen\nPACELINE_URL=http://localhost:8123\nPACELINE_PORT=8123\n"
)


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with a running `./run`, and nothing set in the process."""
    for name in list(os.environ):
        if name.startswith("PACELINE_") or name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY"):
            monkeypatch.delenv(name)
    (tmp_path / ".paceline").mkdir()
    (tmp_path / ".paceline" / "run.env").write_text(CHOSEN)
    return tmp_path


def test_a_second_terminal_needs_nothing_set(checkout):
    env = Environment(checkout)
    assert env.secret_key() == "chosen"
    assert env.database()["PORT"] == 5
    assert env.start.url == "http://localhost:8123"


def test_the_url_of_the_database_keeps_its_options(checkout, monkeypatch):
    url = "postgresql://ann:secret@db.example/ads?sslmode=verify-full"
    monkeypatch.setenv("DATABASE_URL", url)
    options = Environment(checkout).database(lock_timeout="10s", timezone="UTC")["OPTIONS"]
    assert options == {
        "sslmode": "verify-full",
        "connect_timeout": 10,
        "options": "-c lock_timeout=10s -c timezone=UTC",
    }


def test_the_env_file_wins_over_what_was_chosen_and_the_process_over_both(checkout, monkeypatch):
    (checkout / ".env").write_text("SECRET_KEY=own\nPACELINE_URL=https://ads.example\n")
    assert Environment(checkout).secret_key() == "own"
    assert Environment(checkout).start.url == "https://ads.example"
    monkeypatch.setenv("SECRET_KEY", "process")
    assert Environment(checkout).secret_key() == "process"


def test_an_empty_value_counts_as_unset(checkout, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", " ")
    assert Environment(checkout).secret_key() == "chosen"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PACELINE_URL", "http://ads.example", "plain http is for localhost only"),
        ("PACELINE_URL", "ads.example", "must look like"),
        ("PACELINE_URL", "https://ads.example/path", "have no path"),
        ("PACELINE_PORT", "abc", "PACELINE_PORT must be a number"),
        ("DEBUG", "maybe", "DEBUG must be 1 or 0"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL must be one of"),
    ],
)
def test_a_malformed_value_is_named(checkout, monkeypatch, name, value, message):
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=message):
        Environment(checkout)


def test_a_proxy_that_is_no_address_is_named(checkout, monkeypatch):
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.0/8, proxy")
    with pytest.raises(ImproperlyConfigured, match="TRUSTED_PROXIES: 'proxy'"):
        Environment(checkout).networks("TRUSTED_PROXIES")


def test_a_format_of_the_log_that_is_none_is_named(checkout, monkeypatch):
    monkeypatch.setenv("LOG_FORMAT", "yaml")
    with pytest.raises(ImproperlyConfigured, match="LOG_FORMAT is one of json, line"):
        Environment(checkout).one_of("LOG_FORMAT", ("json", "line"), default="json")


@pytest.mark.parametrize("missing", ["DATABASE_URL", "REDIS_URL", "SECRET_KEY"])
def test_what_is_missing_is_one_clear_line(missing, tmp_path):
    environment = {**os.environ, "PACELINE_HOME": str(tmp_path)}
    environment.pop(missing)
    done = subprocess.run(
        [sys.executable, ROOT / "manage.py", "check"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert (
        done.stderr == f"Paceline: {missing} is not set. Set it, or start everything with ./run.\n"
    )


def test_a_database_that_takes_a_connection_and_stays_silent_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://p:w@127.0.0.1:{silent.getsockname()[1]}/p?connect_timeout=2"
        done = subprocess.run(
            [sys.executable, ROOT / "manage.py", "migrate", "--check"],
            env={**os.environ, "DATABASE_URL": url},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
    assert done.returncode == 1
    assert "timeout expired" in done.stderr


def test_what_the_database_s_url_asks_for_is_kept_beside_our_own_options():
    script = "from django.conf import settings as s; print(s.DATABASES['default']['OPTIONS'])"
    url = "postgresql://p:w@127.0.0.1:5/p?sslmode=verify-full"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "'sslmode': 'verify-full'" in done.stdout
    assert "'connect_timeout': 10" in done.stdout
    assert "lock_timeout=10s" in done.stdout


def test_every_setting_is_in_the_example():
    example = (ROOT / ".env.example").read_text()
    for name in (
        *("PACELINE_URL", "PACELINE_PORT", "PACELINE_BIND", "PACELINE_HOME", "PACELINE_DEMO"),
        *("PACELINE_DEMO_PASSWORD", "DATABASE_URL", "REDIS_URL", "EMAIL_URL"),
        *("TRUSTED_PROXIES", "SECRET_KEY", "DEBUG", "LOG_LEVEL", "LOG_FORMAT"),
        *("RATE_LIMIT_PER_KEY", "RATE_LIMIT_PER_AGENCY"),
    ):
        assert f"{name}=" in example


def test_https_turns_the_web_s_own_rules_on(tmp_path):
    script = (
        "from django.conf import settings as s;"
        "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE,"
        " s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS > 0, s.SECURE_SSL_REDIRECT)"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    told = {}
    for url in ("https://ads.example", "http://localhost:8000"):
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={**environment, "PACELINE_URL": url},
            capture_output=True,
            text=True,
            check=True,
        )
        told[url] = done.stdout.strip()
    assert told == {
        "https://ads.example": "__Host-sessionid __Host-csrftoken True True True True",
        "http://localhost:8000": "sessionid csrftoken False False False False",
    }
