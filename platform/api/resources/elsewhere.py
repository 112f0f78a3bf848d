"""Addresses below `/api/` that nothing has, and those that lack their last slash."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase, HttpResponsePermanentRedirect
from django.urls import Resolver404, resolve
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request

from kernel.errors import NotFound

from .resource import ApiView


class NowhereView(ApiView):
    """Nothing: 401 for a stranger, 404 for everybody else."""

    schema = None  # type: ignore[assignment]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound(
            "There is no such address in the API; /api/docs/ shows those that there are."
        )


_nowhere = NowhereView.as_view()


# Nothing is done here, and a key's holder has no CSRF token to show on the way.
@csrf_exempt
def elsewhere(request: HttpRequest, path: str) -> HttpResponseBase:
    """Lead to the address with its slash (308: the method and the body stay), or nowhere."""
    if not path.endswith("/") and _is_known(f"{request.path_info}/"):
        target = request.get_full_path(force_append_slash=True)
        return HttpResponsePermanentRedirect(target, preserve_request=True)
    return _nowhere(request)


def _is_known(path: str) -> bool:
    try:
        return resolve(path).func is not elsewhere
    except Resolver404:
        return False
