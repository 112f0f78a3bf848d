"""Pages that stand in front of allauth's of the same address, on both sites."""

from django.urls import re_path

from .confirmations import ConfirmEmail

urlpatterns = [
    # allauth's own pattern, so that none of its addresses reaches allauth's page.
    re_path(
        r"^confirm-email/(?P<key>[-:\w]+)/$", ConfirmEmail.as_view(), name="account_confirm_email"
    ),
]
