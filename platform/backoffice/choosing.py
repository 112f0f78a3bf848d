"""Choosing one of many: by typing a part of its name, never from a list of ten thousand."""

from collections.abc import Sequence
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db import DataError
from django.db.models import F, Model, Q, QuerySet
from django.http import HttpRequest

from budgets.models import Brand

from .access import access_of
from .words import label_of


class LabelledAutocomplete(AutocompleteJsonView):
    """The admin's own answer to typing, with labels that tell the brands' campaigns apart."""

    def process_request(self, request: HttpRequest) -> tuple[str, Any, Any, str]:
        term, model_admin, source_field, to_field = super().process_request(request)
        # PostgreSQL has no such character, and says so by an error.
        return term.replace("\0", ""), model_admin, source_field, to_field

    def serialize_result(self, obj: Model, to_field_name: str) -> dict[str, str]:
        return {**super().serialize_result(obj, to_field_name), "text": label_of(obj)}


class ChoiceByTyping(AutocompleteSelect):
    """Django's widget; an id that is none, posted or in a link, chooses nothing."""

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        try:
            return super().optgroups(name, value, attr)
        except ValidationError:
            return super().optgroups(name, [], attr)


class CheckedChangeList(ChangeList):
    """A list whose filters come from the address, where anything may stand."""

    def get_filters(self, request: HttpRequest) -> Any:
        try:
            return super().get_filters(request)
        # A lookup that the list does not offer; a day that no calendar of Python's has.
        except (DisallowedModelAdminLookup, OverflowError, ValueError) as error:
            raise IncorrectLookupParameters from error

    def get_results(self, request: HttpRequest) -> None:
        try:
            super().get_results(request)
        except DataError as error:
            raise IncorrectLookupParameters from error


def is_autocomplete(request: HttpRequest) -> bool:
    """Return whether rows are asked for to be chosen, not to be listed."""
    return request.path.endswith("/autocomplete/")


class BrandFilter(SimpleListFilter):
    """One brand's rows: a drop-down, where a link for each of 200 brands would be a second page."""

    title = "brand"
    parameter_name = "brand"
    template = "backoffice/select_filter.html"
    path = "brand"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        own = access_of(request).narrow(Brand.objects.all(), "id")
        brands = own.order_by(F("archived_at").asc(nulls_first=True), "name")
        return [
            (str(brand.id), f"{brand.name} (archived)" if brand.archived_at else brand.name)
            for brand in brands.only("id", "name", "archived_at")
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        if value not in dict(self.lookup_choices):
            raise IncorrectLookupParameters
        return queryset.filter(**{self.path: value})

    def choices(self, changelist: Any) -> Any:
        """Yield the options; the first one carries the other filters along, as hidden fields."""
        others = {
            name: values
            for name, values in changelist.filter_params.items()
            if name != self.parameter_name
        }
        pairs = [(name, value) for name, values in others.items() for value in values]
        yield {"value": "", "display": "All", "selected": not self.value(), "others": pairs}
        for value, display in self.lookup_choices:
            yield {"value": value, "display": display, "selected": value == self.value()}


def brand_filter(path: str) -> type[BrandFilter]:
    """Return a filter by brand for rows whose brand is at the end of `path`."""
    return type("BrandFilter", (BrandFilter,), {"path": path})


class ArchivedFilter(SimpleListFilter):
    """Rows in use are shown first; archived ones on demand."""

    title = "archived"
    parameter_name = "archived"
    archived = Q(archived_at__isnull=False)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Archived"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        choices = list(super().choices(changelist))
        choices[0]["display"] = "In use"
        return iter(choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        return queryset.filter(self.archived if self.value() == "yes" else ~self.archived)


def archived_filter(archived: Q) -> type[ArchivedFilter]:
    """Return the filter for rows of which `archived` says whether they are."""
    return type("ArchivedFilter", (ArchivedFilter,), {"archived": archived})
