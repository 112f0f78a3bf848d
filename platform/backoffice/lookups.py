"""What a list's address may ask for: what the list itself offers, and nothing else.

Django takes any field of the row, with any lookup: so a column that no page shows can be read
letter by letter (`password__startswith=…`), and a relation tells of rows that are somebody else's.
"""

from typing import TYPE_CHECKING, Any

from django.contrib.admin import FieldListFilter, ModelAdmin, SimpleListFilter
from django.contrib.admin.utils import get_fields_from_path
from django.http import HttpRequest

from .choosing import CheckedChangeList

if TYPE_CHECKING:
    _ModelAdmin = ModelAdmin[Any]
else:
    _ModelAdmin = ModelAdmin

# The parts of a day in a list that is parted by date, and how many digits each may have.
_DATE_PARTS = {"year": 4, "month": 2, "day": 2}


class ListedLookups(_ModelAdmin):
    """An admin whose lists answer the lookups of their own filters only."""

    # Leads to a row's own page, of any model, past the lists.
    view_on_site = False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[CheckedChangeList]:
        return CheckedChangeList

    def lookup_allowed(  # type: ignore[override]
        self, lookup: str, value: str, request: HttpRequest
    ) -> bool:
        """Return whether the list offers this lookup; another one leads back to the list."""
        if self.date_hierarchy:
            field, _, part = lookup.rpartition("__")
            if field == self.date_hierarchy and part in _DATE_PARTS:
                return value.isascii() and value.isdigit() and len(value) <= _DATE_PARTS[part]
        return lookup in self._offered(request)

    def _offered(self, request: HttpRequest) -> set[str]:
        names: set[str] = set()
        for item in self.get_list_filter(request):
            if isinstance(item, type) and issubclass(item, SimpleListFilter):
                names.add(str(item.parameter_name))
            else:
                names.update(self._offered_by_field(item, request))
        return names

    def _offered_by_field(self, item: Any, request: HttpRequest) -> list[str]:
        path, kind = item if isinstance(item, tuple | list) else (item, None)
        create: Any = kind or FieldListFilter.create
        field = get_fields_from_path(self.model, path)[-1]
        spec = create(field, request, {}, self.model, self, field_path=path)
        return [str(name) for name in spec.expected_parameters()]
