"""Who may do what: the view says which right its writes need, the role's table decides."""

from typing import TYPE_CHECKING, cast

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.roles import Right

from .authentication import Caller

if TYPE_CHECKING:
    # DRF's views load this module while they are loaded themselves.
    from rest_framework.views import APIView


class RoleAllows(BasePermission):
    """Reading needs the view's `right_to_read`, writing its `right_to_write`; without that nobody
    writes."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.user is None:
            return False
        right = getattr(view, "right_to_read", Right.VIEW)
        if request.method not in SAFE_METHODS:
            wanted = getattr(view, "right_to_write", None)
            if wanted is None:
                # Nothing writes here, so the method is answered 405; a view that forgot its right
                # stays closed.
                return request.method not in view.allowed_methods
            right = wanted
        self.message = refusal(right)
        return cast(Caller, request.user).may(right)


def refusal(right: Right) -> str:
    """Return the sentence for a caller whose role lacks `right`."""
    return f"Your role does not include the right to {right.replace('_', ' ')}."
