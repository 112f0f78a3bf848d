"""What is set for this start: the process environment, then `.env`, then defaults."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from embedded.errors import StartError

DEFAULT_PORT = 8000
HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
SWITCHES = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
DATABASE_SCHEMES = ("postgres", "postgresql", "psql", "pgsql")
REDIS_SCHEMES = ("redis", "rediss", "unix")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The settings of one start; None where nothing is set and a value is made or found later."""

    home: Path
    url: str  # Without a slash at the end.
    bind: str
    port: int
    has_demo: bool
    log_level: str
    demo_password: str | None
    secret_key: str | None
    database_url: str | None
    redis_url: str | None
    email_url: str | None
    everything: Mapping[str, str]  # For the programs that we start.


def read_environment(root: Path, process_environment: Mapping[str, str]) -> Environment:
    """Return what is set for the checkout in `root`.

    Raises StartError naming the setting that has a malformed or unsafe value.
    """
    everything = {**read_env_file(root / ".env"), **process_environment}
    # An empty value, as Compose files leave behind, counts as unset.
    values = {name: value.strip() for name, value in everything.items() if value.strip()}
    given_port = _port(values["PACELINE_PORT"]) if "PACELINE_PORT" in values else None
    url = _url(values.get("PACELINE_URL", f"http://localhost:{given_port or DEFAULT_PORT}"))
    bind = _bind(values.get("PACELINE_BIND", "127.0.0.1"))
    _refuse_plain_http_off_loopback(url, bind=bind)
    _switch("DEBUG", values.get("DEBUG", "0"))
    return Environment(
        home=(root / Path(values.get("PACELINE_HOME", ".paceline")).expanduser()).resolve(),
        url=url.geturl(),
        bind=bind,
        port=given_port or url.port or DEFAULT_PORT,
        has_demo=_switch("PACELINE_DEMO", values.get("PACELINE_DEMO", "1")),
        log_level=_log_level(values.get("LOG_LEVEL", "INFO")),
        demo_password=values.get("PACELINE_DEMO_PASSWORD"),
        secret_key=values.get("SECRET_KEY"),
        database_url=_server_url("DATABASE_URL", values, schemes=DATABASE_SCHEMES),
        redis_url=_server_url("REDIS_URL", values, schemes=REDIS_SCHEMES),
        email_url=values.get("EMAIL_URL"),
        everything=everything,
    )


def read_env_file(path: Path) -> dict[str, str]:
    """Return the KEY=value lines of the file at `path`; none when there is no such file."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    found = {}
    for line in lines:
        name, equals, value = line.partition("=")
        if equals and not name.lstrip().startswith("#"):
            found[name.strip()] = value.strip().strip("'\"")
    return found


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 65_535:
        return int(text)
    raise StartError(f"PACELINE_PORT must be a number from 1 to 65535, not {text!r}.")


def _url(text: str) -> SplitResult:
    wanted = "must look like http://localhost:8000 or https://paceline.example.com"
    try:
        url = urlsplit(text)
        host, port = url.hostname or "", url.port
    except ValueError:
        raise StartError(f"PACELINE_URL {wanted}, not {text!r}.") from None
    is_bare = url.path in ("", "/") and not url.query and not url.fragment and "@" not in url.netloc
    if url.scheme not in ("http", "https") or not HOST.fullmatch(host) or not is_bare:
        raise StartError(f"PACELINE_URL {wanted} and have no path, not {text!r}.")
    return SplitResult(url.scheme, f"{host}:{port}" if port else host, "", "", "")


def _bind(text: str) -> str:
    if text == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        raise StartError(f"PACELINE_BIND must be an IP address, not {text!r}.") from None


def _refuse_plain_http_off_loopback(url: SplitResult, *, bind: str) -> None:
    if url.scheme == "https":
        return
    host = url.hostname or ""
    if host != "localhost" and not host.endswith(".localhost"):
        raise StartError(
            f"PACELINE_URL: plain http is for localhost only, not {host}: passwords would cross"
            " the network readable. Use https and a proxy that ends TLS."
        )
    if not ipaddress.ip_address(bind).is_loopback:
        raise StartError(
            f"PACELINE_BIND: {bind} is open to the network, and PACELINE_URL is plain http."
            " Set an https PACELINE_URL behind a proxy that ends TLS, or bind 127.0.0.1."
        )


def _switch(name: str, text: str) -> bool:
    if text.lower() not in SWITCHES:
        raise StartError(f"{name} must be 1 or 0, not {text!r}.")
    return SWITCHES[text.lower()]


def _log_level(text: str) -> str:
    if text.upper() not in LOG_LEVELS:
        raise StartError(f"LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}, not {text!r}.")
    return text.upper()


def _server_url(name: str, values: Mapping[str, str], *, schemes: tuple[str, ...]) -> str | None:
    text = values.get(name)
    # The rest of the value may be a password, so it is not repeated.
    if text is not None and text.partition("://")[0] not in schemes:
        raise StartError(f"{name} must be a URL that starts with {schemes[0]}://.")
    return text
