"""A service's refusal becomes an error on the form, beside the field that it names.

The admin saves in one transaction, form first, inlines after. A refusal anywhere in it ends that
transaction, so that nothing is half stored; then the same input is checked once more by a form that
knows of the refusal, and shown again.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.db import OperationalError
from django.forms.models import construct_instance
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from kernel.errors import DomainError
from kernel.transactions import refusal_of

if TYPE_CHECKING:
    _ModelAdmin = ModelAdmin[Any]
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelAdmin = ModelAdmin
    _ModelForm = forms.ModelForm


@contextmanager
def busy_is_a_refusal() -> Iterator[None]:
    """Turn what the database could not do in time, or for others' sake, into Busy."""
    try:
        yield
    except OperationalError as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        raise refusal from error


class RefusableForm(_ModelForm):
    """A form whose rules are a service's: it reads values, and shows what the service refused."""

    refusal: DomainError | None = None
    # Where the page calls a field otherwise than the service.
    refused_as: Mapping[str, str] = {}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.refusal is not None:
            named = self.refused_as.get(self.refusal.field or "", self.refusal.field)
            self.add_error(named if named in self.fields else None, self.refusal.message)
        return cleaned

    def _post_clean(self) -> None:
        # Django would check the model's constraints here, in words of its own. That is left to the
        # service, which looks under the brand's lock and answers in a sentence.
        options = self._meta
        self.instance = construct_instance(self, self.instance, options.fields, options.exclude)

    def changes(self, *names: str) -> dict[str, Any]:
        """Return the values of the named fields that were changed on the page."""
        return {name: self.cleaned_data[name] for name in names if name in self.changed_data}


class RefusingAdmin(_ModelAdmin):
    """An admin whose `save_model` and `save_formset` may raise DomainError."""

    form = RefusableForm

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            with busy_is_a_refusal():
                return self.check_and_save(request, object_id, form_url, extra_context)
        except DomainError as refusal:
            vars(request)["refusal"] = refusal
        return self.check_and_save(request, object_id, form_url, extra_context)

    def check_and_save(
        self,
        request: HttpRequest,
        object_id: str | None,
        form_url: str,
        extra_context: dict[str, Any] | None,
    ) -> HttpResponse:
        """Do what the page asks for, in one transaction."""
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[Any]:
        form = super().get_form(request, obj, change, **kwargs)
        refusal = vars(request).get("refusal")
        return form if refusal is None else type(form.__name__, (form,), {"refusal": refusal})

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            with busy_is_a_refusal():
                return super().delete_view(request, object_id, extra_context)
        except DomainError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
        return HttpResponseRedirect("../change/")
