"""Deleting through a service, which archives what has spend; and saying which of the two it was."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.admin import action, helpers
from django.contrib.admin.models import CHANGE, DELETION
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import model_ngettext
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from budgets.models import Budget, SpendTotal
from kernel import clock
from kernel.actor import Actor
from kernel.errors import DomainError

from ..refusals import busy_is_a_refusal
from .rights import AgencyAdmin, actor_of


def budgets_with_spend(budgets: QuerySet[Budget]) -> QuerySet[Budget]:
    """Return those of the budgets on which, or below which, anything was ever spent."""
    return budgets.filter(Exists(SpendTotal.objects.filter(budget_id=OuterRef("pk"))))


class RemovingAdmin(AgencyAdmin):
    """Rows that a service removes: it deletes what never had spend, and archives the rest."""

    can_delete = True
    actions: Sequence[Any] = ["delete_selected"]
    delete_confirmation_template = "backoffice/remove_confirmation.html"

    def remove(self, row: Any, *, now: datetime, by: Actor) -> Any:
        """Remove a row through its service; return what is left of it, None if it is gone."""
        raise NotImplementedError

    def with_spend(self, rows: Iterable[Any]) -> set[Any]:
        """Return the ids of the rows that will be archived rather than deleted."""
        raise NotImplementedError

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        rows = list(objs)
        kept = self.with_spend(rows)
        fates = {
            True: "has spend and will be archived; its history stays, its name is free again",
            False: "will be deleted",
        }
        lines = [f"{self.title_of(row)}: {fates[row.pk in kept]}" for row in rows]
        return lines, {str(self.opts.verbose_name_plural): len(rows)}, set(), []

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> None:  # type: ignore[override]
        """Nothing yet: only the service tells whether a row was deleted or archived."""

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        verb = self._remove(request, obj)
        self.message_user(request, f"{self.title_of(obj)} was {verb}.", messages.SUCCESS)

    def _remove(self, request: HttpRequest, row: Any) -> str:
        left = self.remove(row, now=clock.read(), by=actor_of(request))
        if left is None:
            self.log(request, [row], DELETION, "")
            return "deleted"
        self.log(request, [row], CHANGE, "Archived.")
        return "archived, since it has spend"

    def response_delete(
        self, request: HttpRequest, obj_display: str, obj_id: Any
    ) -> HttpResponseRedirect:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"
        url = reverse(name, current_app=self.admin_site.name)
        filters = self.get_preserved_filters(request)
        return HttpResponseRedirect(
            add_preserved_filters({"preserved_filters": filters, "opts": self.opts}, url)
        )

    @action(permissions=["delete"], description="Delete or archive")
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Ask first; then remove each row through the service, and tell how many went which way."""
        if request.POST.get("post"):
            self._remove_each(request, queryset)
            return None
        lines, count, _, _ = self.get_deleted_objects(queryset, request)
        context = {
            **self.admin_site.each_context(request),
            "title": "Delete or archive",
            "objects_name": model_ngettext(queryset),
            "deletable_objects": [lines],
            "model_count": count.items(),
            "queryset": queryset,
            "opts": self.opts,
            "action_checkbox_name": helpers.ACTION_CHECKBOX_NAME,
            "media": self.media,
        }
        request.current_app = self.admin_site.name  # type: ignore[attr-defined]
        return TemplateResponse(request, "backoffice/remove_selected.html", context)

    def _remove_each(self, request: HttpRequest, rows: Iterable[Any]) -> None:
        done: dict[str, int] = {}
        for row in rows:
            try:
                with busy_is_a_refusal():
                    verb = self._remove(request, row)
            except DomainError as refusal:
                self.message_user(
                    request, f"{self.title_of(row)}: {refusal.message}", messages.ERROR
                )
            else:
                done[verb] = done.get(verb, 0) + 1
        for verb, number in done.items():
            name = model_ngettext(self.opts, number)
            self.message_user(request, f"{number} {name} {verb}.", messages.SUCCESS)
