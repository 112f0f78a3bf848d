"""Links that set a password: for one person and address, in one agency, until access changes."""

from django.contrib.auth.tokens import PasswordResetTokenGenerator

from . import tokens
from .models import User


class PasswordTokens(PasswordResetTokenGenerator):
    """Django's tokens, which end with the next password, log-in or address, bound to the schema.

    They also end with the person's sessions (`User.sessions_ended`): a link that was mailed before
    a dismissal is not valid when the person is let in again.
    """

    @property
    def key_salt(self) -> str:  # type: ignore[override]
        return tokens.salt("password")

    def check_token(self, user: User | None, token: str | None) -> bool:  # type: ignore[override]
        """Return whether the token is valid for this person, who must be active."""
        return user is not None and user.is_active and super().check_token(user, token)

    def _make_hash_value(self, user: User, timestamp: int) -> str:  # type: ignore[override]
        return f"{super()._make_hash_value(user, timestamp)}\0{user.sessions_ended}"
