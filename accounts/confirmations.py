"""Links that confirm a new address: valid in one agency, for one person, address and access."""

from allauth.account import app_settings
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.views import ConfirmEmailView
from django.db import transaction
from django.http import Http404, HttpResponse
from django.utils.crypto import constant_time_compare

from . import tokens
from .models import User

_PURPOSE = "email_confirmation"
_DAY_SECONDS = 24 * 3600


class Confirmation(EmailConfirmationHMAC):  # type: ignore[misc]
    """A confirmation whose key names more than allauth's does, which is a row's number alone."""

    @property
    def key(self) -> str:
        address = self.email_address
        return tokens.sign(_PURPOSE, [address.pk, _digest(address)])

    @classmethod
    def from_key(cls, key: str, *, is_locked: bool = False) -> "Confirmation | None":
        """Return what the key confirms, or None where it is not valid (any more).

        It is valid as long as the address is as it was and waits to be confirmed, and the person
        is active and has the same address, password and sessions. With `is_locked` the rows are
        locked until the end of the transaction.
        """
        age = _DAY_SECONDS * app_settings.EMAIL_CONFIRMATION_EXPIRE_DAYS
        try:
            pk, about = tokens.read(_PURPOSE, key, age_seconds_max=age)
        except tokens.BadToken:
            return None
        rows = EmailAddress.objects.select_related("user")
        if is_locked:
            rows = rows.select_for_update()
        address = rows.filter(pk=pk, verified=False, user__is_active=True).first()
        if address is None or not constant_time_compare(about, _digest(address)):
            return None
        return cls(address)


class ConfirmEmail(ConfirmEmailView):  # type: ignore[misc]
    """allauth's page, for our confirmations."""

    @transaction.atomic
    def post(self, *args: object, **kwargs: object) -> HttpResponse:
        return super().post(*args, **kwargs)

    def get_object(self, queryset: object = None) -> Confirmation:
        # Locked where it is used: a dismissal at the same moment comes before it, or after it.
        is_used = self.request.method == "POST"
        confirmation = Confirmation.from_key(self.kwargs["key"], is_locked=is_used)
        if confirmation is None:
            raise Http404
        return confirmation


def _digest(address: EmailAddress) -> str:
    user = address.user
    assert isinstance(user, User)
    return tokens.digest(
        _PURPOSE,
        address.pk,
        address.email,
        user.pk,
        user.email,
        user.password,
        user.sessions_ended,
    )
