"""Two admin sites: the agency's on its own host, the platform's on the base domain.

Each is entered by the people of its own schema only: sessions and users lie there, so a session of
one agency, or of the platform, is worth nothing on another host.
"""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import LogoutView, redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from accounts.models import User
from accounts.roles import Right
from tenants.contexts import current_agency

from .choosing import LabelledAutocomplete
from .lookups import ListedLookups


class OwnSite(AdminSite):
    """What the two sites share; their look is in templates/admin/ and static/backoffice/."""

    site_title = "Paceline"
    empty_value_display = "–"

    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        # Rows go through services, one by one: what is deletable brings its own action.
        self.disable_action("delete_selected")

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register an admin, whose lists must answer their own lookups only."""
        assert admin_class is not None, "an admin of ours"
        assert issubclass(admin_class, ListedLookups), admin_class
        super().register(model_or_iterable, admin_class, **options)

    def get_urls(self) -> list[Any]:
        """Return the site's routes, without Django's shortcut to any row of any model."""
        return [url for url in super().get_urls() if getattr(url, "name", None) != "view_on_site"]

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send people to the host's one log-in, which asks for second factors, and back here."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        target = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index")
        return redirect_to_login(target, reverse("account_login"))

    def logout(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        return LogoutView.as_view(next_page=reverse("account_login"))(request)

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect("account_change_password")


class AgencySite(OwnSite):
    """An agency's admin, for its own people; what each may do there, the role says."""

    index_title = "Administration"

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        # A support access has no account here that this admin's log could name.
        return isinstance(user, User) and user.may(Right.VIEW) and user.support is None

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        name = current_agency().name
        named = {"site_header": f"{name} · Paceline", "site_title": name}
        return {**super().each_context(request), **named}

    def autocomplete_view(self, request: HttpRequest) -> HttpResponseBase:  # type: ignore[override]
        return LabelledAutocomplete.as_view(admin_site=self)(request)


class PlatformSite(OwnSite):
    """The platform's admin, for its staff (`manage.py createsuperuser`)."""

    site_header = "Paceline · Platform"
    index_title = "Platform"

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return isinstance(user, User) and user.is_active and user.is_superuser


agency_site = AgencySite(name="agency_admin")
platform_site = PlatformSite(name="platform_admin")
