"""People and API keys."""

from django import forms

from accounts.models import User
from accounts.roles import Role

from .shared import DayField, PortalForm

_ROLES = [
    (Role.VIEWER.value, "Viewer: reads everything"),
    (Role.MANAGER.value, "Manager: edits brands, campaigns and spend"),
    (Role.OWNER.value, "Owner: also manages people and keys"),
]


class NewPersonForm(PortalForm):
    email = forms.EmailField(
        max_length=254, label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    name = forms.CharField(
        max_length=100, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    role = forms.ChoiceField(choices=_ROLES)


class PersonForm(PortalForm):
    name = forms.CharField(
        max_length=100, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    role = forms.ChoiceField(choices=_ROLES)
    is_active = forms.BooleanField(
        required=False, label="May log in", help_text="Without it every session of theirs ends."
    )

    @classmethod
    def for_person(cls, person: User, data: "forms.forms.DataDict | None") -> "PersonForm":  # type: ignore[name-defined]
        return cls(
            data,
            initial={"name": person.name, "role": person.role, "is_active": person.is_active},
        )


class NewKeyForm(PortalForm):
    name = forms.CharField(
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Who uses it: a script, a platform.",
    )
    role = forms.ChoiceField(choices=_ROLES[:2], initial=Role.MANAGER.value)
    expires_on = DayField(
        required=False, label="Expires", help_text="The last day (UTC). Empty: never."
    )
