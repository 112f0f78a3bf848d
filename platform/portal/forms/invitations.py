"""The form with which an invitation is accepted."""

from typing import Any

from django import forms

from accounts.models import Invitation

from .shared import PortalForm


class AcceptForm(PortalForm):
    name = forms.CharField(
        max_length=100,
        label="Your name",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    # What a password manager stores the password for.
    email = forms.EmailField(
        required=False,
        label="E-mail",
        disabled=True,
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    password1 = forms.CharField(
        label="Choose a password",
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 8 characters, and none of the passwords that everybody tries first.",
    )
    password2 = forms.CharField(
        label="The password again",
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, invitation: Invitation, data: Any = None) -> None:
        super().__init__(data, initial={"name": invitation.name, "email": invitation.email})

    def clean_password2(self) -> str:
        again = str(self.cleaned_data["password2"])
        if again != self.cleaned_data.get("password1", again):
            raise forms.ValidationError("The two passwords differ.")
        return again
