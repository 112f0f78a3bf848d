"""The platform's staff: they see agencies and schedules, and nothing inside an agency."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin import display, register
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.models import User
from accounts.services import change_staff

from ..refusals import RefusableForm
from ..sites import platform_site
from ..words import chip, utc
from .rows import PlatformAdmin

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[User]
else:
    _ModelForm = forms.ModelForm


class NewStaffForm(_ModelForm):
    password1 = forms.CharField(
        label="Password", strip=False, widget=forms.PasswordInput(render_value=False)
    )
    password2 = forms.CharField(
        label="Password again", strip=False, widget=forms.PasswordInput(render_value=False)
    )

    def clean_email(self) -> str:
        # Stored in lower case: so is it looked for.
        return str(self.cleaned_data["email"]).lower()

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or self.cleaned_data
        password = said.get("password1")
        if password and password != said.get("password2"):
            self.add_error("password2", "The two passwords differ.")
        elif password:
            try:
                validate_password(password, User(email=said.get("email", "")))
            except ValidationError as weak:
                self.add_error("password1", weak)
        return said


@register(User, site=platform_site)
class StaffAdmin(PlatformAdmin):
    form = RefusableForm
    search_fields = ["name", "email"]
    list_display = ["email", "name", "state", "last_seen"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).filter(is_superuser=True)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[Any]:
        if not change:
            kwargs["form"] = NewStaffForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": ["email", "name", "password1", "password2"]})]
        return [(None, {"fields": ["email", "name", "is_active", "last_seen"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        return ["email", "last_seen"] if obj else []

    @display(description="state", ordering="is_active")
    def state(self, user: User) -> SafeString:
        return chip("Active", "run") if user.is_active else chip("Inactive", "off")

    @display(description="last log-in", ordering="last_login")
    def last_seen(self, user: User) -> str:
        return utc(user.last_login)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.is_superuser = True
            obj.set_password(form.cleaned_data["password1"])
            obj.save()
            return
        change_staff(user_id=obj.pk, name=obj.name, is_active=obj.is_active)
