"""What the lists of the platform's admin share. Its staff may do everything that is not refused."""

from typing import Any

from django.contrib.admin import ShowFacets
from django.http import HttpRequest

from ..journal import JournaledAdmin
from ..refusals import RefusingAdmin


class PlatformAdmin(RefusingAdmin, JournaledAdmin):
    """Rows of the platform's own schema."""

    list_per_page = 50
    show_facets = ShowFacets.NEVER
    view_on_site = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is deleted, unless a list says otherwise."""
        return False
