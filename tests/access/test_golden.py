"""Who may call what: tests/golden/access.txt, made by calling every route as every role.

After a change that is meant, write it anew and read the difference:

    REWRITE_GOLDEN=1 .venv/bin/python -m pytest tests/access/test_golden.py
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.test import Client

from accounts.roles import Role
from tests.access.routes import every_route
from tests.access.world import Things, add_people, ask, client_of, make_world

GOLDEN = Path(__file__).parents[1] / "golden" / "access.txt"
NOT_ALLOWED = "-"
FACES = ("api", "portal", "admin")
HEAD = """\
Who may call what of their own: yes, no (403), none (404), - (405). tests/access/test_golden.py
makes it. "yes" says that the role may ask; what it may say in a body, other tests tell.
"""


def test_who_may_call_what_is_as_checked_in(acme):
    things = add_people(make_world("Own"), "own")
    lines = [HEAD, _line("", [role.value for role in Role])]
    for face in FACES:
        lines += ["", *_lines_of(face, things)]
    found = "\n".join(lines) + "\n"
    if os.environ.get("REWRITE_GOLDEN"):
        GOLDEN.write_text(found)
    assert found == GOLDEN.read_text(), "say REWRITE_GOLDEN=1 if this is meant"


def _lines_of(face: str, things: Things) -> Iterator[str]:
    callers = {role: client_of(role, face, _brands(role, things)) for role in Role}
    for route in every_route():
        if route.face != face:
            continue
        found: dict[tuple[str, ...], list[str]] = {}
        for method in route.methods:
            words = tuple(_word(callers[role], method, route.address(things)) for role in Role)
            found.setdefault(words, []).append(method)
        for words, methods in found.items():
            if set(words) != {NOT_ALLOWED}:
                yield _line(f"/{route.pattern}  {' '.join(methods)}", words)


def _brands(role: Role, things: Things) -> list[str] | None:
    return [things["brand"]] if role == Role.CLIENT_VIEWER else None


def _word(client: Client, method: str, address: str) -> str:
    """Tell what is refused for the role, what goes on to be looked at, and what is nowhere.

    405 is no answer to a role.
    """
    answer = ask(client, method, address)
    assert answer.status_code < 500, (method, address, answer.status_code)
    assert answer.status_code != 401, (method, address)
    is_log_in = answer.headers.get("Location", "").startswith("/accounts/login/?")
    assert not is_log_in, (method, address)
    return {403: "no", 404: "none", 405: NOT_ALLOWED}.get(answer.status_code, "yes")


def _line(what: str, words: Sequence[str]) -> str:
    return (f"{what:84}" + "".join(f"{word:10}" for word in words)).rstrip()
