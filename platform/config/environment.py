"""The environment as Django's settings want it.

The process's environment wins over `.env` in the checkout, which wins over `run.env`: what a
running `./run` chose (ports, passwords, the secret key), so that `manage.py` works in a second
terminal.
"""

import os
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from embedded import environment as start
from embedded.errors import StartError


class Environment:
    """What is set, read by the same rules as at a start of `./run`."""

    def __init__(self, base: Path) -> None:
        """Read what is set for the checkout at `base`. Raises ImproperlyConfigured."""
        try:
            given = start.read_environment(base, os.environ)
            chosen = start.read_env_file(given.home / "run.env")
            own = {name: value for name, value in given.everything.items() if value.strip()}
            self.start = start.read_environment(base, {**chosen, **own})
        except StartError as refusal:
            raise ImproperlyConfigured(str(refusal)) from None
        self.values = {name: value.strip() for name, value in self.start.everything.items()}
        self.url: SplitResult = urlsplit(self.start.url)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return whether a switch is on; `default` where it is not set."""
        word = self.values.get(name, "").lower()
        if word and word not in start.SWITCHES:
            raise ImproperlyConfigured(f"{name} is 1 or 0, not {word!r}.")
        return start.SWITCHES.get(word, default)

    def whole(self, name: str, *, default: int, least: int) -> int:
        """Return a whole number, `default` where it is not set."""
        word = self.values.get(name, "") or str(default)
        if not word.isdecimal() or int(word) < least:
            raise ImproperlyConfigured(f"{name} is a whole number from {least} on, not {word!r}.")
        return int(word)

    def one_of(self, name: str, words: Sequence[str], *, default: str) -> str:
        """Return one of `words`, `default` where it is not set."""
        word = self.values.get(name, "").lower() or default
        if word not in words:
            raise ImproperlyConfigured(f"{name} is one of {', '.join(words)}, not {word!r}.")
        return word

    def networks(self, name: str) -> list[IPv4Network | IPv6Network]:
        """Return the comma-separated addresses and networks of a setting."""
        words = [word.strip() for word in self.values.get(name, "").split(",")]
        try:
            return [ip_network(word, strict=False) for word in words if word]
        except ValueError as problem:
            raise ImproperlyConfigured(f"{name}: {problem}.") from None

    def database(self, *, connect_timeout_seconds: int = 10, **session: str) -> dict[str, Any]:
        """Return Django's settings for `DATABASE_URL`: its own options (`?sslmode=…`), and the
        parameters of PostgreSQL that each session begins with.
        """
        found = dict(environ.Env.db_url_config(_needed("DATABASE_URL", self.start.database_url)))
        words = " ".join(f"-c {name}={value}" for name, value in session.items())
        own = {"connect_timeout": connect_timeout_seconds, **found.get("OPTIONS", {})}
        return found | {"OPTIONS": {**own, "options": words}}

    def owner_database(self, database: dict[str, Any]) -> dict[str, Any] | None:
        """Return what differs from `database` for whoever owns it (`DATABASE_OWNER_URL`).

        None where that is who logs in anyway. Raises ImproperlyConfigured for another database.
        """
        url = self.values.get("DATABASE_OWNER_URL")
        if not url:
            return None
        owner = dict(environ.Env.db_url_config(url))
        for part in ("HOST", "PORT", "NAME"):
            if owner.get(part) != database.get(part):
                raise ImproperlyConfigured(
                    "DATABASE_OWNER_URL is DATABASE_URL with another user and password: they name"
                    " the same host, port and database."
                )
        return {"USER": owner["USER"], "PASSWORD": owner["PASSWORD"]}

    def redis(self) -> str:
        """Return `REDIS_URL`."""
        return _needed("REDIS_URL", self.start.redis_url)

    def email(self) -> dict[str, Any]:
        """Return Django's mail settings for `EMAIL_URL`; without one, mail goes to the console."""
        found = dict(environ.Env.email_url_config(self.start.email_url or "consolemail://"))
        if found.get("EMAIL_FILE_PATH"):
            # The parser drops the first slash of filemail:///var/mails.
            found["EMAIL_FILE_PATH"] = "/" + found["EMAIL_FILE_PATH"].lstrip("/")
        return found

    def secret_key(self) -> str:
        """Return `SECRET_KEY`."""
        return _needed("SECRET_KEY", self.start.secret_key)


def _needed(name: str, value: str | None) -> str:
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. Set it, or start everything with ./run.")
    return value
