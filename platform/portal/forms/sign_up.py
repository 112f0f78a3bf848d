"""A new agency, by whoever opens it."""

from django import forms

from tenants.services import NAME_LENGTH_MAX

from .shared import PortalForm


class SignUpForm(PortalForm):
    name = forms.CharField(
        max_length=NAME_LENGTH_MAX,
        label="What your agency is called",
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    slug = forms.CharField(
        max_length=63,
        label="Its address",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    email = forms.EmailField(
        max_length=254,
        label="Your e-mail",
        help_text="We mail you a link, and make the agency when you have opened it.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    @classmethod
    def below(cls, domain: str, data: "forms.forms.DataDict | None") -> "SignUpForm":  # type: ignore[name-defined]
        """Return the form for an address in front of the platform's domain."""
        form = cls(data)
        form.fields["slug"].help_text = f"The part in front of .{domain}, such as acme."
        return form
