"""The platform's own site, on the base domain: the landing page and the staff's admin."""

from django.urls import include, path

from backoffice.sites import platform_site
from config.health import healthz
from config.metrics import metrics

urlpatterns = [
    path("", include("portal.urls_platform")),
    path("accounts/", include("accounts.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("admin/", platform_site.urls),
    path("healthz", healthz, name="healthz"),
    path("metrics", metrics, name="metrics"),
]
