"""Two admin sites: the agency's on its own host, the platform's on the base domain."""

from django.contrib.admin import AdminSite

agency_site = AdminSite(name="agency_admin")
platform_site = AdminSite(name="platform_admin")
