"""Read the environment once, and say in one line what is wrong with it."""

import os
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True, slots=True)
class PlatformURL:
    """`PACELINE_URL`, taken apart. `host` is the base domain that every agency's host ends with."""

    scheme: str
    host: str
    port: int | None

    @property
    def port_suffix(self) -> str:
        return f":{self.port}" if self.port else ""

    @property
    def full(self) -> str:
        return f"{self.scheme}://{self.host}{self.port_suffix}"


def parse_url(value: str) -> PlatformURL:
    """Take `PACELINE_URL` apart, or raise ImproperlyConfigured with the reason."""
    try:
        parts = urlsplit(value.strip().rstrip("/"))
        port = parts.port
    except ValueError as problem:
        raise ImproperlyConfigured(f"PACELINE_URL {value!r} is no URL: {problem}.") from None
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("http", "https") or not host or parts.path or parts.query:
        raise ImproperlyConfigured(
            f"PACELINE_URL {value!r} must look like https://paceline.example.com, without a path."
        )
    if _is_address(host):
        raise ImproperlyConfigured(
            f"PACELINE_URL {value!r} names an address; agencies need hosts below a domain name."
        )
    if parts.scheme == "http" and host != "localhost" and not host.endswith(".localhost"):
        raise ImproperlyConfigured(
            f"PACELINE_URL {value!r} is plain http off loopback: passwords would travel in clear."
            " Use https."
        )
    return PlatformURL(parts.scheme, host, port)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


class Environment:
    """The process's environment over `.env` over `run.env` of a running `./run`."""

    def __init__(self, values: dict[str, str], home: Path) -> None:
        self._values = values
        self.home = home
        self._env = environ.Env()
        self._env.ENVIRON = values
        port = self.text("PACELINE_PORT", "")
        default = f"http://localhost:{port or 8000}"
        self.url = parse_url(self.text("PACELINE_URL", default))
        try:
            self.port = int(port or self.url.port or 8000)
        except ValueError:
            raise ImproperlyConfigured(f"PACELINE_PORT {port!r} is no port number.") from None

    def text(self, name: str, default: str) -> str:
        return self._values.get(name, "").strip() or default

    def words(self, name: str) -> list[str]:
        return [word.strip() for word in self.text(name, "").split(",") if word.strip()]

    def flag(self, name: str, default: bool) -> bool:
        return self.text(name, str(default)).lower() in ("1", "true", "yes", "on")

    def database(self) -> dict[str, Any]:
        """Return Django's settings for `DATABASE_URL`."""
        self._need("DATABASE_URL")
        found: dict[str, Any] = dict(self._env.db_url("DATABASE_URL"))
        return found

    def redis(self) -> str:
        """Return `REDIS_URL`."""
        return self._need("REDIS_URL")

    def email(self) -> dict[str, Any]:
        """Return Django's mail settings for `EMAIL_URL` (mail goes to the console without one)."""
        self._values.setdefault("EMAIL_URL", "consolemail://")
        found: dict[str, Any] = dict(self._env.email_url("EMAIL_URL"))
        return found

    def _need(self, name: str) -> str:
        value = self.text(name, "")
        if not value:
            raise ImproperlyConfigured(
                f"{name} is not set. Set it, or start everything with ./run."
            )
        return value


def read_environment(base: Path) -> Environment:
    """Return the environment for the checkout at `base`."""
    values: dict[str, str] = {}
    own = _parse(base / ".env")
    home = Path(os.environ.get("PACELINE_HOME") or own.get("PACELINE_HOME") or base / ".paceline")
    home = home if home.is_absolute() else base / home
    values = {**_parse(home / "run.env"), **own, **os.environ}
    return Environment(values, home)


def _parse(file: Path) -> dict[str, str]:
    """Return the KEY=value lines of a file; none where it does not exist."""
    found: dict[str, str] = {}
    try:
        lines = file.read_text().splitlines()
    except (FileNotFoundError, PermissionError):
        return found
    for line in lines:
        name, equals, value = line.partition("=")
        if equals and not name.lstrip().startswith("#"):
            found[name.strip()] = value.strip().strip("'\"")
    return found
