"""Sessions that are worth something in one schema only."""

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from . import tokens


class SessionStore(DatabaseStore):
    """Django's own, signed for the agency (or the platform) whose context it was written in.

    Each agency keeps its sessions in its own schema, so another one's id is not found there; and
    were a row copied over, with its user, it would be read as an empty session.
    """

    @property
    def key_salt(self) -> str:
        return tokens.salt("session")
