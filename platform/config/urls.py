"""An agency's site, on its own host: portal, admin, REST API."""

from django.urls import include, path

from backoffice.sites import agency_site
from config.health import HealthView, healthz
from portal.views.security import address

urlpatterns = [
    path("", include("portal.urls")),
    path("accounts/email/", address, name="account_email"),
    path("accounts/", include("accounts.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("admin/", agency_site.urls),
    path("api/health/", HealthView.as_view(), name="health"),
    path("api/", include("api.urls")),
    path("healthz", healthz, name="healthz"),
]
