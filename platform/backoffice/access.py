"""What of the agency's rows is there for the person who asks."""

from django.http import HttpRequest

from accounts.access import Access
from accounts.models import User


def access_of(request: HttpRequest) -> Access:
    """Return what the person who asks may see; the site lets nobody else in."""
    assert isinstance(request.user, User), "the site lets only its people in"
    return request.user.access
