"""The admin's own log, in the schema that the request is in.

Django keeps the numbers of content types in one cache for the whole process. Agencies' schemas, and
the platform's, number them differently, and a process serves them side by side: so the number is
asked of the schema each time.
"""

import json
from collections.abc import Iterable
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import PAGE_VAR
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.text import capfirst

from .lookups import ListedLookups
from .words import label_of

_PAGE_ENTRIES = 100


def content_type_id(model: type[Model]) -> int:
    """Return the number of the model's content type in the current schema."""
    options = model._meta
    found, _ = ContentType.objects.get_or_create(
        app_label=options.app_label, model=options.model_name
    )
    return found.pk


class Titled:
    """A row under the name by which people know it, where Django's pages would write `str(row)`."""

    def __init__(self, row: Model, title: str) -> None:
        self._row = row
        self._title = title

    def __getattr__(self, name: str) -> Any:
        return getattr(self._row, name)

    def __str__(self) -> str:
        return self._title


class JournaledAdmin(ListedLookups):
    """Calls rows by their names, and writes and shows the log of the schema it is asked in."""

    def title_of(self, row: Any) -> str:
        """Return what people call a row: on its page, in messages and in the log."""
        return label_of(row)

    def titled(self, row: Any) -> Any:
        """Return the row as Django's pages should name it."""
        return Titled(row, self.title_of(row))

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        if obj is not None:
            context |= {"original": self.titled(obj), "subtitle": self.title_of(obj)}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        return super().response_add(request, self.titled(obj), post_url_continue)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return super().response_change(request, self.titled(obj))

    def log(self, request: HttpRequest, rows: Iterable[Model], flag: int, message: Any) -> None:
        """Write one line for each row, in one statement."""
        assert request.user.pk is not None, "the site lets only its people in"
        type_id = content_type_id(self.model)
        text = json.dumps(message) if isinstance(message, list) else message
        LogEntry.objects.bulk_create(
            LogEntry(
                user_id=request.user.pk,
                content_type_id=type_id,
                object_id=str(row.pk),
                object_repr=self.title_of(row)[:200],
                action_flag=flag,
                change_message=text,
            )
            for row in rows
        )

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:  # type: ignore[override]
        self.log(request, [obj], ADDITION, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:  # type: ignore[override]
        self.log(request, [obj], CHANGE, message)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> None:  # type: ignore[override]
        self.log(request, queryset, DELETION, "")

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show what was done to one row in this admin, the newest first."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        entries = (
            LogEntry.objects.filter(
                object_id=unquote(object_id), content_type_id=content_type_id(self.model)
            )
            .select_related("user")
            .order_by("-action_time", "-id")
        )
        paginator = self.get_paginator(request, entries, _PAGE_ENTRIES)
        page = paginator.get_page(request.GET.get(PAGE_VAR, 1))
        request.current_app = self.admin_site.name  # type: ignore[attr-defined]
        context = {
            **self.admin_site.each_context(request),
            "title": f"Change history: {self.title_of(row)}",
            "subtitle": None,
            "action_list": page,
            "page_range": paginator.get_elided_page_range(page.number),
            "page_var": PAGE_VAR,
            "pagination_required": paginator.count > _PAGE_ENTRIES,
            "module_name": capfirst(self.opts.verbose_name_plural),
            "object": self.titled(row),
            "opts": self.opts,
            "preserved_filters": self.get_preserved_filters(request),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/object_history.html", context)
