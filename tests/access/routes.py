"""Every route of an agency's site, from its resolver: a new one is in these tests at once."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import get_resolver

WRITES = ("POST", "PUT", "PATCH", "DELETE")
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
_NAMED_GROUP = re.compile(r"\(\?P<(\w+)>[^)]*\)")
# What a parameter is, by the words that stand before it in the address.
_KINDS = {
    "brands": "brand",
    "budgets": "budget",
    "groups": "group",
    "campaigns": "campaign",
    "adjustments": "adjustment",
    "upcoming": "day",
    "windows": "window",
    "schedules": "window",
    "shared-schedules": "shared_schedule",
    "schedule-exceptions": "exception",
    "exceptions": "exception",
    "sharedschedule": "shared_schedule",
    "invitations": "invitation",
    "support": "support_access",
    "spend": "entry",
    "spends": "entry",
    "people": "person",
    "keys": "key",
    # The admin's, by model.
    "brand": "brand",
    "campaign": "campaign",
    "hold": "hold",
    "statuschange": "status_change",
    "spendentry": "entry",
    "schedule": "schedule",
    "user": "person",
    "apikey": "key",
}
_KINDS_OF_FACE = {
    ("admin", "budget"): "budget",
    ("portal", "schedules"): "shared_schedule",
}
_OF_NO_BRAND = {"day", "person", "key", "invitation", "support_access"}
# Routes whose parameters are no row's id: what stands for them.
_OTHERS = {
    "admin/(?P<url>.*)$": "admin/nowhere/",
    "admin/^(?P<app_label>": "admin/budgets/",
    r"api/^(?P<path>": "api/nowhere/",
    "invitations/<str": "invitations/no-such-token/",
    "support/enter/": "support/enter/no-such-word/",
    "accounts/2fa/webauthn/keys/": "accounts/2fa/webauthn/keys/1/edit/",
    "accounts/^confirm-email/": "accounts/confirm-email/nobody/",
    "accounts/^password/reset/key/": "accounts/password/reset/key/1-set-password/",
}


@dataclass(frozen=True)
class Route:
    """An address with parameters, such as `api/brands/<uuid:id>/`, and the methods it has."""

    pattern: str
    methods: tuple[str, ...]

    @property
    def face(self) -> str:
        first = self.pattern.partition("/")[0]
        return first if first in ("api", "admin", "accounts") else "portal"

    @property
    def kinds(self) -> list[str]:
        """The kinds of its parameters, in their order."""
        found: list[str] = []
        if self._is_other:
            return found
        for match in _PARAMETER.finditer(self.pattern):
            before = self.pattern[: match.start()].rstrip("/").rpartition("/")[2]
            kind = _KINDS_OF_FACE.get((self.face, before)) or _KINDS.get(before)
            assert kind, f"say in tests/access/routes.py what <{match[1]}> of {self.pattern} is"
            found.append(kind)
        return found

    def address(self, things: Mapping[str, str]) -> str:
        """Return the address of these things."""
        for start, instead in _OTHERS.items():
            if self.pattern.startswith(start):
                return f"/{instead}"
        kinds = iter(self.kinds)
        path = _PARAMETER.sub(lambda _: things[next(kinds)], self.pattern)
        assert not _NAMED_GROUP.search(path), f"say in tests/access/routes.py what {path} is"
        return f"/{path}"

    @property
    def is_of_a_brand(self) -> bool:
        """Whether it names a row that belongs to a brand."""
        return not self._is_other and bool(set(self.kinds) - _OF_NO_BRAND)

    @property
    def _is_other(self) -> bool:
        return any(self.pattern.startswith(start) for start in _OTHERS)


def every_route() -> list[Route]:
    """Return the routes of an agency's site."""
    return [Route(path, _methods(view)) for path, view in _walk(get_resolver("config.urls"), "")]


def _walk(resolver: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for one in resolver.url_patterns:
        path = prefix + str(one.pattern)
        if hasattr(one, "url_patterns"):
            yield from _walk(one, path)
        else:
            yield path, one.callback


def _methods(view: Any) -> tuple[str, ...]:
    if (actions := getattr(view, "actions", None)) is not None:
        names = [name.upper() for name in actions]
    elif (cls := getattr(view, "cls", None)) is not None:
        names = [name for name in ("GET", *WRITES) if hasattr(cls, name.lower())]
    else:
        names = ["GET", "POST"]
    return tuple(name for name in ("GET", *WRITES) if name in names)
