"""API keys."""

from django import forms

from accounts.roles import Role

from .people import AccessForm, role_choices
from .shared import DayField

# Machines let nobody in.
_ROLES = [role for role in reversed(Role) if role != Role.OWNER]


class NewKeyForm(AccessForm):
    name = forms.CharField(
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Who uses it: a script, a platform.",
    )
    expires_on = DayField(
        required=False, label="Expires", help_text="The last day (UTC). Empty: never."
    )
    field_order = ["name", "role", "brands", "expires_on"]
    refused_as = {"expires_at": "expires_on"}

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        role, brands = self.fields["role"], self.fields["brands"]
        assert isinstance(role, forms.ChoiceField)
        role.choices = role_choices(_ROLES)
        brands.help_text = "None ticked: all brands. A client viewer needs at least one."
