"""Whoever is logged in, or brought a key, is who acts."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from kernel.actor import SYSTEM, Actor, acting


class ActingUser:
    """Let what a request changes be changed by its user, as the trail tells it.

    The user is asked for when something is written down: the API only knows a key by then, and
    puts it where the session's user was.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with acting(lambda: _actor_of(request)):
            return self.get_response(request)


def _actor_of(request: HttpRequest) -> Actor:
    """Return who the request comes from; nobody who is known is the system itself."""
    actor = getattr(getattr(request, "user", None), "actor", SYSTEM)
    assert isinstance(actor, Actor)
    return actor
