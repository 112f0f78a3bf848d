"""What an agency's owners decide about who comes in."""

from typing import Any

from django import forms

from tenants.models import Agency

from .shared import PortalForm


class SecurityForm(PortalForm):
    requires_second_factor = forms.BooleanField(
        required=False,
        label="Owners and finance need a second factor",
        help_text="Who has none sets one up at the next page, before anything else."
        " API keys work as before.",
    )
    allows_support = forms.BooleanField(
        required=False,
        label="Paceline's support may enter for a while",
        help_text="Always with a reason and an end, and you are told by mail."
        " Without it, whoever is in is out at once.",
    )

    @classmethod
    def of(cls, agency: Agency, data: Any = None) -> "SecurityForm":
        initial = {
            "requires_second_factor": agency.requires_second_factor,
            "allows_support": agency.allows_support,
        }
        return cls(data, initial=initial)
